import Randomness
import ServingSim

/// Routing rules without learning, to compare with and to learn from.
///
/// All of them choose among the replicas that take the request (`ClusterSimulation.canRoute`). The looking ones divide what they count, the request
/// itself included, by the replica's relative speed.
public enum HeuristicPolicy: String, CaseIterable, Sendable {
  /// Any replica, all equally likely.
  case random
  /// Replicas in turn.
  case roundRobin = "round_robin"
  /// The replica with the fewest waiting requests; ties to the lowest number.
  case lor
  /// The replica with the fewest waiting and resident requests; ties to the lowest number.
  case lorFull = "lor_full"
  /// The replica with the fewest prefill and decode tokens left to do; ties to the lowest number. Knows true output lengths.
  case leastOutstandingTokens = "lot"

  /// The name used in configurations and reports.
  public var name: String { rawValue }

  /// The rule at its first decision of (`seed`, `chunk`, `environment`).
  public func router(seed: UInt64, chunk: Int, environment: Int) -> HeuristicRouter {
    HeuristicRouter(self, seed: seed, chunk: chunk, environment: environment)
  }

  /// What the rule minimises on `replica`, `tokens` being those of the request; nil for rules that do not look.
  func cost(_ replica: ReplicaView, tokens: Int) -> Double? {
    switch self {
    case .random, .roundRobin: nil
    case .lor: Double(replica.waitingCount + 1) / replica.relativeSpeed
    case .lorFull: Double(replica.outstandingRequests + 1) / replica.relativeSpeed
    case .leastOutstandingTokens: Double(replica.outstandingTokens + tokens) / replica.relativeSpeed
    }
  }
}

/// A heuristic at work: the rule and how many decisions it has made.
public struct HeuristicRouter: Equatable, Sendable {
  /// The rule.
  public let policy: HeuristicPolicy
  /// Decisions made.
  public private(set) var decisions = 0
  private let seed: UInt64
  private let chunk: Int
  private let environment: Int

  init(_ policy: HeuristicPolicy, seed: UInt64, chunk: Int, environment: Int) {
    self.policy = policy
    self.seed = seed
    self.chunk = chunk
    self.environment = environment
  }

  /// The replica for the request that waits in the router of `cluster`.
  ///
  /// Random choices are drawn from (seed, heuristic, chunk, environment, decision), one stream each.
  public mutating func choose(cluster: ClusterSimulation) -> Int {
    let count = cluster.replicaCount
    defer { decisions += 1 }
    switch policy {
    case .random:
      let allowed = (0..<count).filter { cluster.canRoute(to: $0) }
      precondition(!allowed.isEmpty, "no replica takes the request")
      var stream = RandomStream(seed: seed, purpose: .heuristic, chunk: chunk, environment: environment, index: decisions)
      return allowed[stream.bounded(allowed.count)]
    case .roundRobin:
      let turn = decisions % count
      for step in 0..<count where cluster.canRoute(to: (turn + step) % count) { return (turn + step) % count }
      preconditionFailure("no replica takes the request")
    case .lor, .lorFull, .leastOutstandingTokens:
      let tokens = cluster.waitingForDecision.map { cluster.request($0).remainingTokens } ?? 0
      var best = 0
      var lowest = Double.infinity
      for replica in 0..<count where cluster.canRoute(to: replica) {
        if let cost = policy.cost(cluster.replica(replica), tokens: tokens), cost < lowest {
          best = replica
          lowest = cost
        }
      }
      return best
    }
  }
}

import Randomness
import ServingSim

/// Routing rules without learning, to compare with and to learn from.
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

  /// What the rule minimises on `replica`; nil for rules that do not look.
  func cost(_ replica: ReplicaView) -> Int? {
    switch self {
    case .random, .roundRobin: nil
    case .lor: replica.waitingCount
    case .lorFull: replica.outstandingRequests
    case .leastOutstandingTokens: replica.outstandingTokens
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
      var stream = RandomStream(seed: seed, purpose: .heuristic, chunk: chunk, environment: environment, index: decisions)
      return stream.bounded(count)
    case .roundRobin:
      return decisions % count
    case .lor, .lorFull, .leastOutstandingTokens:
      var best = 0
      var lowest = Int.max
      for replica in 0..<count {
        if let cost = policy.cost(cluster.replica(replica)), cost < lowest {
          best = replica
          lowest = cost
        }
      }
      return best
    }
  }
}

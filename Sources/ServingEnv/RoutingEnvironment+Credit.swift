import Environments
import ServingSim

extension RoutingEnvironment {
  /// The id of the pending request; a request that lost its replica comes back under the same one.
  public var subject: Int { pendingRequest ?? -1 }

  /// Costs by the objective, in mean requests of `lor_full`, of each replica for the pending request.
  ///
  /// One copy of the cluster for each replica that may be chosen. All copies see the same arrivals. A later request goes where it went in `later`;
  /// one that `later` does not name, that cannot go there, or that comes back from a failed replica goes where `lor_full` would send it. A copy ends
  /// when the request that follows `horizon.decisions` later ones arrives, at the same time in all copies; requests that are then under way cost what
  /// they have cost so far. With `horizon.drains` no request arrives behind these, and all are served to their end.
  public func actionCosts(later: [Decision], horizon: CostHorizon) -> [Double] {
    guard let first = pendingRequest else { preconditionFailure("no decision is pending: reset first") }
    let frozen = FrozenAssignments(later, from: first)
    let scale = objectiveScale
    return (0..<actionCount).map { action in
      guard canChoose(action) else { return .nan }
      var copy = routed
      copy.cluster.route(to: action)
      copy.follow(frozen, through: first + horizon.decisions, drains: horizon.drains)
      var cost = copy.cluster.takeCompletions().reduce(0) { $0 + scale.cost($1) }
      if !horizon.drains { cost += scale.liveCost(copy.cluster) }
      return cost
    }
  }

  /// The objective's cost of the request that each of `decisions` routed.
  ///
  /// A copy takes the decisions again and goes on with `lor_full` and the workload's further arrivals until all these requests are served.
  public func ownCosts(of decisions: [Decision]) -> [Double] {
    guard let first = decisions.map(\.subject).min(), let last = decisions.map(\.subject).max() else { return [] }
    var copy = routed
    let scale = objectiveScale
    for decision in decisions {
      copy.cluster.route(to: decision.action)
      _ = copy.advance()
    }
    var router = HeuristicPolicy.lorFull.router(seed: 0, chunk: 0, environment: 0)
    var open = first
    while true {
      while open <= last && !copy.cluster.isLive(open) { open += 1 }
      if open > last { break }
      copy.cluster.route(to: router.choose(cluster: copy.cluster))
      _ = copy.advance()
    }
    // A request that was turned away after its replica failed has cost at least as much as any that was served.
    var costs = [Double](repeating: .nan, count: last - first + 1)
    var highest = 0.0
    for request in copy.cluster.takeCompletions() where request.id >= first && request.id <= last {
      costs[request.id - first] = scale.cost(request)
      highest = max(highest, costs[request.id - first])
    }
    return decisions.map { costs[$0.subject - first].isNaN ? highest : costs[$0.subject - first] }
  }
}

/// Where requests went the first time they were routed, by request.
struct FrozenAssignments {
  private let first: Int
  private var replicas: [Int32]

  /// - Parameter first: id before which nothing is looked up.
  init(_ decisions: [Decision], from first: Int) {
    self.first = first
    let last = decisions.reduce(first - 1) { max($0, $1.subject) }
    replicas = [Int32](repeating: -1, count: last - first + 1)
    for decision in decisions where decision.subject > first && replicas[decision.subject - first] < 0 {
      replicas[decision.subject - first] = Int32(decision.action)
    }
  }

  /// The replica that `request` went to, nil if it is not known.
  func replica(of request: Int) -> Int? {
    let place = request - first
    guard place >= 0, place < replicas.count, replicas[place] >= 0 else { return nil }
    return Int(replicas[place])
  }

  /// A request is looked up once: when it comes back, the situation is another one.
  mutating func forget(_ request: Int) {
    let place = request - first
    if place >= 0 && place < replicas.count { replicas[place] = -1 }
  }
}

extension RoutedCluster {
  /// Goes on with frozen assignments, and `lor_full` where there is none, through the routing of request `last`; then up to the arrival that follows
  /// it, or to the end of everything without further arrivals.
  mutating func follow(_ assignments: FrozenAssignments, through last: Int, drains: Bool) {
    var assignments = assignments
    var router = HeuristicPolicy.lorFull.router(seed: 0, chunk: 0, environment: 0)
    while true {
      let request: Int
      if drains && announced > last {
        guard let waiting = drain() else { return }
        request = waiting
      } else {
        guard let next = advance(), next <= last else { return }
        request = next
      }
      if let replica = assignments.replica(of: request), canRoute(to: replica) {
        cluster.route(to: replica)
      } else {
        cluster.route(to: router.choose(cluster: cluster))
      }
      assignments.forget(request)
    }
  }
}

import ServingSim

extension HeuristicPolicy {
  /// Rules that rate replicas and can therefore teach.
  public static var teachers: [HeuristicPolicy] { [.lor, .lorFull, .leastOutstandingTokens] }

  /// Marks the allowed replicas with the lowest cost, ties included: 1 = best.
  ///
  /// - Parameters:
  ///   - mask: `[R]`, 1 = allowed.
  ///   - best: `[R]`, overwritten.
  /// - Precondition: the rule is one of `teachers`; some replica is allowed.
  public func markBest(cluster: ClusterSimulation, mask: [UInt8], best: inout [UInt8]) {
    precondition(mask.count == cluster.replicaCount && best.count == mask.count, "extents of a mask")
    let tokens = cluster.waitingForDecision.map { cluster.request($0).remainingTokens } ?? 0
    var lowest = Double.infinity
    for replica in mask.indices where mask[replica] != 0 {
      guard let cost = cost(cluster.replica(replica), tokens: tokens) else { preconditionFailure("\(name) rates no replica") }
      lowest = min(lowest, cost)
    }
    precondition(lowest < .infinity, "no replica is allowed")
    for replica in mask.indices {
      best[replica] = mask[replica] != 0 && cost(cluster.replica(replica), tokens: tokens) == lowest ? 1 : 0
    }
  }
}

import Environments

/// What the learner's controllers and monitors read besides observation and reward.
extension RoutingEnvironment {
  /// Entries of one replica in the observation.
  public var replicaBlockSize: Int { schema.layout.blockSize }

  /// The metrics window at the pending decision, against the configured arrival rate and the reward's latency threshold.
  public var loadSignals: LoadSignals? {
    let (now, before) = (metrics, previousMetrics)
    return LoadSignals(
      arrivalRate: now.arrivalRate, targetRate: targetRate, latency: now.latency, targetLatency: configuration.reward.latencyThreshold,
      balance: 1 / (1 + rewardComponents.imbalance),
      change: abs(now.throughput - before.throughput) + abs(now.latency - before.latency))
  }

  /// Yes.
  public static var reportsLatencies: Bool { true }

  /// The cluster's clock.
  public var simulatedSeconds: Double { cluster.now }

  /// End-to-end times of `completions`.
  public func latencies(into values: inout [Double]) {
    for request in completions { values.append(request.endToEndSeconds) }
  }
}

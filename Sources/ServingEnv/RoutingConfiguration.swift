import ServingSim

/// Everything that defines a routing task: the cluster, its requests, what the policy sees and what it is rewarded for.
public struct RoutingConfiguration: Equatable, Sendable {
  /// The simulated cluster; its replicas are the actions.
  public var cluster: ClusterConfiguration
  /// The requests.
  public var workload: WorkloadConfiguration
  /// The observation.
  public var observation: ObservationConfiguration
  /// The reward.
  public var reward: RewardConfiguration

  /// A task by its parts.
  public init(
    cluster: ClusterConfiguration = ClusterConfiguration(), workload: WorkloadConfiguration,
    observation: ObservationConfiguration = ObservationConfiguration(), reward: RewardConfiguration = RewardConfiguration()
  ) {
    self.cluster = cluster
    self.workload = workload
    self.observation = observation
    self.reward = reward
  }

  /// Mean arrivals per second that the workload is configured for; of a replayed trace, over the rows in its window.
  public var arrivalRate: Double {
    switch workload.source {
    case .poisson(let synthetic): return synthetic.qps
    case .trace(let replay):
      if let qps = replay.qps { return qps }
      let rows = replay.trace.rows.filter { $0.arrivedAt >= replay.from ?? 0 && $0.arrivedAt < replay.to ?? .infinity }
      guard let first = rows.first, let last = rows.last, last.arrivedAt > first.arrivedAt else { return 0 }
      return Double(rows.count - 1) / (last.arrivedAt - first.arrivedAt)
    }
  }
}

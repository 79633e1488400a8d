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

  /// Mean arrivals per second that the workload is configured for; of a replayed trace, over the rows in its window; 1 when all
  /// arrive at once, which has no rate.
  public var arrivalRate: Double {
    let rate = workload.meanRate
    return rate.isFinite ? rate : 1
  }
}

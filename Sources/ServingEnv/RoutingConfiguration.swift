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
  /// What the users of the cluster want: the unit of costs.
  public var objective: LatencyObjective
  /// Whether costs by the objective are asked for although the reward does not show them (credit by copies).
  public var measuresCosts: Bool
  /// How load and threshold change with the chunks.
  public var curriculum: Curriculum

  /// A task by its parts.
  public init(
    cluster: ClusterConfiguration = ClusterConfiguration(), workload: WorkloadConfiguration,
    observation: ObservationConfiguration = ObservationConfiguration(), reward: RewardConfiguration = RewardConfiguration(),
    objective: LatencyObjective = LatencyObjective(), measuresCosts: Bool = false, curriculum: Curriculum = Curriculum()
  ) {
    self.cluster = cluster
    self.workload = workload
    self.observation = observation
    self.reward = reward
    self.objective = objective
    self.measuresCosts = measuresCosts
    self.curriculum = curriculum
  }

  /// Whether the objective's scale must be known.
  var needsObjective: Bool { measuresCosts || reward.mode == .completion || reward.mode == .accrual }

  /// The reward as it is in `stage`.
  func reward(in stage: Curriculum.Stage) -> RoutingReward {
    var reward = reward
    reward.latencyThreshold *= stage.latencyThresholdScale
    return RoutingReward(reward, target: reward.throughputTarget ?? arrivalRate * stage.rateScale)
  }

  /// Mean arrivals per second that the workload is configured for; of a replayed trace, over the rows in its window; 1 when all
  /// arrive at once, which has no rate.
  public var arrivalRate: Double {
    let rate = workload.meanRate
    return rate.isFinite ? rate : 1
  }
}

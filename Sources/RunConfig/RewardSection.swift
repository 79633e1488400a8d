/// What the policy is rewarded for: a weighted sum of level, change and imbalance.
public struct RewardSection: Equatable, Sendable {
  /// Latency the cluster should stay below.
  public var latencyThreshold = 4.0
  /// Throughput that counts as 1; 0 = the arrival rate.
  public var throughputTarget = 0.0
  /// Weight of throughput and latency themselves.
  public var absoluteWeight = 0.6
  /// Weight of their changes.
  public var deltaWeight = 0.4
  /// Weight of latency against throughput.
  public var alpha = 0.8
  /// Weight of the change of throughput.
  public var beta = 0.3
  /// Weight of the change of latency.
  public var deltaLatencyWeight = 0.3
  /// Weight of imbalance between replicas.
  public var loadBalancePenalty = 0.5
  /// Height of the penalty around the threshold.
  public var kappa = 0.25
  /// Width of the penalty around the threshold.
  public var sigma = 1.0
  /// Step of the averages that changes are taken against.
  public var emaAlpha = 0.1
  /// Whether rewards are scaled by the deviation of returns.
  public var normalize = true
  /// Limit of a scaled reward.
  public var clip = 10.0

  static let fields: [Field] = [
    .real(
      "reward.latency_threshold", \.reward.latencyThreshold, .above(0, 1e6), unit: "s", .frozen,
      "Mean end-to-end latency the cluster should stay below."),
    .real(
      "reward.throughput_target", \.reward.throughputTarget, .closed(0, 1e6), unit: "requests/s", .frozen,
      "Throughput that counts as 1; 0 takes the arrival rate of the workload."),
    .real(
      "reward.absolute_weight", \.reward.absoluteWeight, .closed(0, 1000), .frozen, "Weight of the levels of throughput and latency."),
    .real("reward.delta_weight", \.reward.deltaWeight, .closed(0, 1000), .frozen, "Weight of the changes of throughput and latency."),
    .real("reward.alpha", \.reward.alpha, .closed(0, 1000), .frozen, "Weight of latency against throughput among the levels."),
    .real("reward.beta", \.reward.beta, .closed(0, 1000), .frozen, "Weight of throughput among the changes."),
    .real("reward.delta_latency_weight", \.reward.deltaLatencyWeight, .closed(0, 1000), .frozen, "Weight of latency among the changes."),
    .real(
      "reward.load_balance_penalty", \.reward.loadBalancePenalty, .closed(0, 1000), .frozen,
      "Weight of the imbalance: deviation of the replicas' loads over their mean plus 1."),
    .real(
      "reward.kappa", \.reward.kappa, .closed(0, 1000), .frozen, "Height of the logistic penalty on latency around the threshold."),
    .real(
      "reward.sigma", \.reward.sigma, .above(0, 1e6), unit: "s", .frozen, "Width of the logistic penalty on latency around the threshold."),
    .real(
      "reward.ema_alpha", \.reward.emaAlpha, .above(0, 1), .frozen,
      "Weight of the newest value in the moving averages that changes are taken against."),
    .boolean("reward.normalize", \.reward.normalize, .frozen, "Divides rewards by the running deviation of the discounted return."),
    .real("reward.clip", \.reward.clip, .above(0, 1e6), .frozen, "Limit of a divided reward, on both sides."),
  ]
}

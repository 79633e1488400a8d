/// What a reward is made of.
public enum RewardMode: String, CaseIterable, Sendable {
  /// Levels, relative changes, imbalance and a soft latency limit.
  case hybrid
  /// Levels.
  case instant
  /// Changes since the last step.
  case delta
  /// Minus the cost by the objective.
  case latency
}

/// What the policy is rewarded for.
public struct RewardSection: Equatable, Sendable {
  /// What it is made of.
  public var mode = RewardMode.hybrid
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
  /// Weight of latency (instant, delta).
  public var latencyWeight = 1.0
  /// Weight of the spread of utilisations (instant, delta).
  public var balancePenaltyWeight = 0.0
  /// Height of the penalty above the threshold (instant, delta).
  public var latencyPenaltyScale = 1.0
  /// Largest bonus for low latency.
  public var latencyBonusScale = 0.0
  /// Share of the threshold below which it begins.
  public var latencyBonusFraction = 0.75
  /// Weight of a latency below the recent mean.
  public var progressImprovementWeight = 0.0
  /// Weight of a latency above it.
  public var progressDegradationWeight = 0.0
  /// Whether rewards are scaled by the deviation of returns.
  public var normalize = true
  /// Limit of a scaled reward.
  public var clip = 10.0

  static let fields: [Field] = [
    .choice(
      "reward.mode", \.reward.mode, .frozen,
      "Weighted levels, changes and imbalance (hybrid), levels alone, changes alone, or minus the cost by the objective (latency)."),
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
    .real("reward.latency_weight", \.reward.latencyWeight, .closed(0, 1000), .frozen, "Weight of latency in the instant and delta modes."),
    .real(
      "reward.balance_penalty_weight", \.reward.balancePenaltyWeight, .closed(0, 1000), .frozen,
      "Weight of the spread between the highest and the lowest utilisation in the instant and delta modes."),
    .real(
      "reward.latency_penalty_scale", \.reward.latencyPenaltyScale, .closed(0, 1000), .frozen,
      "Height of the saturating penalty on latency above the threshold in the instant and delta modes."),
    .real(
      "reward.latency_bonus_scale", \.reward.latencyBonusScale, .closed(0, 1000), .frozen,
      "Largest bonus for a latency below reward.latency_bonus_fraction of the threshold; 0 is off."),
    .real(
      "reward.latency_bonus_fraction", \.reward.latencyBonusFraction, .above(0, 1), .frozen,
      "Share of the threshold below which the latency bonus begins."),
    .real(
      "reward.progress_improvement_weight", \.reward.progressImprovementWeight, .closed(0, 1000), .frozen,
      "Weight of the relative distance of the latency below the mean of the last five; 0 is off."),
    .real(
      "reward.progress_degradation_weight", \.reward.progressDegradationWeight, .closed(0, 1000), .frozen,
      "Weight of the relative distance of the latency above the mean of the last five; 0 is off."),
    .boolean("reward.normalize", \.reward.normalize, .frozen, "Divides rewards by the running deviation of the discounted return."),
    .real("reward.clip", \.reward.clip, .above(0, 1e6), .frozen, "Limit of a divided reward, on both sides."),
  ]
}

import ServingSim

/// Mode and weights of `RoutingReward`.
public struct RewardConfiguration: Equatable, Sendable {
  /// What a reward is made of.
  public enum Mode: Equatable, Sendable {
    /// Levels, relative changes, imbalance and a soft latency limit.
    case hybrid
    /// Levels.
    case instant
    /// Changes since the last measured levels.
    case delta
    /// Minus the objective's cost of the requests that completed during the step.
    case completion
    /// Minus what all requests in the system added to the objective's cost during the step.
    case accrual
  }

  /// The mode.
  public var mode: Mode
  /// Mean end-to-end latency the cluster should stay below, seconds.
  public var latencyThreshold: Double
  /// Throughput that counts as 1, requests per second; nil: the workload's arrival rate.
  public var throughputTarget: Double?
  /// Weight of the levels of throughput and latency.
  public var absoluteWeight: Double
  /// Weight of their relative changes.
  public var deltaWeight: Double
  /// Weight of latency against throughput among the levels.
  public var alpha: Double
  /// Weight of throughput among the changes.
  public var beta: Double
  /// Weight of latency among the changes.
  public var deltaLatencyWeight: Double
  /// Weight of the imbalance between replicas.
  public var loadBalancePenalty: Double
  /// Height of the logistic penalty on latency around the threshold.
  public var kappa: Double
  /// Width of that penalty, seconds.
  public var sigma: Double
  /// Weight of the newest value in the averages that changes are taken against, above 0, at most 1.
  public var emaAlpha: Double
  /// Weight of latency in the instant and delta modes.
  public var latencyWeight: Double
  /// Weight of the spread of utilisations in the instant and delta modes.
  public var balanceWeight: Double
  /// Height of the penalty above the threshold in the instant and delta modes.
  public var latencyPenaltyScale: Double
  /// Largest bonus for latencies below `latencyBonusFraction` of the threshold; 0 is off.
  public var latencyBonusScale: Double
  /// Share of the threshold below which the bonus begins.
  public var latencyBonusFraction: Double
  /// Weight of a latency below the mean of the last five; 0 is off.
  public var progressImprovementWeight: Double
  /// Weight of a latency above it; 0 is off.
  public var progressDegradationWeight: Double

  /// The weights our own runs use.
  public init(
    mode: Mode = .hybrid, latencyThreshold: Double = 4, throughputTarget: Double? = nil, absoluteWeight: Double = 0.6,
    deltaWeight: Double = 0.4,
    alpha: Double = 0.8, beta: Double = 0.3, deltaLatencyWeight: Double = 0.3, loadBalancePenalty: Double = 0.5, kappa: Double = 0.25,
    sigma: Double = 1, emaAlpha: Double = 0.1, latencyWeight: Double = 1, balanceWeight: Double = 0, latencyPenaltyScale: Double = 1,
    latencyBonusScale: Double = 0, latencyBonusFraction: Double = 0.75, progressImprovementWeight: Double = 0,
    progressDegradationWeight: Double = 0
  ) {
    self.mode = mode
    self.latencyThreshold = latencyThreshold
    self.throughputTarget = throughputTarget
    self.absoluteWeight = absoluteWeight
    self.deltaWeight = deltaWeight
    self.alpha = alpha
    self.beta = beta
    self.deltaLatencyWeight = deltaLatencyWeight
    self.loadBalancePenalty = loadBalancePenalty
    self.kappa = kappa
    self.sigma = sigma
    self.emaAlpha = emaAlpha
    self.latencyWeight = latencyWeight
    self.balanceWeight = balanceWeight
    self.latencyPenaltyScale = latencyPenaltyScale
    self.latencyBonusScale = latencyBonusScale
    self.latencyBonusFraction = latencyBonusFraction
    self.progressImprovementWeight = progressImprovementWeight
    self.progressDegradationWeight = progressDegradationWeight
  }

  func validate() throws(ServingError) {
    for (field, value) in [
      ("latencyThreshold", latencyThreshold), ("throughputTarget", throughputTarget ?? 1), ("sigma", sigma), ("emaAlpha", emaAlpha),
      ("latencyBonusFraction", latencyBonusFraction),
    ] {
      guard value.isFinite && value > 0 else { throw ServingError(.outOfRange, field: field, reason: "\(value), allowed above 0") }
    }
    guard emaAlpha <= 1 else { throw ServingError(.outOfRange, field: "emaAlpha", reason: "\(emaAlpha), allowed above 0, at most 1") }
    for (field, value) in [
      ("absoluteWeight", absoluteWeight), ("deltaWeight", deltaWeight), ("alpha", alpha), ("beta", beta),
      ("deltaLatencyWeight", deltaLatencyWeight), ("loadBalancePenalty", loadBalancePenalty), ("kappa", kappa),
      ("latencyWeight", latencyWeight),
      ("balanceWeight", balanceWeight), ("latencyPenaltyScale", latencyPenaltyScale), ("latencyBonusScale", latencyBonusScale),
      ("progressImprovementWeight", progressImprovementWeight), ("progressDegradationWeight", progressDegradationWeight),
    ] {
      guard value.isFinite && value >= 0 else { throw ServingError(.outOfRange, field: field, reason: "\(value), allowed 0 or more") }
    }
  }
}

import ServingSim

/// Weights of `HybridReward`.
public struct RewardConfiguration: Equatable, Sendable {
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

  /// The weights our own runs use.
  public init(
    latencyThreshold: Double = 4, throughputTarget: Double? = nil, absoluteWeight: Double = 0.6, deltaWeight: Double = 0.4,
    alpha: Double = 0.8, beta: Double = 0.3, deltaLatencyWeight: Double = 0.3, loadBalancePenalty: Double = 0.5, kappa: Double = 0.25,
    sigma: Double = 1, emaAlpha: Double = 0.1
  ) {
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
  }

  func validate() throws(ServingError) {
    for (field, value) in [
      ("latencyThreshold", latencyThreshold), ("throughputTarget", throughputTarget ?? 1), ("sigma", sigma), ("emaAlpha", emaAlpha),
    ] {
      guard value.isFinite && value > 0 else { throw ServingError(.outOfRange, field: field, reason: "\(value), allowed above 0") }
    }
    guard emaAlpha <= 1 else { throw ServingError(.outOfRange, field: "emaAlpha", reason: "\(emaAlpha), allowed above 0, at most 1") }
    for (field, value) in [
      ("absoluteWeight", absoluteWeight), ("deltaWeight", deltaWeight), ("alpha", alpha), ("beta", beta),
      ("deltaLatencyWeight", deltaLatencyWeight), ("loadBalancePenalty", loadBalancePenalty), ("kappa", kappa),
    ] {
      guard value.isFinite && value >= 0 else { throw ServingError(.outOfRange, field: field, reason: "\(value), allowed 0 or more") }
    }
  }
}

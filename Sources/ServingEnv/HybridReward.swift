import ExactMath

/// The reward of routing: levels of throughput and latency, their changes, balance between replicas and a soft latency limit.
///
///     absolute = thr / target - alpha lat / L                         L: latency threshold
///     delta    = beta rel(thr) - deltaLatencyWeight rel(lat)          rel(x) = clamp((x - E_x) / max(E_x, 1e-6), -1...1)
///     imb      = std(load) / (mean(load) + 1)                         load: waiting + resident requests of a replica
///     logistic = kappa / (1 + exp(-(lat - L) / sigma))
///     raw      = absoluteWeight absolute + deltaWeight delta - loadBalancePenalty imb - logistic
///     reward   = soft(raw / 1.2)                                      soft: identity up to 4, logarithmic beyond
///
/// thr and lat are those of the metrics window, at least 0.01. While no request has completed in the window they are carried on, and the reward is
/// stale: its changes are 0 and the averages E stand still. Before the first completion of an episode thr is the decision rate and lat a
/// guess below the threshold.
public struct HybridReward: Sendable {
  /// Terms of one reward.
  public struct Components: Equatable, Sendable {
    /// Weighted sum of the terms.
    public var raw = 0.0
    /// What the policy gets.
    public var reward = 0.0
    /// Requests per second.
    public var throughput = 0.0
    /// Seconds.
    public var latency = 0.0
    /// Level term.
    public var absolute = 0.0
    /// Change term.
    public var delta = 0.0
    /// Imbalance of loads, 0 to sqrt(R - 1).
    public var imbalance = 0.0
    /// Latency penalty, 0 to kappa.
    public var logistic = 0.0
    /// Throughput and latency are carried on, not measured.
    public var isStale = false
  }

  /// Scale of `raw` before compression.
  static let scale = 1.2
  /// Size from which rewards are compressed.
  static let knee = 4.0
  /// Least throughput and latency.
  static let floor = 0.01

  let configuration: RewardConfiguration
  /// Throughput that counts as 1.
  let target: Double
  /// E, averages of throughput and latency; nil before the first completion.
  var averages: (throughput: Double, latency: Double)?
  /// The last measured throughput and latency.
  private var last: (throughput: Double, latency: Double)?

  init(_ configuration: RewardConfiguration, target: Double) {
    self.configuration = configuration
    self.target = target
  }

  mutating func reset() {
    averages = nil
    last = nil
  }

  /// The reward of the step that led to the decision of `metrics`.
  ///
  /// - Parameters:
  ///   - imbalance: `imbalance(of:)` at that decision.
  ///   - steps: decisions made so far, this step included.
  mutating func evaluate(_ metrics: ClusterMetrics, imbalance: Double, steps: Int) -> Components {
    var terms = Components()
    terms.isStale = metrics.completions == 0
    terms.imbalance = imbalance
    if !terms.isStale {
      terms.throughput = max(metrics.throughput, Self.floor)
      terms.latency = max(metrics.latency, Self.floor)
      last = (terms.throughput, terms.latency)
    } else if let last {
      (terms.throughput, terms.latency) = last
    } else {
      terms.throughput = max(Double(steps) / max(metrics.time, 1), 0.1)
      terms.latency = max(0.5, 0.3 * configuration.latencyThreshold)
    }
    let c = configuration
    terms.absolute = terms.throughput / target - c.alpha * terms.latency / c.latencyThreshold
    if !terms.isStale { terms.delta = change(terms) }
    terms.logistic = c.kappa / (1 + ExactMath.exp(-(terms.latency - c.latencyThreshold) / c.sigma))
    terms.raw = c.absoluteWeight * terms.absolute + c.deltaWeight * terms.delta - c.loadBalancePenalty * imbalance - terms.logistic
    terms.reward = Self.compress(terms.raw / Self.scale)
    return terms
  }

  /// The change term against the averages, which then take the new values in.
  private mutating func change(_ terms: Components) -> Double {
    guard let old = averages else {
      averages = (terms.throughput, terms.latency)
      return 0
    }
    func relative(_ value: Double, _ average: Double) -> Double { min(max((value - average) / max(average, 1e-6), -1), 1) }
    let delta =
      configuration.beta * relative(terms.throughput, old.throughput)
      - configuration.deltaLatencyWeight * relative(terms.latency, old.latency)
    let weight = configuration.emaAlpha
    averages = (
      (1 - weight) * old.throughput + weight * terms.throughput, (1 - weight) * old.latency + weight * terms.latency
    )
    return delta
  }

  /// std(load) / (mean(load) + 1), population deviation.
  static func imbalance(of loads: Span<Double>) -> Double {
    var sum = 0.0
    for index in loads.indices { sum += loads[index] }
    let mean = sum / Double(loads.count)
    var squares = 0.0
    for index in loads.indices { squares += (loads[index] - mean) * (loads[index] - mean) }
    return (squares / Double(loads.count)).squareRoot() / (mean + 1)
  }

  /// Identity up to the knee, then sign(x) (knee + ln(1 + |x| - knee)): continuous, slope 1 at the knee.
  static func compress(_ x: Double) -> Double {
    let size = abs(x)
    if size <= knee { return x }
    let compressed = knee + ExactMath.log1p(size - knee)
    return x < 0 ? -compressed : compressed
  }
}

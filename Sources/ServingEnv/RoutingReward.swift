import ExactMath

/// The reward of routing, evaluated at the decision that follows.
///
/// Modes that look at the cluster over the metrics window (thr: completions per second, lat: mean end-to-end time, both at least 0.01):
///
///     absolute = thr / target - alpha lat / L                         L: latency threshold
///     delta    = beta rel(thr) - deltaLatencyWeight rel(lat)          rel(x) = clamp((x - E_x) / max(E_x, 1e-6), -1...1)
///     imb      = std(load) / (mean(load) + 1)                         load: waiting + resident requests of a replica
///     spread   = max(utilization) - min(utilization)                  of KV blocks, over replicas
///     logistic = kappa / (1 + exp(-(lat - L) / sigma))
///     excess   = latencyPenaltyScale (1 - exp(-(lat - L)))            above L, otherwise 0
///
///     hybrid   = soft((absoluteWeight absolute + deltaWeight delta - loadBalancePenalty imb - logistic + bonus) / 1.2)
///     instant  = soft(thr  - latencyWeight lat  - balanceWeight spread - loadBalancePenalty imb - excess + bonus)
///     delta    = soft(dThr - latencyWeight dLat - balanceWeight spread - loadBalancePenalty imb - excess + bonus)    d: since the last measured
///
/// soft is the identity up to 4 and logarithmic beyond. While no request has completed in the window thr and lat are carried on, and the reward is
/// stale: its changes are 0 and the averages E stand still. Before the first completion of an episode thr is the decision rate and lat a guess below
/// the threshold.
///
/// The modes of the objective (`completion`, `accrual`) are minus its cost, see `ObjectiveMeter`.
public struct RoutingReward: Sendable {
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
    /// Level term of the hybrid mode.
    public var absolute = 0.0
    /// Change term: of the hybrid mode relative to averages, of the delta mode absolute.
    public var delta = 0.0
    /// Imbalance of loads, 0 to sqrt(R - 1).
    public var imbalance = 0.0
    /// Latency penalty of the hybrid mode, 0 to kappa.
    public var logistic = 0.0
    /// Latency penalty of the instant and delta modes, 0 to `latencyPenaltyScale`.
    public var excess = 0.0
    /// Bonuses, 0 unless switched on.
    public var bonus = 0.0
    /// What the step cost by the objective, in mean requests of lor_full; 0 unless something asks for the objective.
    public var cost = 0.0
    /// Throughput and latency are carried on, not measured.
    public var isStale = false
  }

  /// Scale of `raw` before compression in the hybrid mode.
  static let hybridScale = 1.2
  /// Size from which rewards are compressed.
  static let knee = 4.0
  /// Least throughput and latency.
  static let floor = 0.01
  /// Latencies that the progressive bonus compares with.
  static let progressEntries = 5

  var configuration: RewardConfiguration
  /// Throughput that counts as 1.
  var target: Double
  /// E, averages of throughput and latency; nil before the first completion.
  var averages: (throughput: Double, latency: Double)?
  /// The last measured throughput and latency.
  private var last: (throughput: Double, latency: Double)?
  /// The last measured latencies, oldest first.
  private var recentLatencies: [Double] = []

  init(_ configuration: RewardConfiguration, target: Double) {
    self.configuration = configuration
    self.target = target
  }

  mutating func reset() {
    averages = nil
    last = nil
    recentLatencies.removeAll(keepingCapacity: true)
  }

  /// The reward of the step that led to the decision of `metrics`.
  ///
  /// - Parameters:
  ///   - balance: loads at that decision.
  ///   - steps: decisions made so far, this step included.
  ///   - cost: what the step cost by the objective.
  mutating func evaluate(_ metrics: ClusterMetrics, balance: LoadBalance, steps: Int, cost: Double = 0) -> Components {
    var terms = Components()
    terms.isStale = metrics.completions == 0
    terms.imbalance = balance.imbalance
    terms.cost = cost
    let previous = last
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
    switch c.mode {
    case .hybrid:
      terms.absolute = terms.throughput / target - c.alpha * terms.latency / c.latencyThreshold
      if !terms.isStale { terms.delta = relativeChange(terms) }
      terms.logistic = c.kappa / (1 + ExactMath.exp(-(terms.latency - c.latencyThreshold) / c.sigma))
      terms.bonus = bonus(terms)
      terms.raw = c.absoluteWeight * terms.absolute + c.deltaWeight * terms.delta - c.loadBalancePenalty * terms.imbalance - terms.logistic
      if terms.bonus != 0 { terms.raw += terms.bonus }
      terms.reward = Self.compress(terms.raw / Self.hybridScale)
    case .instant, .delta:
      if terms.latency > c.latencyThreshold {
        terms.excess = -c.latencyPenaltyScale * ExactMath.expm1(-(terms.latency - c.latencyThreshold))
      }
      var level = terms.throughput - c.latencyWeight * terms.latency
      if c.mode == .delta {
        if !terms.isStale, let previous {
          terms.delta = (terms.throughput - previous.throughput) - c.latencyWeight * (terms.latency - previous.latency)
        }
        level = terms.delta
      }
      terms.bonus = bonus(terms)
      terms.raw =
        level - c.balanceWeight * balance.utilizationSpread - c.loadBalancePenalty * terms.imbalance - terms.excess + terms.bonus
      terms.reward = Self.compress(terms.raw)
    case .completion, .accrual:
      terms.raw = -cost
      terms.reward = -cost
    }
    return terms
  }

  /// The relative change against the averages, which then take the new values in.
  private mutating func relativeChange(_ terms: Components) -> Double {
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

  /// latency bonus: scale (1 - lat / (fraction L)) below fraction L. Progress: relative distance below or above the mean of the last five measured
  /// latencies, at most 1, with a weight for each side. Both are 0 while stale.
  private mutating func bonus(_ terms: Components) -> Double {
    let c = configuration
    guard c.latencyBonusScale > 0 || c.progressImprovementWeight > 0 || c.progressDegradationWeight > 0, !terms.isStale else { return 0 }
    var sum = 0.0
    let limit = c.latencyBonusFraction * c.latencyThreshold
    if terms.latency < limit { sum += c.latencyBonusScale * (1 - terms.latency / limit) }
    if !recentLatencies.isEmpty {
      let mean = recentLatencies.reduce(0, +) / Double(recentLatencies.count)
      let relative = min(max((mean - terms.latency) / max(mean, 1e-6), -1), 1)
      sum += (relative > 0 ? c.progressImprovementWeight : c.progressDegradationWeight) * relative
    }
    recentLatencies.append(terms.latency)
    if recentLatencies.count > Self.progressEntries { recentLatencies.removeFirst() }
    return sum
  }

  /// Identity up to the knee, then sign(x) (knee + ln(1 + |x| - knee)): continuous, slope 1 at the knee.
  static func compress(_ x: Double) -> Double {
    let size = abs(x)
    if size <= knee { return x }
    let compressed = knee + ExactMath.log1p(size - knee)
    return x < 0 ? -compressed : compressed
  }
}

/// How evenly a cluster is loaded.
struct LoadBalance: Equatable, Sendable {
  /// std(load) / (mean(load) + 1), population deviation.
  var imbalance = 0.0
  /// Largest less smallest share of KV blocks in use.
  var utilizationSpread = 0.0

  /// Of outstanding requests and shares of blocks in use, one of each for a replica.
  init(loads: Span<Double>, utilizations: Span<Double>) {
    imbalance = Self.imbalance(of: loads)
    guard !utilizations.isEmpty else { return }
    var (low, high) = (utilizations[0], utilizations[0])
    for index in utilizations.indices {
      low = min(low, utilizations[index])
      high = max(high, utilizations[index])
    }
    utilizationSpread = high - low
  }

  /// Imbalance alone, for tests and tools.
  init(imbalance: Double, utilizationSpread: Double = 0) {
    self.imbalance = imbalance
    self.utilizationSpread = utilizationSpread
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
}

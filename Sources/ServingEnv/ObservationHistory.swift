/// What the temporal features remember. Updated exactly once per decision; reading changes nothing.
///
/// Rings count decisions, not seconds, and contain the present decision. Update: `record` for each replica in ascending order, then `close`.
struct ObservationHistory: Sendable {
  /// Decisions that queue features look back on, the present one included.
  static let queueEntries = 5
  /// Decisions that arrival-rate features look back on.
  static let rateEntries = 10
  /// Weight of the newest utilisation in its average.
  static let loadWeight = 0.3
  /// Weight of the newest arrival rate in its average.
  static let rateWeight = 0.2
  /// Share of the peak that counts as being at the peak.
  static let peakShare = 0.9

  let replicaCount: Int
  /// Decisions recorded.
  private(set) var decisions = 0
  /// Queue lengths, `[queueEntries, R]`; decision k is row k mod `queueEntries`.
  private var queues: [Double]
  /// Decision times, `[queueEntries]`.
  private var times: [Double]
  private var utilizations: [Double]
  private var utilizationDeltas: [Double]
  private var utilizationAverages: [Double]
  /// Arrival rates, `[rateEntries]`.
  private var rates: [Double]
  private(set) var rateAverage = 0.0
  private(set) var routerQueueLength = 0
  private(set) var routerQueueDelta = 0

  init(replicaCount: Int) {
    self.replicaCount = replicaCount
    queues = [Double](repeating: 0, count: Self.queueEntries * replicaCount)
    times = [Double](repeating: 0, count: Self.queueEntries)
    utilizations = [Double](repeating: 0, count: replicaCount)
    utilizationDeltas = utilizations
    utilizationAverages = utilizations
    rates = [Double](repeating: 0, count: Self.rateEntries)
  }

  /// Forgets everything; entries behind `decisions` are never read.
  mutating func reset() {
    decisions = 0
    rateAverage = 0
    routerQueueLength = 0
    routerQueueDelta = 0
  }

  // MARK: Update

  /// The present state of one replica.
  mutating func record(replica: Int, queueLength: Int, utilization: Double) {
    queues[(decisions % Self.queueEntries) * replicaCount + replica] = Double(queueLength)
    if decisions == 0 {
      utilizationDeltas[replica] = 0
      utilizationAverages[replica] = utilization
    } else {
      utilizationDeltas[replica] = utilization - utilizations[replica]
      utilizationAverages[replica] = Self.loadWeight * utilization + (1 - Self.loadWeight) * utilizationAverages[replica]
    }
    utilizations[replica] = utilization
  }

  /// The present state of the cluster; completes the decision.
  mutating func close(time: Double, arrivalRate: Double, routerQueueLength: Int) {
    times[decisions % Self.queueEntries] = time
    rates[decisions % Self.rateEntries] = arrivalRate
    rateAverage = decisions == 0 ? arrivalRate : Self.rateWeight * arrivalRate + (1 - Self.rateWeight) * rateAverage
    routerQueueDelta = decisions == 0 ? 0 : routerQueueLength - self.routerQueueLength
    self.routerQueueLength = routerQueueLength
    decisions += 1
  }

  // MARK: Reading

  /// Derived values of one replica.
  struct ReplicaTrend: Equatable, Sendable {
    var queueDelta = 0.0
    var utilizationDelta = 0.0
    var utilizationAverage = 0.0
    /// Least-squares slope of the queue length, per decision.
    var queueTrend = 0.0
    /// Population variance of the queue length.
    var queueVariance = 0.0
    var queuePeak = 0.0
    var queueLow = 0.0
    /// Seconds since the queue was last near its peak; 0 if it was always empty.
    var timeSincePeak = 0.0
  }

  /// What the ring says about `replica`.
  func trend(replica: Int) -> ReplicaTrend {
    let count = min(decisions, Self.queueEntries)
    var trend = ReplicaTrend()
    if count == 0 { return trend }
    trend.utilizationDelta = utilizationDeltas[replica]
    trend.utilizationAverage = utilizationAverages[replica]
    let newest = queue(replica, age: 0)
    var peak = newest
    var low = newest
    var sum = 0.0
    for age in 0..<count {
      let value = queue(replica, age: age)
      peak = max(peak, value)
      low = min(low, value)
      sum += value
    }
    trend.queuePeak = peak
    trend.queueLow = low
    if count >= 2 {
      trend.queueDelta = newest - queue(replica, age: 1)
      let mean = sum / Double(count)
      let middle = Double(count - 1) / 2
      var squares = 0.0
      var covariance = 0.0
      for age in 0..<count {
        let deviation = queue(replica, age: age) - mean
        squares += deviation * deviation
        covariance += (middle - Double(age)) * deviation
      }
      trend.queueVariance = squares / Double(count)
      trend.queueTrend = covariance / Self.indexSquares(count)
    }
    if peak > 0 {
      for age in 0..<count where queue(replica, age: age) >= Self.peakShare * peak {
        trend.timeSincePeak = times[(decisions - 1) % Self.queueEntries] - times[(decisions - 1 - age) % Self.queueEntries]
        break
      }
    }
    return trend
  }

  /// 1 / (1 + coefficient of variation) of the present queue lengths; 1 for empty queues or a single replica.
  var loadBalance: Double {
    if decisions == 0 || replicaCount < 2 { return 1 }
    var sum = 0.0
    for replica in 0..<replicaCount { sum += queue(replica, age: 0) }
    if sum == 0 { return 1 }
    let mean = sum / Double(replicaCount)
    var squares = 0.0
    for replica in 0..<replicaCount {
      let deviation = queue(replica, age: 0) - mean
      squares += deviation * deviation
    }
    return 1 / (1 + (squares / Double(replicaCount)).squareRoot() / mean)
  }

  /// Least-squares slope of the last three arrival rates, per decision; 0 before the third.
  var rateTrend: Double {
    decisions < 3 ? 0 : (rate(age: 0) - rate(age: 2)) / 2
  }

  /// Population variance of the remembered arrival rates; 0 before the second.
  var rateVariance: Double {
    let count = min(decisions, Self.rateEntries)
    if count < 2 { return 0 }
    var sum = 0.0
    for age in 0..<count { sum += rate(age: age) }
    let mean = sum / Double(count)
    var squares = 0.0
    for age in 0..<count {
      let deviation = rate(age: age) - mean
      squares += deviation * deviation
    }
    return squares / Double(count)
  }

  /// Queue length `age` decisions ago.
  private func queue(_ replica: Int, age: Int) -> Double {
    queues[((decisions - 1 - age) % Self.queueEntries) * replicaCount + replica]
  }

  private func rate(age: Int) -> Double { rates[(decisions - 1 - age) % Self.rateEntries] }

  /// Sum of squared deviations of 0..<count from their mean: count (count^2 - 1) / 12.
  private static func indexSquares(_ count: Int) -> Double { Double(count * (count * count - 1)) / 12 }
}

/// How the arrival rate changes over time: a piecewise constant factor on the mean rate, repeated or not.
///
/// Arrivals are drawn for a rate of one factor throughout and their times are then mapped through the inverse of the accumulated factor, so
/// every kind of interval (Poisson, gamma, a recorded trace) speeds up and slows down in the same way, and a Poisson process stays one.
public struct RateProfile: Equatable, Sendable {
  /// From `atSeconds` on the rate is `factor` times the mean rate.
  public struct Step: Equatable, Sendable {
    /// Begin, seconds.
    public var atSeconds: Double
    /// Factor, 0 or more.
    public var factor: Double

    /// A step of the schedule.
    public init(atSeconds: Double, factor: Double) {
      self.atSeconds = atSeconds
      self.factor = factor
    }
  }

  /// A time of more (or fewer) arrivals on top of the steps.
  public struct Burst: Equatable, Sendable {
    /// Begin, seconds.
    public var atSeconds: Double
    /// Length, seconds.
    public var durationSeconds: Double
    /// Factor on the rate at that time, 0 or more.
    public var factor: Double

    /// A burst.
    public init(atSeconds: Double, durationSeconds: Double, factor: Double) {
      self.atSeconds = atSeconds
      self.durationSeconds = durationSeconds
      self.factor = factor
    }
  }

  /// Times at which the factor changes, ascending, the first one 0.
  private var times: [Double]
  /// Factor from `times[i]` on.
  private var factors: [Double]
  /// Accumulated factor at `times[i]`.
  private var accumulated: [Double]
  /// Seconds after which everything repeats; nil: the last factor stays.
  private let period: Double?
  /// Accumulated factor of one period.
  private let accumulatedPeriod: Double

  /// The product of schedule and bursts; before the first step the factor is 1.
  ///
  /// - Throws: `ServingError` for a time or factor outside its range, times that do not ascend, and profiles under which arrivals would stop for good.
  public init(steps: [Step] = [], bursts: [Burst] = [], periodSeconds: Double? = nil) throws(ServingError) {
    try Self.validate(steps, bursts, periodSeconds)
    let marks = [0] + steps.map(\.atSeconds) + bursts.flatMap { [$0.atSeconds, $0.atSeconds + $0.durationSeconds] }
    var times: [Double] = []
    for time in marks.sorted() where times.last != time && time < periodSeconds ?? .infinity { times.append(time) }
    let factors = times.map { time in
      var factor = steps.last { $0.atSeconds <= time }?.factor ?? 1
      for burst in bursts where burst.atSeconds <= time && time < burst.atSeconds + burst.durationSeconds { factor *= burst.factor }
      return factor
    }
    var accumulated: [Double] = [0]
    for index in times.indices.dropFirst() {
      accumulated.append(accumulated[index - 1] + factors[index - 1] * (times[index] - times[index - 1]))
    }
    let last = times.count - 1
    accumulatedPeriod = periodSeconds.map { accumulated[last] + factors[last] * ($0 - times[last]) } ?? .infinity
    guard periodSeconds == nil ? factors[last] > 0 : accumulatedPeriod > 0 else {
      throw ServingError(.inconsistent, field: "rateProfile", reason: "the rate is 0 for good, so arrivals would end")
    }
    self.times = times
    self.factors = factors
    self.accumulated = accumulated
    period = periodSeconds
  }

  /// Mean factor over a period; nil if nothing repeats.
  public var meanFactor: Double? { period.map { accumulatedPeriod / $0 } }

  /// Factor at `time`.
  public func factor(at time: Double) -> Double {
    let local = period.map { time - (time / $0).rounded(.down) * $0 } ?? time
    return factors[segment(of: max(local, 0), in: times)]
  }

  /// The earliest time at which the accumulated factor is `amount`; nondecreasing in `amount`.
  public func time(atAccumulated amount: Double) -> Double {
    var rest = amount
    var base = 0.0
    if let period {
      let laps = (amount / accumulatedPeriod).rounded(.down)
      base = laps * period
      rest = max(0, amount - laps * accumulatedPeriod)
    }
    var index = segment(of: rest, in: accumulated)
    // Of several equal sums the last begin counts; where the rate is 0 there, time stands at the end of the pause.
    while factors[index] == 0 && index + 1 < times.count { index += 1 }
    if factors[index] == 0 { return base + (period ?? 0) }
    let time = times[index] + max(0, rest - accumulated[index]) / factors[index]
    return base + min(time, period ?? .infinity)
  }

  /// The last index whose value is at most `value`.
  private func segment(of value: Double, in ascending: [Double]) -> Int {
    var low = 0
    var high = ascending.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if ascending[middle] <= value { low = middle } else { high = middle }
    }
    return low
  }

  private static func validate(_ steps: [Step], _ bursts: [Burst], _ period: Double?) throws(ServingError) {
    func check(_ condition: Bool, _ field: String, _ reason: String) throws(ServingError) {
      if !condition { throw ServingError(.outOfRange, field: field, reason: reason) }
    }
    let times = 0.0...1e12
    let rates = 0.0...1e6
    for (index, step) in steps.enumerated() {
      try check(times.contains(step.atSeconds), "rateProfile.steps[\(index)]", "\(step.atSeconds) s, allowed \(times)")
      try check(rates.contains(step.factor), "rateProfile.steps[\(index)]", "factor \(step.factor), allowed \(rates)")
      if index > 0 {
        try check(
          steps[index - 1].atSeconds < step.atSeconds, "rateProfile.steps[\(index)]", "\(step.atSeconds) s is not after the step before")
      }
    }
    for (index, burst) in bursts.enumerated() {
      try check(times.contains(burst.atSeconds), "rateProfile.bursts[\(index)]", "\(burst.atSeconds) s, allowed \(times)")
      try check(
        burst.durationSeconds > 0 && times.contains(burst.durationSeconds), "rateProfile.bursts[\(index)]",
        "\(burst.durationSeconds) s long, allowed above 0 to 1e12")
      try check(rates.contains(burst.factor), "rateProfile.bursts[\(index)]", "factor \(burst.factor), allowed \(rates)")
    }
    if let period {
      try check(period >= 1e-3 && times.contains(period), "rateProfile.period", "\(period) s, allowed 0.001...1e12")
    }
  }
}

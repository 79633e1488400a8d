/// Bounds and weights of a temperature controller.
public struct TemperatureConfiguration: Sendable, Equatable {
  /// Short raises of the temperature while nothing changes.
  public struct Pulses: Sendable, Equatable {
    /// Fewest decisions from one pulse's begin to the next's.
    public var interval: Int
    /// Height over the base temperature.
    public var magnitude: Double
    /// Decisions.
    public var duration: Int
    /// Changes that all stay below this are a standstill.
    public var stagnationThreshold: Double
    /// Changes that are looked back on.
    public var stagnationMemory: Int

    /// The defaults of rl-core section 8.
    public init(
      interval: Int = 512, magnitude: Double = 0.5, duration: Int = 5, stagnationThreshold: Double = 0.005, stagnationMemory: Int = 64
    ) {
      precondition(interval >= 1 && duration >= 1 && stagnationMemory >= 1, "pulses need lengths")
      self.interval = interval
      self.magnitude = magnitude
      self.duration = duration
      self.stagnationThreshold = stagnationThreshold
      self.stagnationMemory = stagnationMemory
    }
  }

  /// Temperature without pressure on a balanced cluster.
  public var base: Double
  /// Lower bound.
  public var minimum: Double
  /// Upper bound, doubled during a pulse.
  public var maximum: Double
  /// Weight of arrivals beyond their target.
  public var rateSensitivity: Double
  /// Weight of latency beyond its target.
  public var latencySensitivity: Double
  /// a of both moving averages.
  public var smoothing: Double
  /// Nil without pulses.
  public var pulses: Pulses?

  /// The defaults of rl-core section 8.
  public init(
    base: Double = 1, minimum: Double = 0.7, maximum: Double = 1.5, rateSensitivity: Double = 0.1, latencySensitivity: Double = 0.2,
    smoothing: Double = 0.1, pulses: Pulses? = nil
  ) {
    precondition(minimum > 0 && minimum <= maximum, "temperatures must be positive and in order")
    self.base = base
    self.minimum = minimum
    self.maximum = maximum
    self.rateSensitivity = rateSensitivity
    self.latencySensitivity = latencySensitivity
    self.smoothing = smoothing
    self.pulses = pulses
  }
}

/// What a controller remembers of one environment. All 0 at a chunk's start.
public struct TemperatureState: Sendable, Equatable {
  /// Decisions.
  public var stepCount = 0
  /// Decision at which the last pulse began; 0 before the first.
  public var lastPulseStep = 0
  /// Whether a pulse has decisions left.
  public var isPulsing = false
  /// How many.
  public var pulseRemaining = 0
  /// Moving average of arrivals beyond their target, relative.
  public var ratePressure = 0.0
  /// Moving average of latency beyond its target, relative.
  public var latencyPressure = 0.0
  /// Of the last decision.
  public var temperature = 0.0
  /// Last changes of throughput and latency, oldest first; kept with pulses only.
  public var changes: [Double] = []

  /// Nothing remembered.
  public init() {}
}

/// What the controller reacts to at one decision.
public struct TemperatureInputs: Sendable, Equatable {
  /// Arrivals per second.
  public var arrivalRate: Double
  /// What `arrivalRate` should be; 0 gives no pressure.
  public var targetRate: Double
  /// Seconds from arrival to completion.
  public var latency: Double
  /// What `latency` should be; 0 gives no pressure.
  public var targetLatency: Double
  /// 1: all replicas alike, 0: not at all.
  public var balance: Double
  /// |change of throughput| + |change of latency| since the decision before.
  public var change: Double

  /// All of them.
  public init(arrivalRate: Double, targetRate: Double, latency: Double, targetLatency: Double, balance: Double, change: Double) {
    self.arrivalRate = arrivalRate
    self.targetRate = targetRate
    self.latency = latency
    self.targetLatency = targetLatency
    self.balance = balance
    self.change = change
  }
}

/// The temperature at which actions of one environment are drawn (rl-core section 8). It is recorded with each transition, and the update
/// divides by the same one, so that the ratio means what it says. Evaluation uses temperature 1.
///
///     Eq = (1 - a) Eq + a (rate - target) / target          El = (1 - a) El + a max(0, (latency - target) / target)
///     T  = base - s_q Eq - s_l El + 0.1 (1 - balance) (+ magnitude base during a pulse)
///
/// clamped to [minimum, maximum], during a pulse to [minimum, 2 maximum]. A pulse begins when the last one began `interval` decisions ago and
/// throughput and latency have stood still for `stagnationMemory` decisions.
public struct TemperatureController: Sendable, Equatable {
  /// Bounds and weights.
  public let configuration: TemperatureConfiguration
  /// Memory.
  public var state = TemperatureState()

  /// Remembers nothing.
  public init(_ configuration: TemperatureConfiguration) { self.configuration = configuration }

  /// Largest change that is remembered: below the threshold nothing moves.
  public var stagnationLevel: Double { state.changes.max() ?? 0 }

  /// The temperature of the next decision.
  public mutating func next(_ inputs: TemperatureInputs) -> Float {
    let c = configuration
    let rate = inputs.targetRate > 0 ? (inputs.arrivalRate - inputs.targetRate) / inputs.targetRate : 0
    let latency = inputs.targetLatency > 0 ? max(0, (inputs.latency - inputs.targetLatency) / inputs.targetLatency) : 0
    state.ratePressure = (1 - c.smoothing) * state.ratePressure + c.smoothing * rate
    state.latencyPressure = (1 - c.smoothing) * state.latencyPressure + c.smoothing * latency
    let shift = -c.rateSensitivity * state.ratePressure - c.latencySensitivity * state.latencyPressure + 0.1 * (1 - inputs.balance)
    state.stepCount += 1
    let boost = c.pulses.map { pulse($0, change: inputs.change) } ?? nil
    let raw = c.base + shift + (boost ?? 0)
    state.temperature = min(max(raw, c.minimum), boost == nil ? c.maximum : 2 * c.maximum)
    return Float(state.temperature)
  }

  /// Moves the pulse on by one decision; its height, nil outside of one.
  private mutating func pulse(_ pulses: TemperatureConfiguration.Pulses, change: Double) -> Double? {
    state.changes.append(change)
    if state.changes.count > pulses.stagnationMemory { state.changes.removeFirst() }
    let standsStill = state.changes.count == pulses.stagnationMemory && stagnationLevel < pulses.stagnationThreshold
    if !state.isPulsing, standsStill, state.stepCount - state.lastPulseStep >= pulses.interval {
      state.isPulsing = true
      state.pulseRemaining = pulses.duration
      state.lastPulseStep = state.stepCount
    }
    guard state.isPulsing else { return nil }
    state.pulseRemaining -= 1
    if state.pulseRemaining <= 0 { state.isPulsing = false }
    return pulses.magnitude * configuration.base
  }
}

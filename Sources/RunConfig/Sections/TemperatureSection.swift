/// The temperature at which actions are drawn.
public struct TemperatureSection: Equatable, Sendable {
  /// Whether a controller sets it.
  public var enabled = false
  /// Without pressure.
  public var base = 1.0
  /// Lower bound.
  public var min = 0.7
  /// Upper bound.
  public var max = 1.5
  /// Weight of arrivals beyond the configured rate.
  public var qpsSensitivity = 0.1
  /// Weight of latency beyond its threshold.
  public var latencySensitivity = 0.2
  /// Of both moving averages.
  public var pressureEmaAlpha = 0.1
  /// Whether it is raised while nothing changes.
  public var pulses = false
  /// Decisions between pulses.
  public var pulseInterval = 512
  /// Height over the base.
  public var pulseMagnitude = 0.5
  /// Decisions of a pulse.
  public var pulseDuration = 5
  /// Changes below this are a standstill.
  public var stagnationThreshold = 0.005
  /// Changes that are looked back on.
  public var stagnationMemory = 64

  static let fields: [Field] = [
    .boolean(
      "temperature.enabled", \.temperature.enabled, .frozen,
      "Lets load, latency and balance of each cluster move the temperature at which its actions are drawn; false draws at 1."),
    .real("temperature.base", \.temperature.base, .above(0, 100), .changeable, "Temperature of a balanced cluster without pressure."),
    .real("temperature.min", \.temperature.min, .above(0, 100), .changeable, "Lower bound."),
    .real("temperature.max", \.temperature.max, .above(0, 100), .changeable, "Upper bound, doubled during a pulse."),
    .real(
      "temperature.qps_sensitivity", \.temperature.qpsSensitivity, .closed(0, 100), .changeable,
      "How much arrivals beyond the configured rate lower it."),
    .real(
      "temperature.latency_sensitivity", \.temperature.latencySensitivity, .closed(0, 100), .changeable,
      "How much latency beyond reward.latency_threshold lowers it."),
    .real(
      "temperature.pressure_ema_alpha", \.temperature.pressureEmaAlpha, .above(0, 1), .changeable,
      "Weight of the newest decision in both moving averages."),
    .boolean(
      "temperature.pulses", \.temperature.pulses, .frozen, "Raises it for some decisions while throughput and latency stand still."),
    .integer(
      "temperature.pulse_interval", \.temperature.pulseInterval, 1...1_000_000_000, unit: "decisions", .changeable,
      "Decisions from the begin of one pulse to the next one's at least."),
    .real(
      "temperature.pulse_magnitude", \.temperature.pulseMagnitude, .closed(0, 100), .changeable,
      "Height of a pulse over the base, times it."),
    .integer(
      "temperature.pulse_duration", \.temperature.pulseDuration, 1...1_000_000, unit: "decisions", .changeable, "Length of a pulse."),
    .real(
      "temperature.stagnation_threshold", \.temperature.stagnationThreshold, .closed(0, 1e6), .changeable,
      "Sum of the changes of throughput (1/s) and latency (s) below which a decision counts as standstill."),
    .integer(
      "temperature.stagnation_memory", \.temperature.stagnationMemory, 1...4096, unit: "decisions", .frozen,
      "Decisions in a row that must stand still before a pulse."),
  ]
}

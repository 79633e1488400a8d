/// What is watched and reported, without any effect on the training.
public struct MonitorSection: Equatable, Sendable {
  /// Completed requests in the latency percentiles; 0 = off.
  public var tailLatencyWindow = 1000
  /// P99 above which an alert is given.
  public var tailLatencyThreshold = 5.0
  /// Simulated time between alerts.
  public var tailLatencyCooldownSeconds = 30.0
  /// Whether a collapsing policy is warned of.
  public var collapseWarnings = true

  static let fields: [Field] = [
    .integer(
      "monitor.tail_latency_window", \.monitor.tailLatencyWindow, 0...100_000, unit: "requests", .changeable,
      "Newest completed requests that the percentiles of end-to-end time are taken over; 0 switches them off."),
    .real(
      "monitor.tail_latency_threshold", \.monitor.tailLatencyThreshold, .above(0, 1e9), unit: "s", .changeable,
      "99th percentile above which the log warns."),
    .real(
      "monitor.tail_latency_cooldown_seconds", \.monitor.tailLatencyCooldownSeconds, .closed(0, 1e9), unit: "s", .changeable,
      "Simulated time from one such warning to the next at least."),
    .boolean(
      "monitor.collapse_warnings", \.monitor.collapseWarnings, .changeable,
      "Warns of a policy that stops choosing, a critic that explains nothing, and values that are not finite."),
  ]
}

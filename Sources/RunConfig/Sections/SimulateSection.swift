/// What `simulate` runs; training has no use for it.
public struct SimulateSection: Equatable, Sendable {
  /// Who routes.
  public var policy = "lor_full"
  /// Requests; 0 = the rows of the trace, what the duration allows, or 2000.
  public var requests = 0
  /// Simulated time during which requests arrive; 0 = no limit.
  public var durationSeconds = 0.0
  /// Simulated time at which the run ends; 0 = when everything is served.
  public var timeLimitSeconds = 0.0

  /// Requests of a workload without a trace when neither `requests` nor a duration is given.
  public static let requestsWithoutTrace = 2000

  static let fields: [Field] = [
    .text(
      "simulate.policy", \.simulate.policy, lengthMax: 4096, .free,
      "Who routes: random, round_robin, lor, lor_full, lot, a checkpoint or run directory (perhaps after ckpt:), or replay:CSV."),
    .integer(
      "simulate.requests", \.simulate.requests, 0...1_000_000_000, unit: "requests", .free,
      "Requests that arrive; 0 takes every row of the trace once, without a trace what duration_seconds allows, or 2000."),
    .real(
      "simulate.duration_seconds", \.simulate.durationSeconds, .closed(0, 1e12), unit: "s", .free,
      "Simulated time during which requests arrive, which are then served to their end; 0 is no limit."),
    .real(
      "simulate.time_limit_seconds", \.simulate.timeLimitSeconds, .closed(0, 1e12), unit: "s", .free,
      "Simulated time at which the run is cut; 0 serves every request to its end."),
  ]
}

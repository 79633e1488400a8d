/// What `simulate` runs; training has no use for it.
public struct SimulateSection: Equatable, Sendable {
  /// Who routes.
  public var policy = "lor_full"
  /// Requests; 0 = the rows of the trace, or 2000.
  public var requests = 0
  /// Simulated time at which the run ends; 0 = when everything is served.
  public var timeLimitSeconds = 0.0

  /// Requests of a workload without a trace when `requests` is 0.
  public static let requestsWithoutTrace = 2000

  static let fields: [Field] = [
    .text(
      "simulate.policy", \.simulate.policy, lengthMax: 4096, .free,
      "Who routes: random, round_robin, lor, lor_full, lot, a checkpoint or run directory (perhaps after ckpt:), or replay:CSV."),
    .integer(
      "simulate.requests", \.simulate.requests, 0...1_000_000_000, unit: "requests", .free,
      "Requests that arrive; 0 takes every row of the trace once, or 2000 without a trace."),
    .real(
      "simulate.time_limit_seconds", \.simulate.timeLimitSeconds, .closed(0, 1e12), unit: "s", .free,
      "Simulated time at which the run is cut; 0 serves every request to its end."),
  ]
}

/// Evaluation of the policy while it is trained: greedy, on held-out requests.
public struct EvaluationSection: Equatable, Sendable {
  /// Decisions between two evaluations.
  public var interval = 0
  /// Held-out workloads.
  public var workloads = 8
  /// Requests of one workload.
  public var requests = 1000
  /// Seed of the workloads.
  public var seed = 1_000_003

  static let fields: [Field] = [
    .integer(
      "evaluation.interval", \.evaluation.interval, 0...1_000_000_000_000, unit: "decisions", .frozen,
      "The policy is evaluated when the step count crosses a multiple of this, and at every chunk end; 0 evaluates never."),
    .integer(
      "evaluation.workloads", \.evaluation.workloads, 1...4096, unit: "workloads", .frozen,
      "Held-out workloads of one evaluation, shared out over the ranks."),
    .integer("evaluation.requests", \.evaluation.requests, 1...10_000_000, unit: "requests", .frozen, "Requests of one held-out workload."),
    .integer(
      "evaluation.seed", \.evaluation.seed, 0...Int.max, .frozen,
      "Seed of the held-out workloads, which no training draws from, and of the window that each of them replays of a trace."),
  ]
}

import Telemetry

/// How an iteration ended on every rank alike.
enum IterationResult: Equatable {
  /// The boundary moved on.
  case advanced
  /// Some rank was asked to stop; the unfinished iteration is discarded.
  case stopped(StopReason)
}

/// What rank 0 writes about one finished iteration.
struct IterationReport {
  /// Line of `metrics/rollouts.jsonl`.
  var rollout = MetricRecord()
  /// Line of `metrics/updates.jsonl`, nil after a stabilising iteration.
  var update: MetricRecord?
  /// Line of `metrics/evaluations.jsonl`, nil if none was due.
  var evaluation: MetricRecord?
  /// Sums of the environment's counted fields over the episodes that ended.
  var counts: [(name: String, sum: Int)] = []
  /// Lines of `metrics/episodes.jsonl`.
  var episodes: [MetricRecord] = []
  /// Lines for the log about what looks wrong.
  var warnings: [String] = []
  /// Step after the iteration.
  var step = 0
  /// Decisions of all environments.
  var decisions = 0
  /// Mean raw reward of a decision, for the progress line.
  var rewardMean = 0.0
  /// Entropy of the policy, nil after a stabilising iteration.
  var entropy: Double?
}

/// Where requests come from.
public enum WorkloadKind: String, CaseIterable, Sendable {
  /// Built-in lengths like those of conversations.
  case conversation
  /// Equal lengths.
  case fixed
  /// Uniformly distributed lengths.
  case uniform
  /// Rows of a file.
  case trace
}

/// What happens to a request longer than `cluster.max_tokens`.
public enum OverLimitRule: String, CaseIterable, Sendable {
  /// It is shortened to the limit.
  case clamp
  /// It is turned away, without a decision.
  case reject
}

/// The requests that arrive.
public struct WorkloadSection: Equatable, Sendable {
  /// Source of lengths and arrival times.
  public var kind = WorkloadKind.conversation
  /// Mean arrival rate; 0 = the trace's own.
  public var qps = 0.0
  /// Path of the trace file.
  public var trace = ""
  /// Start of the window of the trace.
  public var fromSeconds = 0.0
  /// End of the window of the trace; 0 = its end.
  public var toSeconds = 0.0
  /// Prompt length (fixed).
  public var fixedPrefillTokens = 2048
  /// Output length (fixed).
  public var fixedDecodeTokens = 512
  /// Shortest request, prompt and output together (uniform).
  public var uniformMinTokens = 1024
  /// Longest request (uniform).
  public var uniformMaxTokens = 4096
  /// Prompt tokens per output token (uniform).
  public var uniformPrefillToDecodeRatio = 20.0
  /// What happens to requests over the limit.
  public var overLimit = OverLimitRule.clamp

  /// Requests per second of a workload without a trace when `qps` is 0: about 60 % of what four default replicas can serve.
  public static let syntheticRate = 12.0

  static let fields: [Field] = [
    .choice(
      "workload.kind", \.workload.kind, .frozen,
      "Where requests come from: built-in conversation lengths, equal lengths, uniform lengths, or a trace file."),
    .real(
      "workload.qps", \.workload.qps, .closed(0, 1e6), unit: "requests/s", .frozen,
      "Mean arrival rate of the whole cluster; 0 takes the trace's own rate, or 12 requests/s without a trace."),
    .text(
      "workload.trace", \.workload.trace, lengthMax: 4096, .free,
      "Path of the trace, a CSV file with arrived_at, num_prefill_tokens, num_decode_tokens; its SHA-256 is frozen, the path is not."),
    .real(
      "workload.from_seconds", \.workload.fromSeconds, .closed(0, 1e12), unit: "s", .frozen, "Start of the used part of the trace."),
    .real(
      "workload.to_seconds", \.workload.toSeconds, .closed(0, 1e12), unit: "s", .frozen,
      "End of the part of the trace that is used; 0 is the end of the trace."),
    .integer(
      "workload.fixed_prefill_tokens", \.workload.fixedPrefillTokens, 1...1_048_576, unit: "tokens", .frozen,
      "Prompt length of every request (kind fixed)."),
    .integer(
      "workload.fixed_decode_tokens", \.workload.fixedDecodeTokens, 1...1_048_576, unit: "tokens", .frozen,
      "Output length of every request (kind fixed)."),
    .integer(
      "workload.uniform_min_tokens", \.workload.uniformMinTokens, 2...1_048_576, unit: "tokens", .frozen,
      "Shortest request, prompt and output together (kind uniform)."),
    .integer(
      "workload.uniform_max_tokens", \.workload.uniformMaxTokens, 2...1_048_576, unit: "tokens", .frozen,
      "Longest request, prompt and output together (kind uniform)."),
    .real(
      "workload.uniform_prefill_to_decode_ratio", \.workload.uniformPrefillToDecodeRatio, .above(0, 1e6), .frozen,
      "Prompt tokens per output token (kind uniform)."),
    .choice(
      "workload.over_limit", \.workload.overLimit, .frozen,
      "Whether a request longer than cluster.max_tokens is shortened or turned away."),
  ]
}

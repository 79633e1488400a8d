/// Where requests come from.
public enum WorkloadKind: String, CaseIterable, Sendable {
  /// Built-in lengths like those of conversations.
  case conversation
  /// Equal lengths.
  case fixed
  /// Uniformly distributed lengths.
  case uniform
  /// Zipf-like lengths.
  case zipf
  /// Lengths out of a file, in random order.
  case lengths
  /// A mix of classes.
  case classes
  /// Arrivals and lengths of a file.
  case trace
}

/// Where the lengths of a class come from.
public enum LengthKind: String, CaseIterable, Sendable {
  /// Built-in lengths like those of conversations.
  case conversation
  /// Equal lengths.
  case fixed
  /// Uniformly distributed lengths.
  case uniform
  /// Zipf-like lengths.
  case zipf
  /// Lengths out of `workload.length_trace`.
  case lengths
}

/// Distribution of the time between two arrivals.
public enum IntervalKind: String, CaseIterable, Sendable {
  /// Exponential.
  case poisson
  /// Gamma.
  case gamma
  /// Everything at once.
  case `static`
  /// Arrival times of a file.
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
  /// Distribution of the intervals.
  public var intervals = IntervalKind.poisson
  /// Longest interval in mean intervals (poisson); 0 = none.
  public var intervalCap = 0.0
  /// Coefficient of variation (gamma).
  public var intervalCv = 0.5
  /// Path of the file with arrival times.
  public var intervalTrace = ""
  /// Path of the trace file.
  public var trace = ""
  /// Path of the file with lengths.
  public var lengthTrace = ""
  /// Start of the window of the trace.
  public var fromSeconds = 0.0
  /// End of the window of the trace; 0 = its end.
  public var toSeconds = 0.0
  /// Factor on recorded prompts.
  public var prefillScale = 1.0
  /// Factor on recorded outputs.
  public var decodeScale = 1.0
  /// Factor on recorded times.
  public var timeScale = 1.0
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
  /// Shortest request, prompt and output together (zipf).
  public var zipfMinTokens = 1024
  /// Longest request (zipf).
  public var zipfMaxTokens = 4096
  /// Prompt tokens per output token (zipf).
  public var zipfPrefillToDecodeRatio = 20.0
  /// Skew (zipf).
  public var zipfTheta = 0.6
  /// Whether popular lengths are spread over the range (zipf).
  public var zipfScramble = false
  /// Classes of requests.
  public var classes: [RequestClassRecord] = []
  /// Factors on the rate over time.
  public var rateSchedule: [RateStepRecord] = []
  /// Times of more arrivals.
  public var bursts: [BurstRecord] = []
  /// Seconds after which schedule and bursts repeat; 0 = never.
  public var ratePeriodSeconds = 0.0
  /// What happens to requests over the limit.
  public var overLimit = OverLimitRule.clamp

  /// Requests per second of a workload without a trace when `qps` is 0: about 60 % of what four default replicas can serve.
  public static let syntheticRate = 12.0

  static let fields: [Field] =
    sources + lengths + [
      .records(
        "workload.classes", \.workload.classes, countMax: 64, .frozen,
        "Classes of requests and their shares (kind classes); each request belongs to one, drawn by share."),
      .records(
        "workload.rate_schedule", \.workload.rateSchedule, countMax: 1024, .frozen,
        "Factors on the arrival rate over simulated time, each valid until the next; 1 before the first."),
      .records(
        "workload.bursts", \.workload.bursts, countMax: 1024, .frozen,
        "Times with more (or fewer) arrivals, as factors on top of the schedule."),
      .real(
        "workload.rate_period_seconds", \.workload.ratePeriodSeconds, .closed(0, 1e12), unit: "s", .frozen,
        "Simulated time after which schedule and bursts start over; 0 keeps the last factor for good."),
      .choice(
        "workload.over_limit", \.workload.overLimit, .frozen,
        "Whether a request longer than cluster.max_tokens is shortened or turned away."),
    ]

  private static let sources: [Field] = [
    .choice(
      "workload.kind", \.workload.kind, .frozen,
      "Where requests come from: built-in conversation lengths, equal, uniform or Zipf-like lengths, the lengths of a file, a mix of "
        + "classes, or a trace file with arrivals and lengths."),
    .real(
      "workload.qps", \.workload.qps, .closed(0, 1e6), unit: "requests/s", .frozen,
      "Mean arrival rate of the whole cluster; 0 takes the trace's own rate, or 12 requests/s without a trace."),
    .choice(
      "workload.intervals", \.workload.intervals, .frozen,
      "Time between arrivals of all kinds but trace: exponential, gamma, none (everything at time 0), or those of a file."),
    .real(
      "workload.interval_cap", \.workload.intervalCap, .closed(0, 1e6), unit: "mean intervals", .frozen,
      "Longest interval (intervals poisson), which raises the real rate to qps / (1 - exp(-cap)); 0 is no limit, 3 what the reference "
        + "does."),
    .real(
      "workload.interval_cv", \.workload.intervalCv, .closed(0.001, 100), .frozen,
      "Coefficient of variation of the intervals (intervals gamma); above 1 they are burstier than a Poisson process."),
    .text(
      "workload.interval_trace", \.workload.intervalTrace, lengthMax: 4096, .free,
      "Path of a CSV file with arrived_at or arrival_time, seconds or dates (intervals trace); its SHA-256 is frozen."),
    .text(
      "workload.trace", \.workload.trace, lengthMax: 4096, .free,
      "Path of the trace, a CSV file with arrived_at, num_prefill_tokens, num_decode_tokens; its SHA-256 is frozen, the path is not."),
    .text(
      "workload.length_trace", \.workload.lengthTrace, lengthMax: 4096, .free,
      "Path of a CSV file with num_prefill_tokens, num_decode_tokens (kind or class lengths lengths); its SHA-256 is frozen."),
    .real(
      "workload.from_seconds", \.workload.fromSeconds, .closed(0, 1e12), unit: "s", .frozen,
      "Start of the used part of the trace or interval trace."),
    .real(
      "workload.to_seconds", \.workload.toSeconds, .closed(0, 1e12), unit: "s", .frozen,
      "End of the part of the trace or interval trace that is used; 0 is its end."),
    .real(
      "workload.prefill_scale", \.workload.prefillScale, .closed(1e-6, 1e6), .frozen,
      "Factor on the prompt tokens of a trace or length trace."),
    .real(
      "workload.decode_scale", \.workload.decodeScale, .closed(1e-6, 1e6), .frozen,
      "Factor on the output tokens of a trace or length trace."),
    .real(
      "workload.time_scale", \.workload.timeScale, .closed(1e-6, 1e6), .frozen,
      "Factor on the times of a trace or interval trace; workload.qps sets the rate instead."),
  ]

  private static let lengths: [Field] = [
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
    .integer(
      "workload.zipf_min_tokens", \.workload.zipfMinTokens, 2...1_048_576, unit: "tokens", .frozen,
      "Shortest request, prompt and output together (kind zipf)."),
    .integer(
      "workload.zipf_max_tokens", \.workload.zipfMaxTokens, 2...1_048_576, unit: "tokens", .frozen,
      "Longest request, prompt and output together (kind zipf)."),
    .real(
      "workload.zipf_prefill_to_decode_ratio", \.workload.zipfPrefillToDecodeRatio, .above(0, 1e6), .frozen,
      "Prompt tokens per output token (kind zipf)."),
    .real(
      "workload.zipf_theta", \.workload.zipfTheta, .below(0, 1), .frozen, "Skew of the lengths towards the shortest ones (kind zipf)."),
    .boolean(
      "workload.zipf_scramble", \.workload.zipfScramble, .frozen,
      "Whether frequent lengths are spread over the range instead of being the shortest (kind zipf)."),
  ]
}

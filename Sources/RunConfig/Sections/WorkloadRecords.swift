/// A class of requests in a mixed workload.
public struct RequestClassRecord: ConfigurationRecord {
  /// Weight among the classes.
  public var share: Double?
  /// Source of its lengths.
  public var lengths: LengthKind?
  /// Prompt tokens (fixed).
  public var prefillTokens: Int?
  /// Output tokens (fixed).
  public var decodeTokens: Int?
  /// Shortest request (uniform, zipf).
  public var minTokens: Int?
  /// Longest request (uniform, zipf).
  public var maxTokens: Int?
  /// Prompt tokens per output token (uniform, zipf).
  public var prefillToDecodeRatio: Double?
  /// Skew (zipf).
  public var theta: Double?
  /// Importance.
  public var priority: Double?

  /// A class that says nothing.
  public init() {}

  static let members: [RecordMember<RequestClassRecord>] = [
    .real("share", \.share, .above(0, 1e9), "Weight of the class; shares need not add up to 1."),
    .choice("lengths", \.lengths, "Source of its token counts, as the values of workload.kind."),
    .integer("prefill_tokens", \.prefillTokens, 1...1_048_576, unit: "tokens", absent: "workload.fixed_prefill_tokens", "Prompt (fixed)."),
    .integer("decode_tokens", \.decodeTokens, 1...1_048_576, unit: "tokens", absent: "workload.fixed_decode_tokens", "Output (fixed)."),
    .integer(
      "min_tokens", \.minTokens, 2...1_048_576, unit: "tokens", absent: "workload.uniform_min_tokens or zipf_min_tokens",
      "Shortest prompt and output together (uniform, zipf)."),
    .integer(
      "max_tokens", \.maxTokens, 2...1_048_576, unit: "tokens", absent: "workload.uniform_max_tokens or zipf_max_tokens",
      "Longest prompt and output together (uniform, zipf)."),
    .real(
      "prefill_to_decode_ratio", \.prefillToDecodeRatio, .closed(0, 1e6), absent: "that of workload for the kind",
      "Prompt tokens per output token (uniform, zipf)."),
    .real("theta", \.theta, .below(0, 1), absent: "workload.zipf_theta", "Skew (zipf)."),
    .real("priority", \.priority, .closed(-1e9, 1e9), absent: "0", "Importance of its requests."),
  ]
}

/// A step of the rate schedule.
public struct RateStepRecord: ConfigurationRecord {
  /// Begin.
  public var atSeconds: Double?
  /// Factor on the mean rate.
  public var factor: Double?

  /// A step that says nothing.
  public init() {}

  static let members: [RecordMember<RateStepRecord>] = [
    .real("at_seconds", \.atSeconds, .closed(0, 1e12), unit: "s", "Time from which on the factor holds."),
    .real("factor", \.factor, .closed(0, 1e6), "Factor on workload.qps or on the pace of a trace; 0 is a pause."),
  ]
}

/// A time of more arrivals.
public struct BurstRecord: ConfigurationRecord {
  /// Begin.
  public var atSeconds: Double?
  /// Length.
  public var durationSeconds: Double?
  /// Factor on the rate at that time.
  public var factor: Double?

  /// A burst that says nothing.
  public init() {}

  static let members: [RecordMember<BurstRecord>] = [
    .real("at_seconds", \.atSeconds, .closed(0, 1e12), unit: "s", "Begin of the burst."),
    .real("duration_seconds", \.durationSeconds, .above(0, 1e12), unit: "s", "Length of the burst."),
    .real("factor", \.factor, .closed(0, 1e6), "Factor on the rate that the schedule gives at that time."),
  ]
}

/// Factors on the numbers of a recorded trace.
public struct TraceScale: Equatable, Sendable {
  /// On prompt tokens.
  public var prefill: Double
  /// On output tokens.
  public var decode: Double
  /// On times: 0.5 doubles the rate.
  public var time: Double

  /// Factors; 1 changes nothing.
  public init(prefill: Double = 1, decode: Double = 1, time: Double = 1) {
    self.prefill = prefill
    self.decode = decode
    self.time = time
  }

  /// Scaled, truncated, at least 1.
  func lengths(_ row: TraceRow) -> (prefillTokens: Int, decodeTokens: Int) {
    (Self.scaled(row.prefillTokens, prefill), Self.scaled(row.decodeTokens, decode))
  }

  private static func scaled(_ tokens: Int, _ factor: Double) -> Int {
    factor == 1 ? tokens : max(1, Int(Double(tokens) * factor))
  }

  func validate() throws(ServingError) {
    for (name, value) in [("prefill", prefill), ("decode", decode), ("time", time)] where !(value >= 1e-6 && value <= 1e6) {
      throw ServingError(.outOfRange, field: "scale.\(name)", reason: "\(value), allowed 1e-6...1e6")
    }
  }
}

/// Token counts of a file, whatever its arrival times.
public struct RecordedLengths: Equatable, Sendable {
  /// The file.
  public var trace: Trace
  /// Factors on its counts.
  public var scale: TraceScale

  /// The counts of `trace`.
  public init(trace: Trace, scale: TraceScale = TraceScale()) {
    self.trace = trace
    self.scale = scale
  }

  func lengths(row: Int) -> (prefillTokens: Int, decodeTokens: Int) { scale.lengths(trace.rows[row]) }
}

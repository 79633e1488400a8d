/// One recorded request.
public struct TraceRow: Equatable, Sendable {
  /// Seconds, in the trace's own time.
  public var arrivedAt: Double
  /// Prompt tokens, at least 1.
  public var prefillTokens: Int
  /// Output tokens, at least 1.
  public var decodeTokens: Int
  /// Importance, 0 where the file says nothing.
  public var priority: Double

  /// A row by its values.
  public init(arrivedAt: Double, prefillTokens: Int, decodeTokens: Int, priority: Double = 0) {
    self.arrivedAt = arrivedAt
    self.prefillTokens = prefillTokens
    self.decodeTokens = decodeTokens
    self.priority = priority
  }
}

/// Recorded requests in order of arrival. Rows are checked once, by `parse`.
public struct Trace: Equatable, Sendable {
  /// Name for messages, usually the file's.
  public let name: String
  /// Rows with nondecreasing arrival times, at least one.
  public let rows: [TraceRow]

  init(name: String, rows: [TraceRow]) {
    self.name = name
    self.rows = rows
  }
}

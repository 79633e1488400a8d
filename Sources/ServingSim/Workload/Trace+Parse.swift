extension Trace {
  /// What is taken from a file; the other numbers of its rows are 0 and 1.
  public enum Content: Equatable, Sendable {
    /// Arrival times and token counts.
    case requests
    /// Token counts alone.
    case lengths
    /// Arrival times alone, which may be dates; then they are seconds after the first row.
    case arrivals
  }

  /// Reads CSV text with the columns `arrived_at` (seconds), `num_prefill_tokens`, `num_decode_tokens` and perhaps `priority` in any order; other
  /// columns are ignored.
  ///
  /// Lines end with LF or CRLF, a byte order mark and blank lines at the end are fine. Every other flaw is an error that names its place.
  ///
  /// - Complexity: O(bytes), one pass.
  public static func parse(bytes: [UInt8], name: String, content: Content = .requests) throws(CSVError) -> Trace {
    var rows: [TraceRow] = []
    rows.reserveCapacity(bytes.count / 12)
    switch content {
    case .requests:
      let names = ["arrived_at", "num_prefill_tokens", "num_decode_tokens"]
      try CSVReader.readRows(bytes, file: name, columns: names, optional: ["priority"]) { columns, fields, reader throws(CSVError) in
        let time = try columns.value(0, fields, reader)
        let prefill = try columns.tokens(1, fields, reader)
        let decode = try columns.tokens(2, fields, reader)
        let priority = columns.has(3) ? try columns.number(3, fields, reader) : 0
        if time < rows.last?.arrivedAt ?? 0 { throw columns.error(.decreasingTime, 0, fields, reader) }
        rows.append(TraceRow(arrivedAt: time, prefillTokens: prefill, decodeTokens: decode, priority: priority))
      }
    case .lengths:
      try CSVReader.readRows(bytes, file: name, columns: ["num_prefill_tokens", "num_decode_tokens"]) {
        columns, fields, reader throws(CSVError) in
        let prefill = try columns.tokens(0, fields, reader)
        rows.append(TraceRow(arrivedAt: 0, prefillTokens: prefill, decodeTokens: try columns.tokens(1, fields, reader)))
      }
    case .arrivals:
      rows = try arrivals(bytes: bytes, name: name)
    }
    return Trace(name: name, rows: rows)
  }

  /// Rows of a file with the column `arrived_at` or `arrival_time`.
  private static func arrivals(bytes: [UInt8], name: String) throws(CSVError) -> [TraceRow] {
    var rows: [TraceRow] = []
    var origin: Double?
    try CSVReader.readRows(bytes, file: name, columns: [], optional: ["arrived_at", "arrival_time"]) {
      columns, fields, reader throws(CSVError) in
      let column = columns.has(0) ? 0 : 1
      guard columns.has(column) else { throw CSVError(file: name, line: 1, column: "arrived_at", value: "", reason: .missingColumn) }
      let range = try columns.range(column, fields, reader)
      var time: Double
      if let seconds = reader.number(range) {
        if origin != nil || !seconds.isFinite || seconds < 0 { throw columns.error(.notATime, column, fields, reader) }
        time = seconds
      } else {
        guard let date = Timestamp.seconds(reader.bytes[range]), rows.isEmpty || origin != nil else {
          throw columns.error(.notATime, column, fields, reader)
        }
        origin = origin ?? date
        time = date - (origin ?? 0)
      }
      if time < rows.last?.arrivedAt ?? 0 { throw columns.error(.decreasingTime, column, fields, reader) }
      rows.append(TraceRow(arrivedAt: time, prefillTokens: 1, decodeTokens: 1))
    }
    return rows
  }
}

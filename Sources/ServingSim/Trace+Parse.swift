extension Trace {
  /// Reads CSV text with the columns `arrived_at` (seconds), `num_prefill_tokens` and `num_decode_tokens` in any order; other columns are ignored.
  ///
  /// Lines end with LF or CRLF, a byte order mark and blank lines at the end are fine. Every other flaw is an error that names its place.
  ///
  /// - Complexity: O(bytes), one pass.
  public static func parse(bytes: [UInt8], name: String) throws(TraceError) -> Trace {
    var reader = CSVReader(bytes: bytes)
    let header = reader.nextLine()
    guard let header, !header.isEmpty else {
      throw TraceError(file: name, line: 1, column: "", value: "", reason: .emptyFile)
    }
    let columns = try TraceColumns(header: reader.fields(of: header).map(reader.text), file: name)
    var rows: [TraceRow] = []
    rows.reserveCapacity(bytes.count / 12)
    var fields: [Range<Int>] = []
    var blankLine: Int?
    var previous = 0.0
    while let line = reader.nextLine() {
      if line.isEmpty {
        blankLine = blankLine ?? reader.lineNumber
        continue
      }
      if let blankLine {
        throw TraceError(file: name, line: blankLine, column: TraceColumns.names[0], value: "", reason: .missingField)
      }
      reader.split(line, into: &fields)
      let place = (file: name, line: reader.lineNumber)
      let time = try columns.value(0, fields, reader, place)
      let prefill = try columns.tokens(1, fields, reader, place)
      let decode = try columns.tokens(2, fields, reader, place)
      if time < previous {
        throw columns.error(.decreasingTime, 0, fields, reader, place)
      }
      previous = time
      rows.append(TraceRow(arrivedAt: time, prefillTokens: prefill, decodeTokens: decode))
    }
    if rows.isEmpty { throw TraceError(file: name, line: 1, column: "", value: "", reason: .emptyFile) }
    return Trace(name: name, rows: rows)
  }
}

/// Where the required columns stand.
private struct TraceColumns {
  static let names = ["arrived_at", "num_prefill_tokens", "num_decode_tokens"]
  var positions: [Int] = []

  init(header: [String], file: String) throws(TraceError) {
    for name in Self.names {
      guard let position = header.firstIndex(of: name) else {
        throw TraceError(file: file, line: 1, column: name, value: "", reason: .missingColumn)
      }
      if header.lastIndex(of: name) != position {
        throw TraceError(file: file, line: 1, column: name, value: "", reason: .duplicateColumn)
      }
      positions.append(position)
    }
  }

  func error(
    _ reason: TraceError.Reason, _ column: Int, _ fields: [Range<Int>], _ reader: CSVReader, _ place: (file: String, line: Int)
  ) -> TraceError {
    let position = positions[column]
    let value = position < fields.count ? reader.text(fields[position]) : ""
    return TraceError(file: place.file, line: place.line, column: Self.names[column], value: value, reason: reason)
  }

  /// A finite number that is not negative.
  func value(
    _ column: Int, _ fields: [Range<Int>], _ reader: CSVReader, _ place: (file: String, line: Int)
  ) throws(TraceError) -> Double {
    guard positions[column] < fields.count, !fields[positions[column]].isEmpty else {
      throw error(.missingField, column, fields, reader, place)
    }
    guard let number = reader.number(fields[positions[column]]) else { throw error(.notANumber, column, fields, reader, place) }
    if !number.isFinite { throw error(.notFinite, column, fields, reader, place) }
    if number < 0 { throw error(.negative, column, fields, reader, place) }
    return number
  }

  /// A whole number of at least 1.
  func tokens(
    _ column: Int, _ fields: [Range<Int>], _ reader: CSVReader, _ place: (file: String, line: Int)
  ) throws(TraceError) -> Int {
    let number = try value(column, fields, reader, place)
    if number != number.rounded(.towardZero) { throw error(.notWhole, column, fields, reader, place) }
    if number == 0 { throw error(.zeroTokens, column, fields, reader, place) }
    if number > 2_147_483_647 { throw error(.tooLarge, column, fields, reader, place) }
    return Int(number)
  }
}

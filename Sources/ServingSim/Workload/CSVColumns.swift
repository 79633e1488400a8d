/// Where columns stand in a CSV file, and their values row by row with errors that name the place.
struct CSVColumns {
  /// Names in the order of the positions asked for.
  let names: [String]
  private var positions: [Int?] = []
  private let file: String

  /// - Parameter optional: names of columns that may be missing; their values are nil then.
  init(header: [String], names: [String], optional: [String] = [], file: String) throws(CSVError) {
    self.names = names + optional
    self.file = file
    for name in self.names {
      let position = header.firstIndex(of: name)
      if position == nil && !optional.contains(name) {
        throw CSVError(file: file, line: 1, column: name, value: "", reason: .missingColumn)
      }
      if header.lastIndex(of: name) != position {
        throw CSVError(file: file, line: 1, column: name, value: "", reason: .duplicateColumn)
      }
      positions.append(position)
    }
  }

  func has(_ column: Int) -> Bool { positions[column] != nil }

  func isEmpty(_ column: Int, _ fields: [Range<Int>]) -> Bool {
    guard let position = positions[column], position < fields.count else { return true }
    return fields[position].isEmpty
  }

  func error(_ reason: CSVError.Reason, _ column: Int, _ fields: [Range<Int>], _ reader: CSVReader) -> CSVError {
    let position = positions[column] ?? Int.max
    let value = position < fields.count ? reader.text(fields[position]) : ""
    return CSVError(file: file, line: reader.lineNumber, column: names[column], value: value, reason: reason)
  }

  /// The bytes of a field.
  func range(_ column: Int, _ fields: [Range<Int>], _ reader: CSVReader) throws(CSVError) -> Range<Int> {
    guard let position = positions[column], position < fields.count, !fields[position].isEmpty else {
      throw error(.missingField, column, fields, reader)
    }
    return fields[position]
  }

  /// A finite number.
  func number(_ column: Int, _ fields: [Range<Int>], _ reader: CSVReader) throws(CSVError) -> Double {
    guard let number = reader.number(try range(column, fields, reader)) else { throw error(.notANumber, column, fields, reader) }
    if !number.isFinite { throw error(.notFinite, column, fields, reader) }
    return number
  }

  /// A finite number that is not negative.
  func value(_ column: Int, _ fields: [Range<Int>], _ reader: CSVReader) throws(CSVError) -> Double {
    let number = try number(column, fields, reader)
    if number < 0 { throw error(.negative, column, fields, reader) }
    return number
  }

  /// A whole number from 0 to 2^31 - 1.
  func count(_ column: Int, _ fields: [Range<Int>], _ reader: CSVReader) throws(CSVError) -> Int {
    let number = try value(column, fields, reader)
    if number != number.rounded(.towardZero) { throw error(.notWhole, column, fields, reader) }
    if number > 2_147_483_647 { throw error(.tooLarge, column, fields, reader) }
    return Int(number)
  }

  /// A whole number of at least 1.
  func tokens(_ column: Int, _ fields: [Range<Int>], _ reader: CSVReader) throws(CSVError) -> Int {
    let number = try count(column, fields, reader)
    if number == 0 { throw error(.zeroTokens, column, fields, reader) }
    return number
  }
}

extension CSVReader {
  /// Reads the header and every row behind it; blank lines are allowed at the end alone.
  ///
  /// - Parameter row: called with the fields of each row, which it reads through `columns`.
  static func readRows(
    _ bytes: [UInt8], file: String, columns names: [String], optional: [String] = [],
    row: (CSVColumns, [Range<Int>], CSVReader) throws(CSVError) -> Void
  ) throws(CSVError) {
    var reader = CSVReader(bytes: bytes)
    guard let header = reader.nextLine(), !header.isEmpty else {
      throw CSVError(file: file, line: 1, column: "", value: "", reason: .emptyFile)
    }
    let columns = try CSVColumns(header: reader.fields(of: header).map(reader.text), names: names, optional: optional, file: file)
    var fields: [Range<Int>] = []
    var blankLine: Int?
    var count = 0
    while let line = reader.nextLine() {
      if line.isEmpty {
        blankLine = blankLine ?? reader.lineNumber
        continue
      }
      if let blankLine { throw CSVError(file: file, line: blankLine, column: names.first ?? "", value: "", reason: .missingField) }
      reader.split(line, into: &fields)
      try row(columns, fields, reader)
      count += 1
    }
    if count == 0 { throw CSVError(file: file, line: 1, column: "", value: "", reason: .emptyFile) }
  }
}

extension JSONValue {
  /// Parses `bytes`, the content of `name`.
  ///
  /// - Throws: `JSONError` with line and column.
  public init(parsing bytes: [UInt8], name: String, syntax: JSONSyntax = .strict) throws(JSONError) {
    var parser = JSONParser(bytes, name: name, syntax: syntax)
    self = try parser.document()
  }

  /// Parses `text`.
  ///
  /// - Throws: `JSONError` with line and column.
  public init(parsing text: String, name: String = "text", syntax: JSONSyntax = .strict) throws(JSONError) {
    try self.init(parsing: Array(text.utf8), name: name, syntax: syntax)
  }

  /// The value as JSON over several lines: indent 2, members in their order, lists of plain values on one line when they fit 100
  /// characters. No newline at the end.
  ///
  /// Equal values give equal bytes on every machine, and parsing the text gives the value back. Numbers are written with the fewest
  /// digits that keep their bits; NaN and infinities, which JSON cannot write, become strings that `doubleValue` reads.
  public func text() -> String {
    var output = ""
    write(to: &output, indent: 0)
    return output
  }

  /// The value as JSON on one line without spaces.
  public func compactText() -> String {
    var output = ""
    write(to: &output, indent: nil)
    return output
  }

  /// Appends the value; `indent` nil = on one line.
  private func write(to output: inout String, indent: Int?) {
    switch self {
    case .null: output += "null"
    case .boolean(let value): output += value ? "true" : "false"
    case .integer(let value): output += String(value)
    case .number(let value): Self.write(value, to: &output)
    case .string(let value): Self.write(value, to: &output)
    case .array(let values):
      if indent != nil, let line = shortLine(values) {
        output += line
      } else {
        Self.write(values, "[", "]", to: &output, indent: indent) { $1.write(to: &$0, indent: $2) }
      }
    case .object(let members):
      Self.write(members, "{", "}", to: &output, indent: indent) { output, member, indent in
        Self.write(member.key, to: &output)
        output += indent == nil ? ":" : ": "
        member.value.write(to: &output, indent: indent)
      }
    }
  }

  private static func write<Item>(
    _ items: [Item], _ opening: String, _ closing: String, to output: inout String, indent: Int?,
    item: (inout String, Item, Int?) -> Void
  ) {
    output += opening
    let inner = indent.map { $0 + 2 }
    for (i, next) in items.enumerated() {
      if i > 0 { output += "," }
      if let inner { output += "\n" + String(repeating: " ", count: inner) }
      item(&output, next, inner)
    }
    if let indent, !items.isEmpty { output += "\n" + String(repeating: " ", count: indent) }
    output += closing
  }

  /// `[1, 2, 3]` if all values are plain and the line is short.
  private func shortLine(_ values: [JSONValue]) -> String? {
    var line = "["
    for (i, value) in values.enumerated() {
      switch value {
      case .array, .object: return nil
      default: line += (i > 0 ? ", " : "") + value.compactText()
      }
      if line.utf8.count > 99 { return nil }
    }
    return line + "]"
  }

  private static func write(_ value: Double, to output: inout String) {
    if value.isFinite {
      output += value.description
    } else {
      output += value.isNaN ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\""
    }
  }

  private static func write(_ text: String, to output: inout String) {
    output += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case "\u{00}"..<"\u{20}", "\u{7F}":
        let digits = String(scalar.value, radix: 16)
        output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: output.unicodeScalars.append(scalar)
      }
    }
    output += "\""
  }
}

/// A strict recursive-descent parser of RFC 8259 over UTF-8 bytes.
///
/// Limits: 64 levels of nesting. Errors: invalid UTF-8, byte order marks, duplicate keys, unpaired surrogates, control characters in
/// strings, leading zeros, integers outside 64 bits, numbers outside the range of `Double`, anything after the value.
struct JSONParser {
  static let depthMax = 64

  private let bytes: [UInt8]
  private let name: String
  private let syntax: JSONSyntax
  private var position = 0
  private var depth = 0
  /// Keys of the objects being parsed, outermost first; kept for `lines` only.
  private var path: [String] = []
  /// Line of each member by dotted path; filled in configuration syntax only.
  private(set) var lines: [String: Int] = [:]

  init(_ bytes: [UInt8], name: String, syntax: JSONSyntax) {
    self.bytes = bytes
    self.name = name
    self.syntax = syntax
  }

  /// Parses the whole text.
  mutating func document() throws(JSONError) -> JSONValue {
    try checkEncoding()
    try skipSpace()
    let value = try value()
    try skipSpace()
    if position < bytes.count { throw error("unexpected \(shown(bytes[position])) after the value") }
    return value
  }

  private mutating func value() throws(JSONError) -> JSONValue {
    guard let byte = current else { throw error("unexpected end, expected a value") }
    switch byte {
    case UInt8(ascii: "{"): return try nested { (parser) throws(JSONError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { (parser) throws(JSONError) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw error("unexpected \(shown(byte)), expected a value")
    }
  }

  private mutating func nested(_ body: (inout JSONParser) throws(JSONError) -> JSONValue) throws(JSONError) -> JSONValue {
    depth += 1
    if depth > Self.depthMax { throw error("more than \(Self.depthMax) levels of nesting") }
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func object() throws(JSONError) -> JSONValue {
    position += 1
    var members: [JSONMember] = []
    var keys: Set<String> = []
    try skipSpace()
    while current != UInt8(ascii: "}") {
      let start = position
      guard current == UInt8(ascii: "\"") else { throw expected("a key in quotation marks") }
      let key = try string()
      guard keys.insert(key).inserted else { throw error("duplicate key \"\(key)\"", at: start) }
      if syntax == .configuration {
        path.append(key)
        lines[path.joined(separator: ".")] = place(of: start).line
      }
      try skipSpace()
      guard current == UInt8(ascii: ":") else { throw expected("':' after the key \"\(key)\"") }
      position += 1
      try skipSpace()
      members.append(JSONMember(key, try value()))
      if syntax == .configuration { path.removeLast() }
      try separator(closing: UInt8(ascii: "}"))
    }
    position += 1
    return .object(members)
  }

  private mutating func array() throws(JSONError) -> JSONValue {
    position += 1
    var values: [JSONValue] = []
    try skipSpace()
    while current != UInt8(ascii: "]") {
      values.append(try value())
      try separator(closing: UInt8(ascii: "]"))
    }
    position += 1
    return .array(values)
  }

  /// Steps over a comma, or stops in front of `closing`.
  private mutating func separator(closing: UInt8) throws(JSONError) {
    try skipSpace()
    if current == closing { return }
    guard current == UInt8(ascii: ",") else { throw expected("',' or \(shown(closing))") }
    let comma = position
    position += 1
    try skipSpace()
    if current == closing, syntax == .strict { throw error("comma in front of \(shown(closing))", at: comma) }
  }

  private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    let start = position
    while let byte = current, isLetter(byte) { position += 1 }
    let found = String(decoding: bytes[start..<position], as: UTF8.self)
    if found != "\(text)" { throw error("unknown word \(found)", at: start) }
    return value
  }

  private func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    var isInteger = true
    if current == UInt8(ascii: "-") { position += 1 }
    let firstDigit = position
    try digits()
    if bytes[firstDigit] == UInt8(ascii: "0"), position > firstDigit + 1 { throw error("number with a leading zero", at: start) }
    if current == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try digits()
    }
    if let byte = current, byte | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if text == "-0" { return .number(-0.0) }
    if isInteger {
      guard let value = Int(text) else { throw error("integer \(text) needs more than 64 bits", at: start) }
      return .integer(value)
    }
    guard let value = Double(text), value.isFinite else { throw error("number \(text) is out of range", at: start) }
    return .number(value)
  }

  private mutating func digits() throws(JSONError) {
    let start = position
    while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    if position == start { throw expected("a digit") }
  }
}

// Strings, space and errors.
extension JSONParser {
  private mutating func string() throws(JSONError) -> String {
    let start = position
    position += 1
    var text: [UInt8] = []
    while true {
      guard let byte = current else { throw error("string without end", at: start) }
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        text.append(contentsOf: Array(String(try escape()).utf8))
      case 0..<0x20:
        throw error("control character \(shown(byte)) in a string")
      default:
        text.append(byte)
        position += 1
      }
    }
  }

  private mutating func escape() throws(JSONError) -> Unicode.Scalar {
    let start = position
    position += 1
    guard let byte = current else { throw error("string without end", at: start) }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{08}"
    case UInt8(ascii: "f"): return "\u{0C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: throw error("unknown escape \\\(shown(byte))", at: start)
    }
    let high = try hexUnit(from: start)
    if let scalar = Unicode.Scalar(high) { return scalar }
    // A surrogate pair, high part first.
    guard high < 0xDC00, current == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u") else {
      throw error("half of a surrogate pair", at: start)
    }
    position += 2
    let low = try hexUnit(from: start)
    guard low >= 0xDC00, low < 0xE000, let scalar = Unicode.Scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)) else {
      throw error("half of a surrogate pair", at: start)
    }
    return scalar
  }

  private mutating func hexUnit(from start: Int) throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("\\u needs four hexadecimal digits", at: start)
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }

  private mutating func skipSpace() throws(JSONError) {
    while let byte = current {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        position += 1
      case UInt8(ascii: "/"):
        guard syntax == .configuration else { throw error("comments are not allowed here") }
        guard position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "/") else { throw error("a comment starts with //") }
        while let byte = current, byte != UInt8(ascii: "\n") { position += 1 }
      default: return
      }
    }
  }

  private func checkEncoding() throws(JSONError) {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw error("byte order mark at the start", at: 0) }
    if String(validating: bytes, as: UTF8.self) != nil { return }
    // Find the place: the first byte where a valid prefix ends.
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var consumed = 0
    while case .scalarValue(let scalar) = decoder.decode(&iterator) { consumed += UTF8.width(scalar) }
    throw error("invalid UTF-8", at: min(consumed, bytes.count))
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func shown(_ byte: UInt8) -> String {
    if byte > 0x20 && byte < 0x7F { return "'\(Character(Unicode.Scalar(byte)))'" }
    return "byte 0x\(String(byte, radix: 16, uppercase: true))"
  }

  private func expected(_ what: String) -> JSONError {
    guard let byte = current else { return error("unexpected end, expected \(what)") }
    return error("unexpected \(shown(byte)), expected \(what)")
  }

  private func error(_ message: String, at index: Int? = nil) -> JSONError {
    let (line, column) = place(of: index ?? position)
    return JSONError(name: name, line: line, column: column, message: message)
  }

  /// Line and column, both from 1; O(index), which is why it is not kept up to date while parsing.
  private func place(of index: Int) -> (line: Int, column: Int) {
    var line = 1
    var column = 1
    for byte in bytes.prefix(index) {
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return (line, column)
  }
}

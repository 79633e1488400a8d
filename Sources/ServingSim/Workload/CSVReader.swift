/// Lines, fields and numbers of comma-separated text without quoting. Fields are byte ranges; nothing is copied but for messages.
struct CSVReader {
  let bytes: [UInt8]
  private var position = 0
  /// 1-based number of the line last returned.
  private(set) var lineNumber = 0

  init(bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// The next line without its end; nil after the last one.
  mutating func nextLine() -> Range<Int>? {
    if position >= bytes.count { return nil }
    let start = position
    var end = start
    while end < bytes.count && bytes[end] != UInt8(ascii: "\n") { end += 1 }
    position = end + 1
    lineNumber += 1
    if end > start && bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return start..<end
  }

  /// Splits at commas and trims blanks.
  func split(_ line: Range<Int>, into fields: inout [Range<Int>]) {
    fields.removeAll(keepingCapacity: true)
    var start = line.lowerBound
    var index = start
    while index <= line.upperBound {
      if index == line.upperBound || bytes[index] == UInt8(ascii: ",") {
        fields.append(trimmed(start..<index))
        start = index + 1
      }
      index += 1
    }
  }

  func fields(of line: Range<Int>) -> [Range<Int>] {
    var result: [Range<Int>] = []
    split(line, into: &result)
    return result
  }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// A decimal number, correctly rounded. Up to 15 digits without an exponent (all of a usual trace) take the exact short way:
  /// an integer below 2^53 over a power of ten up to 10^22. The rest is left to the standard library.
  func number(_ range: Range<Int>) -> Double? {
    var mantissa = 0
    var digits = 0
    var fraction = 0
    var hasPoint = false
    for index in range {
      let byte = bytes[index]
      if byte >= 48 && byte <= 57 && digits < 15 {
        mantissa = mantissa &* 10 &+ Int(byte &- 48)
        digits += 1
        if hasPoint { fraction += 1 }
      } else if byte == UInt8(ascii: ".") && !hasPoint {
        hasPoint = true
      } else {
        return slowNumber(range)
      }
    }
    if digits == 0 { return nil }
    return fraction == 0 ? Double(mantissa) : Double(mantissa) / Self.powersOfTen[fraction]
  }

  private func slowNumber(_ range: Range<Int>) -> Double? {
    // The standard library also reads hexadecimal numbers; a trace has none.
    for index in range where bytes[index] == UInt8(ascii: "x") || bytes[index] == UInt8(ascii: "X") { return nil }
    return Double(text(range))
  }

  private static let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
  ]

  private func trimmed(_ range: Range<Int>) -> Range<Int> {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high && (bytes[low] == 32 || bytes[low] == 9) { low += 1 }
    while high > low && (bytes[high - 1] == 32 || bytes[high - 1] == 9) { high -= 1 }
    return low..<high
  }
}

/// One line of a metrics file: named values in a fixed order.
///
/// Printing is deterministic (shortest decimal that reads back to the same bits), so equal runs write equal bytes. Values that JSON cannot
/// express (NaN, infinities) are written as null.
public struct MetricRecord: Equatable, Sendable {
  /// A value of a record.
  public enum Value: Equatable, Sendable {
    case integer(Int)
    case number(Double)
    case text(String)
    case integers([Int])
    case numbers([Double])
  }

  /// Names and values in the order in which they are printed.
  public private(set) var fields: [(name: String, value: Value)] = []

  /// An empty record.
  public init() {}

  /// Appends a count.
  public mutating func append(_ name: String, _ value: Int) { fields.append((name, .integer(value))) }
  /// Appends a number.
  public mutating func append(_ name: String, _ value: Double) { fields.append((name, .number(value))) }
  /// Appends a word.
  public mutating func append(_ name: String, _ value: String) { fields.append((name, .text(value))) }
  /// Appends a list of counts.
  public mutating func append(_ name: String, _ value: [Int]) { fields.append((name, .integers(value))) }
  /// Appends a list of numbers.
  public mutating func append(_ name: String, _ value: [Double]) { fields.append((name, .numbers(value))) }

  /// The record as one line of JSON without the line end.
  public var json: String {
    let members = fields.map { "\(quoted($0.name)):\(print($0.value))" }
    return "{" + members.joined(separator: ",") + "}"
  }

  /// The record as a line of a file.
  public var line: [UInt8] { [UInt8](json.utf8) + [UInt8(ascii: "\n")] }

  /// Equal when they print the same.
  public static func == (left: MetricRecord, right: MetricRecord) -> Bool { left.json == right.json }

  private func print(_ value: Value) -> String {
    switch value {
    case .integer(let integer): String(integer)
    case .number(let number): print(number)
    case .text(let text): quoted(text)
    case .integers(let list): "[" + list.map(String.init).joined(separator: ",") + "]"
    case .numbers(let list): "[" + list.map(print).joined(separator: ",") + "]"
    }
  }

  private func print(_ number: Double) -> String { number.isFinite ? number.description : "null" }

  private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      default: result.unicodeScalars.append(scalar.value < 0x20 ? "?" : scalar)
      }
    }
    return result + "\""
  }
}

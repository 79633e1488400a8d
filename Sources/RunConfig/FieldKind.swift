/// An interval of finite numbers; each end belongs to it or not.
public struct RealRange: Equatable, Sendable, CustomStringConvertible {
  /// Lower end.
  public let lower: Double
  /// Upper end.
  public let upper: Double
  /// Whether `lower` itself is excluded.
  public let excludesLower: Bool
  /// Whether `upper` itself is excluded.
  public let excludesUpper: Bool

  /// lower <= x <= upper.
  static func closed(_ lower: Double, _ upper: Double) -> RealRange {
    RealRange(lower: lower, upper: upper, excludesLower: false, excludesUpper: false)
  }
  /// lower < x <= upper.
  static func above(_ lower: Double, _ upper: Double) -> RealRange {
    RealRange(lower: lower, upper: upper, excludesLower: true, excludesUpper: false)
  }
  /// lower <= x < upper.
  static func below(_ lower: Double, _ upper: Double) -> RealRange {
    RealRange(lower: lower, upper: upper, excludesLower: false, excludesUpper: true)
  }

  /// Whether `value` is finite and inside.
  public func contains(_ value: Double) -> Bool {
    value.isFinite && (excludesLower ? value > lower : value >= lower) && (excludesUpper ? value < upper : value <= upper)
  }

  /// As in `0 < x <= 1`.
  public var description: String {
    "\(Self.short(lower)) \(excludesLower ? "<" : "<=") x \(excludesUpper ? "<" : "<=") \(Self.short(upper))"
  }

  /// Without `.0` for whole numbers.
  private static func short(_ value: Double) -> String {
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

/// Type and allowed values of a key.
public enum FieldKind: Equatable, Sendable {
  /// An integer in a range, and a multiple of a number.
  case integer(ClosedRange<Int>, multipleOf: Int)
  /// A finite number; integers are numbers too.
  case real(RealRange)
  /// A switch.
  case boolean
  /// A text of limited length in bytes.
  case text(lengthMax: Int)
  /// One of several names.
  case choice([String])
  /// A list of integers, its length and each element in a range.
  case integers(count: ClosedRange<Int>, each: ClosedRange<Int>)
  /// A list of at most `countMax` objects with these keys.
  case records([RecordKey], countMax: Int)

  /// The type in words.
  public var typeName: String {
    switch self {
    case .integer: "an integer"
    case .real: "a number"
    case .boolean: "true or false"
    case .text, .choice: "a string"
    case .integers: "a list of integers"
    case .records: "a list of objects"
    }
  }

  /// The allowed values in words.
  public var allowed: String {
    switch self {
    case .integer(let range, let multiple): Self.text(range) + (multiple > 1 ? ", a multiple of \(multiple)" : "")
    case .real(let range): range.description
    case .boolean: "true, false"
    case .text(let lengthMax): "up to \(lengthMax) bytes"
    case .choice(let choices): choices.joined(separator: ", ")
    case .integers(let count, let each): "\(count.lowerBound) to \(count.upperBound) integers, each \(Self.text(each))"
    case .records(let keys, let countMax): "up to \(countMax) objects of \(keys.map(\.key).joined(separator: ", "))"
    }
  }

  /// Whether `value` has the type; its range is another question.
  func hasType(_ value: JSONValue) -> Bool {
    switch (self, value) {
    case (.integer, .integer), (.real, .integer), (.real, .number), (.boolean, .boolean), (.text, .string), (.choice, .string): true
    case (.integers, .array(let values)): values.allSatisfy { $0.intValue != nil }
    case (.records, .array(let values)): values.allSatisfy { $0.members != nil }
    default: false
    }
  }

  /// Whether a value of the right type is allowed.
  func accepts(_ value: JSONValue) -> Bool {
    switch (self, value) {
    case (.integer(let range, let multiple), .integer(let integer)): range.contains(integer) && integer % multiple == 0
    case (.real(let range), _): value.doubleValue.map(range.contains) ?? false
    case (.boolean, .boolean): true
    case (.text(let lengthMax), .string(let text)): text.utf8.count <= lengthMax
    case (.choice(let choices), .string(let text)): choices.contains(text)
    case (.integers(let count, let each), .array(let values)):
      count.contains(values.count) && values.allSatisfy { $0.intValue.map(each.contains) ?? false }
    case (.records(let keys, let countMax), .array(let values)):
      values.count <= countMax && values.allSatisfy { RecordKey.problem(of: $0, keys) == nil }
    default: false
    }
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    range.upperBound == Int.max ? "\(range.lowerBound) ... 2^63-1" : "\(range.lowerBound) ... \(range.upperBound)"
  }
}

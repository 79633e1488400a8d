/// A JSON document as a value. Objects keep the order of their members; integers and other numbers stay apart.
///
/// Foundation's decoder loses order and kind of numbers, and reports no positions; files that are compared byte for byte need all three.
public enum JSONValue: Equatable, Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case boolean(Bool)
  /// A number written without fraction and exponent.
  case integer(Int)
  /// Any other number.
  case number(Double)
  /// A text.
  case string(String)
  /// A list.
  case array([JSONValue])
  /// Keys and values in order.
  case object([JSONMember])
}

/// One `"key": value` of an object.
public struct JSONMember: Equatable, Sendable {
  /// The key; unique in its object when it comes from the parser.
  public var key: String
  /// The value.
  public var value: JSONValue

  /// A member `key` with `value`.
  public init(_ key: String, _ value: JSONValue) {
    self.key = key
    self.value = value
  }
}

extension JSONValue {
  /// The member `key` of an object; nil if there is none or this is no object. Setting nil removes, setting a new key appends.
  public subscript(key: String) -> JSONValue? {
    get {
      guard case .object(let members) = self else { return nil }
      return members.first { $0.key == key }?.value
    }
    set {
      var members: [JSONMember] = []
      if case .object(let present) = self { members = present }
      let index = members.firstIndex { $0.key == key }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append(JSONMember(key, value))
      case (nil, nil): break
      }
      self = .object(members)
    }
  }

  /// The Boolean, if it is one.
  public var boolValue: Bool? { if case .boolean(let value) = self { value } else { nil } }
  /// The integer, if it is one; `1.0` is none.
  public var intValue: Int? { if case .integer(let value) = self { value } else { nil } }
  /// The number or integer as `Double`; also what `text()` makes of numbers JSON cannot write.
  public var doubleValue: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    case .string("NaN"): .nan
    case .string("Infinity"): .infinity
    case .string("-Infinity"): -.infinity
    default: nil
    }
  }
  /// The string, if it is one.
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
  /// The elements, if it is an array.
  public var arrayValue: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
  /// The members in order, if it is an object.
  public var members: [JSONMember]? { if case .object(let members) = self { members } else { nil } }

  /// What kind of value this is, in words for messages.
  public var kindName: String {
    switch self {
    case .null: "null"
    case .boolean: "a Boolean"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// `null`.
  public init(nilLiteral: ()) { self = .null }
  /// A Boolean.
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  /// An integer.
  public init(integerLiteral value: Int) { self = .integer(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A list.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// An object with the members in the order of the literal.
  public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(elements.map { JSONMember($0.0, $0.1) }) }
}

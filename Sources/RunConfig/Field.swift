/// What a change of a key means for a run that exists.
public enum DifferenceClass: String, CaseIterable, Sendable {
  /// Shapes the result: a resume with another value is refused.
  case frozen
  /// May grow on a resume, which appends to the plan; a smaller value is refused.
  case growing
  /// May change at a start; the change is recorded as (step, old, new).
  case changeable
  /// Paths, save settings, display: never part of a digest.
  case free
}

/// One key of the configuration: everything the parser, the documents and the comparison need to know about it.
public struct Field: Sendable {
  /// Dotted path, as in `ppo.learning_rate`.
  public let path: String
  /// Type and allowed values.
  public let kind: FieldKind
  /// Unit of the value; empty for pure numbers, switches and names.
  public let unit: String
  /// What a change means for a run that exists.
  public let difference: DifferenceClass
  /// One sentence.
  public let documentation: String

  /// The value in a configuration.
  let read: @Sendable (Configuration) -> JSONValue
  /// Stores a value that `kind.accepts`.
  let write: @Sendable (inout Configuration, JSONValue) -> Void

  /// The value of this key in `configuration`.
  public func value(in configuration: Configuration) -> JSONValue { read(configuration) }

  /// The default.
  public var defaultValue: JSONValue { read(Configuration()) }

  /// The first part of the path.
  public var section: String { String(path.prefix { $0 != "." }) }

  /// The path without the section.
  public var key: String { String(path.drop { $0 != "." }.dropFirst()) }
}

extension Field {
  typealias Path<Value> = WritableKeyPath<Configuration, Value> & Sendable

  /// An integer in `range`, and a multiple of `multiple`.
  static func integer(
    _ path: String, _ keyPath: Path<Int>, _ range: ClosedRange<Int>, multipleOf multiple: Int = 1, unit: String = "",
    _ difference: DifferenceClass, _ documentation: String
  ) -> Field {
    Field(
      path: path, kind: .integer(range, multipleOf: multiple), unit: unit, difference: difference, documentation: documentation,
      read: { .integer($0[keyPath: keyPath]) }, write: { if let value = $1.intValue { $0[keyPath: keyPath] = value } })
  }

  /// A finite number in `range`.
  static func real(
    _ path: String, _ keyPath: Path<Double>, _ range: RealRange, unit: String = "", _ difference: DifferenceClass, _ documentation: String
  ) -> Field {
    Field(
      path: path, kind: .real(range), unit: unit, difference: difference, documentation: documentation,
      read: { .number($0[keyPath: keyPath]) }, write: { if let value = $1.doubleValue { $0[keyPath: keyPath] = value } })
  }

  /// true or false.
  static func boolean(_ path: String, _ keyPath: Path<Bool>, _ difference: DifferenceClass, _ documentation: String) -> Field {
    Field(
      path: path, kind: .boolean, unit: "", difference: difference, documentation: documentation,
      read: { .boolean($0[keyPath: keyPath]) }, write: { if let value = $1.boolValue { $0[keyPath: keyPath] = value } })
  }

  /// A text of at most `lengthMax` bytes.
  static func text(
    _ path: String, _ keyPath: Path<String>, lengthMax: Int, _ difference: DifferenceClass, _ documentation: String
  ) -> Field {
    Field(
      path: path, kind: .text(lengthMax: lengthMax), unit: "", difference: difference, documentation: documentation,
      read: { .string($0[keyPath: keyPath]) }, write: { if let value = $1.stringValue { $0[keyPath: keyPath] = value } })
  }

  /// One of `choices`.
  static func name(
    _ path: String, _ keyPath: Path<String>, of choices: [String], _ difference: DifferenceClass, _ documentation: String
  ) -> Field {
    Field(
      path: path, kind: .choice(choices), unit: "", difference: difference, documentation: documentation,
      read: { .string($0[keyPath: keyPath]) }, write: { if let value = $1.stringValue { $0[keyPath: keyPath] = value } })
  }

  /// One of the cases of an enumeration.
  static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
    _ path: String, _ keyPath: Path<Choice>, _ difference: DifferenceClass, _ documentation: String
  ) -> Field {
    Field(
      path: path, kind: .choice(Choice.allCases.map(\.rawValue)), unit: "", difference: difference, documentation: documentation,
      read: { .string($0[keyPath: keyPath].rawValue) },
      write: { if let value = $1.stringValue.flatMap(Choice.init(rawValue:)) { $0[keyPath: keyPath] = value } })
  }

  /// A list of integers.
  static func integers(
    _ path: String, _ keyPath: Path<[Int]>, count: ClosedRange<Int>, each: ClosedRange<Int>, unit: String = "",
    _ difference: DifferenceClass, _ documentation: String
  ) -> Field {
    Field(
      path: path, kind: .integers(count: count, each: each), unit: unit, difference: difference, documentation: documentation,
      read: { .array($0[keyPath: keyPath].map { .integer($0) }) },
      write: { if let values = $1.arrayValue { $0[keyPath: keyPath] = values.compactMap(\.intValue) } })
  }
  /// A list of objects.
  static func records<Record: ConfigurationRecord>(
    _ path: String, _ keyPath: Path<[Record]>, countMax: Int, _ difference: DifferenceClass, _ documentation: String
  ) -> Field {
    Field(
      path: path, kind: .records(Record.members.map(\.key), countMax: countMax), unit: "", difference: difference,
      documentation: documentation, read: { .array($0[keyPath: keyPath].map(\.json)) },
      write: { if let values = $1.arrayValue { $0[keyPath: keyPath] = values.map(Record.init(json:)) } })
  }
}

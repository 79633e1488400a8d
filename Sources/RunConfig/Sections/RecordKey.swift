/// One key of the objects in a list of the configuration.
public struct RecordKey: Equatable, Sendable {
  /// Name.
  public let key: String
  /// Type and allowed values.
  public let kind: FieldKind
  /// Unit; empty for pure numbers and names.
  public let unit: String
  /// What it means to leave the key out; nil: it must be there.
  public let absent: String?
  /// One sentence.
  public let documentation: String

  /// What it means to leave the key out.
  var absence: String { absent ?? "not allowed" }

  /// What is wrong with an object of these keys: its place inside the object (with a leading dot) and a message.
  static func problem(of record: JSONValue, _ keys: [RecordKey]) -> (code: ConfigurationIssue.Code, suffix: String, message: String)? {
    guard let members = record.members else { return (.wrongType, "", "\(record.compactText()) is \(record.kindName), expected an object") }
    for member in members {
      guard let key = keys.first(where: { $0.key == member.key }) else {
        let nearest = Suggestion.nearest(to: member.key, among: keys.map(\.key)).map { ", did you mean \"\($0)\"?" } ?? ""
        return (.unknownKey, ".\(member.key)", "unknown key\(nearest)")
      }
      let text = member.value.compactText()
      guard key.kind.hasType(member.value) else {
        let message = "\(text) is \(member.value.kindName), expected \(key.kind.typeName) (allowed: \(key.kind.allowed))"
        return (.wrongType, ".\(member.key)", message)
      }
      if !key.kind.accepts(member.value) { return (.outOfRange, ".\(member.key)", "\(text) is not allowed (allowed: \(key.kind.allowed))") }
    }
    for key in keys where key.absent == nil && !members.contains(where: { $0.key == key.key }) {
      return (.wrongType, ".\(key.key)", "missing (allowed: \(key.kind.allowed))")
    }
    return nil
  }
}

/// An object in a list of the configuration, such as a class of requests.
protocol ConfigurationRecord: Equatable, Sendable {
  /// A record with every key left out.
  init()
  /// Its keys in document order.
  static var members: [RecordMember<Self>] { get }
}

extension ConfigurationRecord {
  /// A record from an object that `RecordKey.problem` has nothing against.
  init(json: JSONValue) {
    self.init()
    for member in Self.members {
      if let value = json[member.key.key] { member.write(&self, value) }
    }
  }

  /// The object, without the keys that were left out.
  var json: JSONValue { .object(Self.members.compactMap { member in member.read(self).map { JSONMember(member.key.key, $0) } }) }
}

/// A key of a record with its way into and out of the value.
struct RecordMember<Record>: Sendable {
  typealias Path<Value> = WritableKeyPath<Record, Value> & Sendable

  let key: RecordKey
  let read: @Sendable (Record) -> JSONValue?
  let write: @Sendable (inout Record, JSONValue) -> Void

  /// An integer that must be there, or nil when left out.
  static func integer(
    _ key: String, _ path: Path<Int?>, _ range: ClosedRange<Int>, unit: String = "", absent: String? = nil, _ documentation: String
  ) -> RecordMember {
    RecordMember(
      key: RecordKey(key: key, kind: .integer(range, multipleOf: 1), unit: unit, absent: absent, documentation: documentation),
      read: { $0[keyPath: path].map { .integer($0) } }, write: { $0[keyPath: path] = $1.intValue })
  }

  /// A finite number that must be there, or nil when left out.
  static func real(
    _ key: String, _ path: Path<Double?>, _ range: RealRange, unit: String = "", absent: String? = nil, _ documentation: String
  ) -> RecordMember {
    RecordMember(
      key: RecordKey(key: key, kind: .real(range), unit: unit, absent: absent, documentation: documentation),
      read: { $0[keyPath: path].map { .number($0) } }, write: { $0[keyPath: path] = $1.doubleValue })
  }

  /// A switch, or nil when left out.
  static func boolean(_ key: String, _ path: Path<Bool?>, absent: String? = nil, _ documentation: String) -> RecordMember {
    RecordMember(
      key: RecordKey(key: key, kind: .boolean, unit: "", absent: absent, documentation: documentation),
      read: { $0[keyPath: path].map { .boolean($0) } }, write: { $0[keyPath: path] = $1.boolValue })
  }

  /// One of `choices`, or nil when left out.
  static func name(
    _ key: String, _ path: Path<String?>, of choices: [String], absent: String? = nil, _ documentation: String
  ) -> RecordMember {
    RecordMember(
      key: RecordKey(key: key, kind: .choice(choices), unit: "", absent: absent, documentation: documentation),
      read: { $0[keyPath: path].map { .string($0) } }, write: { $0[keyPath: path] = $1.stringValue })
  }

  /// A case of an enumeration, or nil when left out.
  static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
    _ key: String, _ path: Path<Choice?>, absent: String? = nil, _ documentation: String
  ) -> RecordMember {
    RecordMember(
      key: RecordKey(key: key, kind: .choice(Choice.allCases.map(\.rawValue)), unit: "", absent: absent, documentation: documentation),
      read: { $0[keyPath: path].map { .string($0.rawValue) } },
      write: { $0[keyPath: path] = $1.stringValue.flatMap(Choice.init(rawValue:)) })
  }
}

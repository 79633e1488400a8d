/// One key whose value differs between a recorded configuration and the present one.
public struct ConfigurationDifference: Equatable, Sendable, CustomStringConvertible {
  /// Dotted path of the key.
  public let path: String
  /// What the change means.
  public let difference: DifferenceClass
  /// The recorded value; nil if the record does not know the key.
  public let recorded: JSONValue?
  /// The present value; nil if the key exists in the record alone.
  public let present: JSONValue?

  /// Whether a resume must refuse it: a frozen key, a plan that shrinks, or a key that only one side knows.
  public var isRefused: Bool {
    guard let recorded, let present else { return true }
    switch difference {
    case .frozen: return true
    case .growing: return (present.intValue ?? 0) < (recorded.intValue ?? 0)
    case .changeable, .free: return false
    }
  }

  /// One line: key, both values, class.
  public var description: String {
    let (old, new) = (recorded?.compactText() ?? "nothing", present?.compactText() ?? "nothing")
    return "\(path): recorded \(old), now \(new) (\(difference.rawValue)\(isRefused ? ", refused" : ""))"
  }
}

extension Configuration {
  /// All keys that differ from a recorded `config.resolved.json`, in document order; another version of the program may have written it.
  ///
  /// A key that the record does not know counts as having had its default there; one that only the record knows is refused.
  public func differences(fromRecorded record: JSONValue) -> [ConfigurationDifference] {
    var differences: [ConfigurationDifference] = []
    for field in Schema.fields {
      let old = record[field.section]?[field.key] ?? field.defaultValue
      let new = field.value(in: self)
      if !Self.isSame(old, new) {
        differences.append(ConfigurationDifference(path: field.path, difference: field.difference, recorded: old, present: new))
      }
    }
    for section in record.members ?? [] {
      for member in section.value.members ?? [] {
        let path = section.key + "." + member.key
        if Schema.field(path) == nil {
          differences.append(ConfigurationDifference(path: path, difference: .frozen, recorded: member.value, present: nil))
        }
      }
    }
    return differences
  }

  /// Equal, where 3 and 3.0 are the same number.
  private static func isSame(_ a: JSONValue, _ b: JSONValue) -> Bool {
    if a == b { return true }
    guard case .number = b, let x = a.doubleValue, let y = b.doubleValue else { return false }
    return x == y
  }
}

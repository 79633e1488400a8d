/// A configuration of the program that this one replaces, translated: what has a counterpart is kept, everything else is named with the reason.
public struct ReferenceConversion: Equatable, Sendable {
  /// One key that has a counterpart.
  public struct Applied: Equatable, Sendable {
    /// Dotted path there.
    public let from: String
    /// Dotted path here.
    public let to: String
    /// The value here.
    public let value: JSONValue
  }

  /// One key that has no effect.
  public struct Ignored: Equatable, Sendable {
    /// Dotted path there.
    public let from: String
    /// Why.
    public let reason: String
  }

  /// In the order of the file.
  public private(set) var applied: [Applied] = []
  /// In the order of the file; last those that would have an effect if the file switched their part on.
  public private(set) var ignored: [Ignored] = []

  /// Translates the file `name`.
  ///
  /// - Throws: `ConfigurationError` for text that is no JSON object, and for values that the counterpart does not allow, all at once.
  public init(parsing bytes: [UInt8], name: String) throws(ConfigurationError) {
    var parser = JSONParser(bytes, name: name, syntax: .configuration)
    let root: JSONValue
    do throws(JSONError) {
      root = try parser.document()
    } catch {
      throw ConfigurationError([ConfigurationIssue(.syntax, place: "\(error.name):\(error.line):\(error.column)", error.message)])
    }
    guard root.members != nil else {
      throw ConfigurationError([ConfigurationIssue(.wrongType, place: name, "the configuration is \(root.kindName), expected an object")])
    }
    var issues: [ConfigurationIssue] = []
    visit(root, path: "") { path, value, counterpart in
      guard let field = Schema.field(counterpart) else { preconditionFailure("the table names \(counterpart), which is no key") }
      let place = parser.lines[path].map { "\(name):\($0)" } ?? name
      guard field.kind.hasType(value) else {
        issues.append(
          ConfigurationIssue(
            .wrongType, place: place, path: path,
            "\(value.compactText()) is \(value.kindName); \(counterpart) wants \(field.kind.typeName) (allowed: \(field.kind.allowed))"))
        return
      }
      guard field.kind.accepts(value) else {
        issues.append(
          ConfigurationIssue(
            .outOfRange, place: place, path: path,
            "\(value.compactText()) is not allowed for \(counterpart) (allowed: \(field.kind.allowed))"))
        return
      }
    }
    if !issues.isEmpty { throw ConfigurationError(issues) }
    dropUnused()
  }

  /// Keys of a part that the file does not switch on have no effect, whatever their counterparts.
  private mutating func dropUnused() {
    guard applied.last(where: { $0.to == "temperature.enabled" })?.value != .boolean(true) else { return }
    let unused = applied.filter { $0.to.hasPrefix("temperature.") && $0.to != "temperature.enabled" }
    applied.removeAll { key in unused.contains { $0.from == key.from } }
    ignored += unused.map { Ignored(from: $0.from, reason: "\($0.to) counts only with temperature.enabled, which the file does not set") }
  }

  /// The translated keys as a configuration file of ours; keys that the other file does not set keep our defaults.
  public var configuration: JSONValue {
    .object(
      Schema.sections.compactMap { section in
        let members = Schema.fields(of: section.name).compactMap { field in
          applied.last { $0.to == field.path }.map { JSONMember(field.key, $0.value) }
        }
        return members.isEmpty ? nil : JSONMember(section.name, .object(members))
      })
  }

  /// Walks through all members; a rule for an object counts for everything inside.
  private mutating func visit(_ value: JSONValue, path: String, check: (String, JSONValue, String) -> Void) {
    for member in value.members ?? [] {
      let inner = path.isEmpty ? member.key : path + "." + member.key
      switch ReferenceKeys.rule(for: inner) {
      case .key(let counterpart)?: apply(member.value, from: inner, to: counterpart, check)
      case .names(let counterpart)?:
        let names = (member.value.arrayValue ?? []).compactMap(\.stringValue)
        apply(.string(names.joined(separator: ",")), from: inner, to: counterpart, check)
      case .none(let reason)?: ignored.append(Ignored(from: inner, reason: reason))
      case nil:
        if member.value.members != nil {
          visit(member.value, path: inner, check: check)
        } else {
          ignored.append(Ignored(from: inner, reason: ReferenceKeys.reason(forOther: inner)))
        }
      }
    }
  }

  private mutating func apply(
    _ value: JSONValue, from: String, to counterpart: String, _ check: (String, JSONValue, String) -> Void
  ) {
    applied.append(Applied(from: from, to: counterpart, value: value))
    check(from, value, counterpart)
  }
}

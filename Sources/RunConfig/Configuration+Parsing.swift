extension Configuration {
  /// Reads a configuration: the defaults, changed by the file `name` with content `bytes`, changed by `overrides` (`key.path=value`).
  ///
  /// The file is JSON; `//` comments and trailing commas are allowed. Keys it does not name keep their defaults.
  ///
  /// - Throws: `ConfigurationError` with all issues at once; the ones of syntax alone, as nothing can be said about the rest.
  public init(parsing bytes: [UInt8], name: String, overrides: [String] = []) throws(ConfigurationError) {
    self.init()
    var issues = apply(file: bytes, name: name)
    issues += apply(overrides: overrides)
    if issues.isEmpty { issues = conflicts() }
    if !issues.isEmpty { throw ConfigurationError(issues) }
  }

  /// The defaults changed by `overrides` (`key.path=value`).
  ///
  /// - Throws: `ConfigurationError` with all issues at once.
  public init(overrides: [String]) throws(ConfigurationError) {
    self.init()
    var issues = apply(overrides: overrides)
    if issues.isEmpty { issues = conflicts() }
    if !issues.isEmpty { throw ConfigurationError(issues) }
  }

  private mutating func apply(file bytes: [UInt8], name: String) -> [ConfigurationIssue] {
    var parser = JSONParser(bytes, name: name, syntax: .configuration)
    let root: JSONValue
    do throws(JSONError) {
      root = try parser.document()
    } catch {
      return [ConfigurationIssue(.syntax, place: "\(error.name):\(error.line):\(error.column)", error.message)]
    }
    guard let sections = root.members else {
      return [ConfigurationIssue(.wrongType, place: name, "the configuration is \(root.kindName), expected an object")]
    }
    var issues: [ConfigurationIssue] = []
    for section in sections {
      let place = { (path: String) in parser.lines[path].map { "\(name):\($0)" } ?? name }
      guard Schema.sections.contains(where: { $0.name == section.key }) else {
        let message = "unknown section" + Suggestion.text(for: section.key, isSection: true)
        issues.append(ConfigurationIssue(.unknownKey, place: place(section.key), path: section.key, message))
        continue
      }
      guard let members = section.value.members else {
        let message = "the section is \(section.value.kindName), expected an object"
        issues.append(ConfigurationIssue(.wrongType, place: place(section.key), path: section.key, message))
        continue
      }
      for member in members {
        let path = section.key + "." + member.key
        if let issue = set(path, to: member.value, place: place(path)) { issues.append(issue) }
      }
    }
    return issues
  }

  private mutating func apply(overrides: [String]) -> [ConfigurationIssue] {
    overrides.compactMap { override in
      let place = "--set \(override)"
      guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
        return ConfigurationIssue(.badOverride, place: place, "expected key.path=value")
      }
      let path = String(override[..<equals])
      let text = String(override[override.index(after: equals)...])
      guard let field = Schema.field(path) else { return unknown(path, place: place) }
      return set(path, to: field.kind.value(of: text), place: place)
    }
  }

  /// Stores `value`, or says why not.
  private mutating func set(_ path: String, to value: JSONValue, place: String) -> ConfigurationIssue? {
    guard let field = Schema.field(path) else { return unknown(path, place: place) }
    guard field.kind.hasType(value) else {
      let message = "\(value.compactText()) is \(value.kindName), expected \(field.kind.typeName) (allowed: \(field.kind.allowed))"
      return ConfigurationIssue(.wrongType, place: place, path: path, message)
    }
    if case .records(let keys, let countMax) = field.kind, let values = value.arrayValue, values.count <= countMax {
      for (index, record) in values.enumerated() {
        guard let problem = RecordKey.problem(of: record, keys) else { continue }
        return ConfigurationIssue(problem.code, place: place, path: "\(path)[\(index)]\(problem.suffix)", problem.message)
      }
    }
    guard field.kind.accepts(value) else {
      let message = "\(value.compactText()) is not allowed (allowed: \(field.kind.allowed))"
      return ConfigurationIssue(.outOfRange, place: place, path: path, message)
    }
    field.write(&self, value)
    return nil
  }

  private func unknown(_ path: String, place: String) -> ConfigurationIssue {
    ConfigurationIssue(.unknownKey, place: place, path: path, "unknown key" + Suggestion.text(for: path, isSection: false))
  }
}

extension FieldKind {
  /// What the text behind `--set key=` means: names and paths are taken as they stand, lists also without brackets, all else is JSON.
  func value(of text: String) -> JSONValue {
    switch self {
    case .text, .choice:
      return .string(text)
    case .integers where !text.hasPrefix("["), .records where !text.hasPrefix("["):
      return (try? JSONValue(parsing: "[\(text)]")) ?? .string(text)
    default:
      return (try? JSONValue(parsing: text)) ?? .string(text)
    }
  }
}

/// One thing that is wrong with a configuration.
public struct ConfigurationIssue: Equatable, Sendable, CustomStringConvertible {
  /// The kinds of mistakes.
  public enum Code: String, Sendable {
    /// The text is not JSON.
    case syntax
    /// There is no such key or section.
    case unknownKey
    /// The value has another type.
    case wrongType
    /// The value has the right type and is not allowed.
    case outOfRange
    /// Values that are allowed one by one exclude each other.
    case conflict
    /// An override is not of the form key.path=value.
    case badOverride
  }

  /// The kind of mistake.
  public let code: Code
  /// File with line, or `--set`; empty for conflicts.
  public let place: String
  /// Dotted path of the key; empty if there is none.
  public let path: String
  /// What is wrong, with the value and what is allowed.
  public let message: String

  init(_ code: Code, place: String = "", path: String = "", _ message: String) {
    self.code = code
    self.place = place
    self.path = path
    self.message = message
  }

  /// One line: place, key, message.
  public var description: String { [place, path, message].filter { !$0.isEmpty }.joined(separator: ": ") }
}

/// Everything that is wrong with a configuration, in the order of the file.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// At least one issue.
  public let issues: [ConfigurationIssue]

  init(_ issues: [ConfigurationIssue]) { self.issues = issues }

  /// One line per issue.
  public var description: String { issues.map(\.description).joined(separator: "\n") }
}

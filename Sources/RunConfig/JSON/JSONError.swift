/// Why a text is not JSON, or not the JSON that is wanted, with the place.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Name of the file or argument.
  public let name: String
  /// Line, from 1; 0 when the value was not parsed from a text.
  public let line: Int
  /// Column in characters (Unicode scalars), from 1.
  public let column: Int
  /// What is wrong.
  public let message: String

  /// An error at `line` and `column` of `name`.
  public init(name: String, line: Int = 0, column: Int = 0, message: String) {
    self.name = name
    self.line = line
    self.column = column
    self.message = message
  }

  /// One line, as compilers write it.
  public var description: String { line > 0 ? "\(name):\(line):\(column): \(message)" : "\(name): \(message)" }
}

/// Which extensions of JSON a file may use.
public enum JSONSyntax: Sendable {
  /// RFC 8259, and keys must be unique.
  case strict
  /// Also `//` comments and commas in front of a closing bracket: for files written by people.
  case configuration
}

/// A failure with the exit code it ends the program with and a line for people.
public struct TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What the process exits with.
  public let code: ExitCode
  /// One line (or one a difference): what, where, and what is allowed.
  public let message: String

  /// - Parameter message: names file, field, value and allowed range where they exist.
  public init(_ code: ExitCode, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}

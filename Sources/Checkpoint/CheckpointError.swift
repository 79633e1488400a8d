import FileStore

/// A checkpoint that could not be written, read or trusted: which file, which part of it, and what was expected.
public struct CheckpointError: Error, Equatable, Sendable {
  /// The kinds of failure.
  public enum Code: String, Equatable, Sendable {
    /// A file operation failed; `fileError` has the reason.
    case file
    /// No checkpoint of this program: not an archive, or without its checksums.
    case foreign
    /// Written by a version with another format.
    case version
    /// Bytes differ from what was written.
    case damaged
    /// The content lacks something, or has it in another type or shape.
    case content
    /// The contents cannot be written (a limit, a repeated key).
    case unwritable
    /// Another checkpoint of the same name and with other contents is there.
    case conflict
  }

  /// The kind.
  public let code: Code
  /// File name.
  public let file: String
  /// Dotted path of the part, or the record's name; empty for the whole file.
  public let section: String
  /// What was found and expected.
  public let reason: String
  /// The file operation that failed, for `file`.
  public let fileError: FileError?

  /// All parts.
  public init(_ code: Code, file: String, section: String = "", _ reason: String, fileError: FileError? = nil) {
    self.code = code
    self.file = file
    self.section = section
    self.reason = reason
    self.fileError = fileError
  }

  /// A failed file operation.
  init(_ file: String, _ error: FileError) {
    self.init(.file, file: file, error.description, fileError: error)
  }

  /// Disk full or quota used up.
  public var isNoSpace: Bool { fileError?.isNoSpace ?? false }
}

extension CheckpointError: CustomStringConvertible {
  /// `file: section name: reason`.
  public var description: String { "\(file): " + (section.isEmpty ? "" : "section \(section): ") + reason }
}

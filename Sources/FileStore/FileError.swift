/// A failed file operation: what was tried, on which path, and the operating system's reason.
public struct FileError: Error, Equatable, Sendable {
  /// What was tried.
  public enum Operation: String, Equatable, Sendable, CaseIterable {
    case read, list, createDirectory, create, open, write, truncate, sync, link, rename, symbolicLink, readLink, unlink
    case syncDirectory, size, close, verify
  }

  /// What was tried.
  public let operation: Operation
  /// The path it was tried on.
  public let path: String
  /// The `errno` value.
  public let code: Int32
  /// More than the code can say, such as a limit; empty if nothing.
  public let detail: String

  /// A failure with an `errno` code.
  public init(_ operation: Operation, _ path: String, code: Int32, detail: String = "") {
    self.operation = operation
    self.path = path
    self.code = code
    self.detail = detail
  }

  /// The name does not exist.
  public var isNotFound: Bool { code == ErrorCode.noEntry }
  /// The name exists already.
  public var isExisting: Bool { code == ErrorCode.exists }
  /// Disk full or quota used up: worth a retry after something was removed.
  public var isNoSpace: Bool { code == ErrorCode.noSpace || code == ErrorCode.quota }
  /// May well be gone at a later try, or with other temporary names: a full disk, a server that is away, a janitor that was too quick.
  ///
  /// Permissions, wrong kinds of files and defects are not.
  public var isPassing: Bool {
    isNoSpace || isNotFound || [ErrorCode.io, ErrorCode.stale, ErrorCode.timedOut, ErrorCode.interrupted, ErrorCode.busy].contains(code)
  }
  /// Not allowed: permissions or a read-only mount.
  public var isNotPermitted: Bool {
    code == ErrorCode.access || code == ErrorCode.notPermitted || code == ErrorCode.readOnly
  }
}

extension FileError: CustomStringConvertible {
  /// `path: operation failed: NAME (text); detail`, in ASCII and independent of the locale.
  public var description: String {
    "\(path): \(operation.rawValue) failed: \(ErrorCode.text(code))" + (detail.isEmpty ? "" : "; \(detail)")
  }
}

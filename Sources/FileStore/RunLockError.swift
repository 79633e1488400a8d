/// Why a run directory's lock could not be had or kept.
public enum RunLockError: Error, Equatable, Sendable {
  /// A live process holds it.
  case held(path: String, by: LockRecord)
  /// It cannot be read as a lock, yet something keeps changing it.
  case unreadable(path: String)
  /// The caller's `wait` asked to give up.
  case interrupted(path: String)
  /// It was ours and another process has taken it over; `by` is nil if the file is gone or unreadable.
  case lost(path: String, by: LockRecord?)
  /// A file operation failed.
  case file(FileError)
}

extension RunLockError: CustomStringConvertible {
  /// One line naming path and owner.
  public var description: String {
    switch self {
    case .held(let path, let record): "\(path): held by \(record)"
    case .unreadable(let path): "\(path): not a readable lock file, but it keeps changing; remove it if no run uses this directory"
    case .interrupted(let path): "\(path): stopped while waiting for the lock"
    case .lost(let path, let record):
      "\(path): this process no longer owns the run directory"
        + (record.map { "; now held by \($0)" } ?? "; the lock file is gone or damaged")
    case .file(let error): error.description
    }
  }
}

import Glibc

/// The `errno` values this module names; their texts do not depend on the locale, as the C library's do.
public enum ErrorCode {
  /// Operation not permitted.
  public static let notPermitted = EPERM
  /// No such file or directory.
  public static let noEntry = ENOENT
  /// Input/output error.
  public static let io = EIO
  /// Interrupted by a signal, again and again.
  public static let interrupted = EINTR
  /// Device or resource busy.
  public static let busy = EBUSY
  /// The server did not answer in time.
  public static let timedOut = ETIMEDOUT
  /// Permission denied.
  public static let access = EACCES
  /// File exists.
  public static let exists = EEXIST
  /// Not a directory.
  public static let notDirectory = ENOTDIR
  /// Is a directory.
  public static let isDirectory = EISDIR
  /// Invalid argument.
  public static let invalid = EINVAL
  /// File larger than the reader's limit.
  public static let tooLarge = EFBIG
  /// No space left on device.
  public static let noSpace = ENOSPC
  /// Read-only file system.
  public static let readOnly = EROFS
  /// Disk quota exceeded.
  public static let quota = EDQUOT
  /// Stale file handle.
  public static let stale = ESTALE
  /// The file system has no such operation.
  public static let notSupported = EOPNOTSUPP
  /// The kernel or FUSE server has no such operation.
  public static let notImplemented = ENOSYS

  private static let names: [(code: Int32, text: String)] = [
    (EPERM, "EPERM (operation not permitted)"), (ENOENT, "ENOENT (no such file or directory)"),
    (EINTR, "EINTR (interrupted)"), (EIO, "EIO (input/output error)"), (EBADF, "EBADF (bad descriptor)"),
    (EAGAIN, "EAGAIN (try again)"), (ENOMEM, "ENOMEM (no memory)"), (EACCES, "EACCES (permission denied)"),
    (EBUSY, "EBUSY (device or resource busy)"), (EEXIST, "EEXIST (file exists)"),
    (EXDEV, "EXDEV (link across devices)"), (ENOTDIR, "ENOTDIR (not a directory)"),
    (EISDIR, "EISDIR (is a directory)"), (EINVAL, "EINVAL (invalid argument)"),
    (ENFILE, "ENFILE (too many open files in the system)"), (EMFILE, "EMFILE (too many open files)"),
    (EFBIG, "EFBIG (file too large)"), (ENOSPC, "ENOSPC (no space left on device)"),
    (EROFS, "EROFS (read-only file system)"), (EMLINK, "EMLINK (too many links)"),
    (ENAMETOOLONG, "ENAMETOOLONG (name too long)"), (ENOLCK, "ENOLCK (no locks available)"),
    (ENOSYS, "ENOSYS (not implemented)"), (ENOTEMPTY, "ENOTEMPTY (directory not empty)"),
    (ELOOP, "ELOOP (too many symbolic links)"), (EOPNOTSUPP, "EOPNOTSUPP (not supported)"),
    (ETIMEDOUT, "ETIMEDOUT (timed out)"), (ESTALE, "ESTALE (stale file handle)"),
    (EDQUOT, "EDQUOT (disk quota exceeded)"),
  ]

  /// Symbolic name and a short English text of a code.
  public static func text(_ code: Int32) -> String {
    names.first { $0.code == code }?.text ?? "errno \(code)"
  }
}

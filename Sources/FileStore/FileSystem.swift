/// The file operations that training needs, each one a single step that may fail.
///
/// `POSIXFileSystem` is the real form; tests use one in memory that fails or stops after any given operation. Paths are plain
/// strings, absolute or relative to the working directory. Nothing here is atomic or durable by itself: see `AtomicPublish`.
public protocol FileSystem: Sendable {
  /// The whole content of a regular file; links are followed. Fails with EFBIG if it has more than `limit` bytes.
  func read(_ path: String, limit: Int) throws(FileError) -> [UInt8]
  /// Names in a directory, without `.` and `..`, in byte order.
  func list(_ directory: String) throws(FileError) -> [String]
  /// Creates a directory and its missing parents durably; an existing directory is fine.
  func createDirectory(_ path: String) throws(FileError)
  /// Creates a file that must not exist, writes all bytes and syncs its content (not its name: `syncDirectory`).
  func createFile(_ path: String, _ bytes: [UInt8]) throws(FileError)
  /// Opens a file for reading and writing; it is made if `create` and absent.
  func open(_ path: String, create: Bool) throws(FileError) -> any WritableFile
  /// Gives a file a second name, which must not exist.
  func link(_ existing: String, _ name: String) throws(FileError)
  /// Renames, replacing what had the new name.
  func rename(_ old: String, _ new: String) throws(FileError)
  /// Makes a symbolic link with exactly this target text; the name must not exist.
  func symbolicLink(_ target: String, _ name: String) throws(FileError)
  /// Target text of a symbolic link.
  func readLink(_ path: String) throws(FileError) -> String
  /// Removes a name. Directories are refused.
  func unlink(_ path: String) throws(FileError)
  /// Makes the names in a directory durable.
  func syncDirectory(_ path: String) throws(FileError)
  /// Size of a file in bytes, links followed; nil if there is none. Opens the file: on network file systems `stat` may be stale.
  func size(_ path: String) throws(FileError) -> Int?
  /// Whether the name exists, be it a file, a directory or a symbolic link (even one that leads nowhere).
  func exists(_ path: String) throws(FileError) -> Bool
  /// Bytes that a user without privileges can still write to the file system of an existing path. Quotas do not show here.
  func availableBytes(_ path: String) throws(FileError) -> Int
}

/// An open file. It keeps meaning the same file when its name is given to another one.
public protocol WritableFile: AnyObject {
  /// Writes all bytes at the end of the file.
  func append(_ bytes: [UInt8]) throws(FileError)
  /// Writes all bytes over what stands at `offset`.
  func overwrite(_ bytes: [UInt8], at offset: Int) throws(FileError)
  /// `count` bytes from `offset` on, fewer where the file ends.
  func read(at offset: Int, count: Int) throws(FileError) -> [UInt8]
  /// Cuts the file to `size` bytes; a larger size than the present one is refused with EINVAL.
  func truncate(to size: Int) throws(FileError)
  /// Makes content and size durable.
  func sync() throws(FileError)
  /// Present size in bytes.
  func size() throws(FileError) -> Int
  /// Closes; later calls fail. Also done, without a report, when the object goes away.
  func close() throws(FileError)
}

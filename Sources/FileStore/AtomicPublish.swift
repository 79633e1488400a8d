/// Ways to make a file appear whole or not at all, durably, and known to be what was meant.
///
/// A temporary name `.tmp-<host>-<pid>-<name>` in the same directory is used by at most one operation at a time of one process, so
/// whatever is found under it was left by an interrupted one. Data patterns never match it; `removeStale` clears such names away.
public struct AtomicPublish: Sendable {
  /// All temporary names start so.
  public static let temporaryPrefix = ".tmp-"

  /// What `publishNew` found.
  public enum Outcome: Equatable, Sendable {
    /// The file is new.
    case created
    /// A file of this name with the same bytes was there.
    case identical
    /// A file of this name with other bytes is there and was left alone.
    case occupied
  }

  /// Where to.
  public let files: any FileSystem
  private let owner: String

  /// - Parameters:
  ///   - host: host name; characters that do not belong in a file name are replaced.
  ///   - pid: process id of the publishing process.
  public init(files: any FileSystem, host: String, pid: Int32) {
    self.files = files
    owner = "\(PathName.sanitized(host))-\(pid)"
  }

  /// The temporary name that stands for `path` while it is made.
  public func temporaryPath(for path: String) -> String {
    PathName.join(PathName.directory(of: path), "\(AtomicPublish.temporaryPrefix)\(owner)-\(PathName.name(of: path))")
  }

  /// Puts `bytes` under a name, replacing what is there: temporary file, sync, read back and compare, rename, sync of the directory.
  public func replace(_ path: String, _ bytes: [UInt8]) throws(FileError) {
    let temporary = try writeTemporary(for: path, bytes)
    do {
      try verify(temporary, bytes)
      try files.rename(temporary, path)
    } catch {
      try? files.unlink(temporary)
      throw error
    }
    try files.syncDirectory(PathName.directory(of: path))
  }

  /// Puts `bytes` under a name that nobody has: temporary file, sync, read back and compare, link, unlink, sync of the directory.
  ///
  /// Where the file system has no hard links the file is renamed after a look that the name is free.
  public func publishNew(_ path: String, _ bytes: [UInt8]) throws(FileError) -> Outcome {
    let temporary = try writeTemporary(for: path, bytes)
    let outcome: Outcome
    do {
      try verify(temporary, bytes)
      outcome = try claim(path, temporary, bytes)
    } catch {
      try? files.unlink(temporary)
      throw error
    }
    // Also after `identical`: the earlier attempt may have ended before its directory was durable.
    try files.syncDirectory(PathName.directory(of: path))
    return outcome
  }

  /// Points the symbolic link `path` to `target` (relative to the link's directory), without a moment in which there is no link.
  public func relink(_ path: String, to target: String) throws(FileError) {
    let temporary = temporaryPath(for: path)
    try retrying(temporary) { () throws(FileError) in try files.symbolicLink(target, temporary) }
    do {
      try files.rename(temporary, path)
    } catch {
      try? files.unlink(temporary)
      throw error
    }
    try files.syncDirectory(PathName.directory(of: path))
  }

  /// Removes the temporary names in a directory, whoever made them, and returns them. For the holder of the run's lock, at start.
  public func removeStale(in directory: String) throws(FileError) -> [String] {
    var removed: [String] = []
    for name in try files.list(directory) where name.hasPrefix(AtomicPublish.temporaryPrefix) {
      do {
        try files.unlink(PathName.join(directory, name))
        removed.append(name)
      } catch {
        guard error.isNotFound else { throw error }
      }
    }
    if !removed.isEmpty { try files.syncDirectory(directory) }
    return removed
  }

  private func writeTemporary(for path: String, _ bytes: [UInt8]) throws(FileError) -> String {
    let temporary = temporaryPath(for: path)
    try retrying(temporary) { () throws(FileError) in try files.createFile(temporary, bytes) }
    return temporary
  }

  /// Runs `make`; if its name is taken, by an interrupted process with our id, removes that and tries once more.
  private func retrying(_ temporary: String, _ make: () throws(FileError) -> Void) throws(FileError) {
    do {
      try make()
    } catch {
      guard error.isExisting else { throw error }
      try files.unlink(temporary)
      try make()
    }
  }

  private func verify(_ temporary: String, _ bytes: [UInt8]) throws(FileError) {
    guard try files.read(temporary, limit: bytes.count) == bytes else {
      throw FileError(.verify, temporary, code: ErrorCode.io, detail: "the bytes read back differ from those written")
    }
  }

  private func claim(_ path: String, _ temporary: String, _ bytes: [UInt8]) throws(FileError) -> Outcome {
    do {
      try files.link(temporary, path)
    } catch {
      // A network file system may report EEXIST for its own repeated request: the content decides.
      if error.isExisting { return try settle(path, temporary, bytes) }
      guard [ErrorCode.notPermitted, ErrorCode.notSupported, ErrorCode.notImplemented].contains(error.code) else { throw error }
      if try files.exists(path) { return try settle(path, temporary, bytes) }
      try files.rename(temporary, path)
      return .created
    }
    try files.unlink(temporary)
    return .created
  }

  /// The name is taken: compares, and drops the temporary file.
  private func settle(_ path: String, _ temporary: String, _ bytes: [UInt8]) throws(FileError) -> Outcome {
    var isSame = try files.size(path) == bytes.count
    if isSame { isSame = try files.read(path, limit: bytes.count) == bytes }
    try files.unlink(temporary)
    return isSame ? .identical : .occupied
  }
}

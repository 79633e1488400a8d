import Glibc

/// `FileSystem` over the C library. Interrupted calls are repeated, short reads and writes continued.
public struct POSIXFileSystem: FileSystem {
  /// Nothing to set up.
  public init() {}

  /// See `FileSystem.read`.
  public func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
    let descriptor = try Descriptor.open(.read, path, O_RDONLY)
    defer { descriptor.closeQuietly() }
    return try descriptor.readAll(limit: limit)
  }

  /// See `FileSystem.list`.
  public func list(_ directory: String) throws(FileError) -> [String] {
    var opened = opendir(directory)
    // As `uninterrupted` does for calls that return numbers.
    for _ in 1..<interruptionsMax where opened == nil && errno == EINTR { opened = opendir(directory) }
    guard let stream = opened else { throw FileError(.list, directory, code: errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        guard errno == 0 else { throw FileError(.list, directory, code: errno) }
        break
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in  // a C array field, terminated by zero
        field.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: field.pointee)) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// See `FileSystem.createDirectory`.
  public func createDirectory(_ path: String) throws(FileError) {
    if uninterrupted({ mkdir(path, 0o777) }) == 0 {
      return try syncDirectory(PathName.directory(of: path))
    }
    switch errno {
    case EEXIST:
      let descriptor = try Descriptor.open(.createDirectory, path, O_RDONLY | O_DIRECTORY)
      descriptor.closeQuietly()
    case ENOENT:
      let parent = PathName.directory(of: path)
      guard parent != path, parent != "." else { throw FileError(.createDirectory, path, code: ENOENT) }
      try createDirectory(parent)
      guard uninterrupted({ mkdir(path, 0o777) }) == 0 || errno == EEXIST else {
        throw FileError(.createDirectory, path, code: errno)
      }
      try syncDirectory(parent)
    case let code: throw FileError(.createDirectory, path, code: code)
    }
  }

  /// See `FileSystem.createFile`. A file that could not be written completely is removed again.
  public func createFile(_ path: String, _ bytes: [UInt8]) throws(FileError) {
    let descriptor = try Descriptor.open(.create, path, O_WRONLY | O_CREAT | O_EXCL)
    do {
      try descriptor.writeAll(bytes, at: 0)
      try descriptor.sync()
      try descriptor.close()
    } catch {
      descriptor.closeQuietly()
      try? unlink(path)
      throw error
    }
  }

  /// See `FileSystem.open`.
  public func open(_ path: String, create: Bool) throws(FileError) -> any WritableFile {
    POSIXFile(try Descriptor.open(.open, path, create ? O_RDWR | O_CREAT : O_RDWR))
  }

  /// See `FileSystem.link`. After an interruption the name may be there already: the caller compares contents on EEXIST anyway.
  public func link(_ existing: String, _ name: String) throws(FileError) {
    guard uninterrupted({ Glibc.link(existing, name) }) == 0 else { throw FileError(.link, name, code: errno) }
  }

  /// See `FileSystem.rename`. If `old` is gone after an interruption, nobody can tell whether the call had done its work: EINTR.
  public func rename(_ old: String, _ new: String) throws(FileError) {
    var tries = 0
    let result = uninterrupted {
      tries += 1
      return Glibc.rename(old, new)
    }
    guard result == 0 else { throw FileError(.rename, new, code: tries > 1 && errno == ENOENT ? EINTR : errno) }
  }

  /// See `FileSystem.symbolicLink`.
  public func symbolicLink(_ target: String, _ name: String) throws(FileError) {
    guard uninterrupted({ symlink(target, name) }) == 0 else { throw FileError(.symbolicLink, name, code: errno) }
  }

  /// See `FileSystem.readLink`.
  public func readLink(_ path: String) throws(FileError) -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = uninterrupted { readlink(path, &buffer, buffer.count) }
    guard count >= 0 else { throw FileError(.readLink, path, code: errno) }
    guard count < buffer.count else { throw FileError(.readLink, path, code: ENAMETOOLONG) }
    return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// See `FileSystem.unlink`. A name that is gone after an interruption was removed by the interrupted call.
  public func unlink(_ path: String) throws(FileError) {
    var tries = 0
    let result = uninterrupted {
      tries += 1
      return Glibc.unlink(path)
    }
    guard result == 0 || (tries > 1 && errno == ENOENT) else { throw FileError(.unlink, path, code: errno) }
  }

  /// See `FileSystem.syncDirectory`. File systems that know no such call (EINVAL) are taken to have nothing to sync.
  public func syncDirectory(_ path: String) throws(FileError) {
    let descriptor = try Descriptor.open(.syncDirectory, path, O_RDONLY | O_DIRECTORY)
    defer { descriptor.closeQuietly() }
    do {
      try descriptor.sync()
    } catch {
      guard error.code == EINVAL else { throw FileError(.syncDirectory, path, code: error.code) }
    }
  }

  /// See `FileSystem.size`.
  public func size(_ path: String) throws(FileError) -> Int? {
    do {
      let descriptor = try Descriptor.open(.size, path, O_RDONLY)
      defer { descriptor.closeQuietly() }
      return try descriptor.size()
    } catch {
      guard error.isNotFound else { throw error }
      return nil
    }
  }

  /// See `FileSystem.exists`.
  public func exists(_ path: String) throws(FileError) -> Bool {
    var status = stat()
    guard uninterrupted({ lstat(path, &status) }) != 0 else { return true }
    guard errno == ENOENT || errno == ENOTDIR else { throw FileError(.size, path, code: errno) }
    return false
  }

  /// See `FileSystem.availableBytes`.
  public func availableBytes(_ path: String) throws(FileError) -> Int {
    var status = statvfs()
    guard uninterrupted({ statvfs(path, &status) }) == 0 else { throw FileError(.size, path, code: errno) }
    let (bytes, overflow) = Int(status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
    return overflow ? Int.max : bytes
  }
}

import FileStore

extension InMemoryFileSystem {
  /// See `FileSystem.read`.
  public func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
    try perform(.read, path) { (state) throws(FileError) in
      let content = state.inodes[try state.inode(path, .read)].content
      guard content.count <= limit else { throw FileError(.read, path, code: ErrorCode.tooLarge) }
      return content
    }
  }

  /// See `FileSystem.list`.
  public func list(_ directory: String) throws(FileError) -> [String] {
    try perform(.list, directory) { (state) throws(FileError) in
      guard state.directories.contains(directory) else { throw FileError(.list, directory, code: ErrorCode.noEntry) }
      return state.names.keys.filter { PathName.directory(of: $0) == directory }.map { PathName.name(of: $0) }.sorted()
    }
  }

  /// See `FileSystem.createDirectory`.
  public func createDirectory(_ path: String) throws(FileError) {
    try perform(.createDirectory, path) { (state) throws(FileError) in
      var path = path
      while !state.directories.contains(path) {
        guard state.names[path] == nil else { throw FileError(.createDirectory, path, code: ErrorCode.exists) }
        state.directories.append(path)
        path = PathName.directory(of: path)
      }
    }
  }

  /// See `FileSystem.createFile`.
  public func createFile(_ path: String, _ bytes: [UInt8]) throws(FileError) {
    let inode = try perform(.create, path) { (state) throws(FileError) in try state.make(path, .create) }
    do {
      for piece in [bytes.prefix(bytes.count / 2), bytes.suffix(from: bytes.count / 2)] {
        try perform(.write, path) { (state) throws(FileError) in state.inodes[inode].content += piece }
      }
      try perform(.sync, path) { (state) throws(FileError) in state.inodes[inode].durable = state.inodes[inode].content }
    } catch {
      try? perform(.unlink, path) { (state) throws(FileError) in state.names[path] = nil }
      throw error
    }
  }

  /// See `FileSystem.open`.
  public func open(_ path: String, create: Bool) throws(FileError) -> any WritableFile {
    let inode = try perform(.open, path) { (state) throws(FileError) in
      if create, state.names[path] == nil { return try state.make(path, .open) }
      return try state.inode(path, .open)
    }
    return InMemoryFile(self, inode, path)
  }

  /// See `FileSystem.link`.
  public func link(_ existing: String, _ name: String) throws(FileError) {
    try perform(.link, name) { (state) throws(FileError) in
      guard state.hasHardLinks else { throw FileError(.link, name, code: ErrorCode.notSupported) }
      let inode = try state.inode(existing, .link)
      guard state.names[name] == nil else { throw FileError(.link, name, code: ErrorCode.exists) }
      state.names[name] = .file(inode)
    }
  }

  /// See `FileSystem.rename`.
  public func rename(_ old: String, _ new: String) throws(FileError) {
    try perform(.rename, new) { (state) throws(FileError) in
      guard let node = state.names[old] else { throw FileError(.rename, new, code: ErrorCode.noEntry) }
      state.names[new] = node
      state.names[old] = nil
    }
  }

  /// See `FileSystem.symbolicLink`.
  public func symbolicLink(_ target: String, _ name: String) throws(FileError) {
    try perform(.symbolicLink, name) { (state) throws(FileError) in
      guard state.names[name] == nil else { throw FileError(.symbolicLink, name, code: ErrorCode.exists) }
      state.names[name] = .link(target)
    }
  }

  /// See `FileSystem.readLink`.
  public func readLink(_ path: String) throws(FileError) -> String {
    try perform(.readLink, path) { (state) throws(FileError) in
      switch state.names[path] {
      case .link(let target)?: return target
      case .file?: throw FileError(.readLink, path, code: ErrorCode.invalid)
      case nil: throw FileError(.readLink, path, code: ErrorCode.noEntry)
      }
    }
  }

  /// See `FileSystem.unlink`.
  public func unlink(_ path: String) throws(FileError) {
    try perform(.unlink, path) { (state) throws(FileError) in
      guard state.names.removeValue(forKey: path) != nil else { throw FileError(.unlink, path, code: ErrorCode.noEntry) }
    }
  }

  /// See `FileSystem.syncDirectory`.
  public func syncDirectory(_ path: String) throws(FileError) {
    try perform(.syncDirectory, path) { (state) throws(FileError) in
      guard state.directories.contains(path) else { throw FileError(.syncDirectory, path, code: ErrorCode.noEntry) }
      for name in state.durableNames.keys where PathName.directory(of: name) == path { state.durableNames[name] = nil }
      for (name, node) in state.names where PathName.directory(of: name) == path { state.durableNames[name] = node }
    }
  }

  /// See `FileSystem.size`.
  public func size(_ path: String) throws(FileError) -> Int? {
    try perform(.size, path) { (state) throws(FileError) in
      do throws(FileError) {
        return state.inodes[try state.inode(path, .size)].content.count
      } catch {
        guard error.isNotFound else { throw error }
        return nil
      }
    }
  }

  /// See `FileSystem.exists`.
  public func exists(_ path: String) throws(FileError) -> Bool {
    try perform(.size, path) { (state) throws(FileError) in state.names[path] != nil || state.directories.contains(path) }
  }

  /// See `FileSystem.availableBytes`.
  public func availableBytes(_ path: String) throws(FileError) -> Int {
    try perform(.size, path) { (state) throws(FileError) in state.availableBytes }
  }

  /// Counts the operation, lets the armed fault strike, and runs it.
  func perform<Result>(
    _ operation: FileError.Operation, _ path: String, _ body: (inout State) throws(FileError) -> Result
  ) throws(FileError) -> Result {
    let isWriting = ![.read, .list, .readLink, .size, .unlink].contains(operation)
    let outcome = state.withLock { state -> Swift.Result<Result, FileError> in
      state.operations += 1
      state.log.append("\(state.operations) \(operation.rawValue) \(path)")
      switch state.fault {
      case .crash(let at)? where state.operations >= at: state.isCrashed = true
      case .failOnce(let at, let code)? where state.operations == at: return .failure(FileError(operation, path, code: code))
      case .failFrom(let at, let code)? where state.operations >= at && isWriting: return .failure(FileError(operation, path, code: code))
      case .failPath(let text, let code)? where path.contains(text) && isWriting: return .failure(FileError(operation, path, code: code))
      case .failWithin(let range, let code)? where range.contains(state.operations) && isWriting:
        return .failure(FileError(operation, path, code: code))
      default: break
      }
      guard !state.isCrashed else { return .failure(FileError(operation, path, code: ErrorCode.io, detail: "crashed")) }
      do throws(FileError) {
        return .success(try body(&state))
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }
}

extension InMemoryFileSystem.State {
  /// The inode of a file, symbolic links followed.
  func inode(_ path: String, _ operation: FileError.Operation) throws(FileError) -> Int {
    var path = path
    for _ in 0..<8 {
      switch names[path] {
      case .file(let inode)?: return inode
      case .link(let target)?:
        path = target.hasPrefix("/") ? target : PathName.join(PathName.directory(of: path), target)
      case nil: throw FileError(operation, path, code: directories.contains(path) ? ErrorCode.isDirectory : ErrorCode.noEntry)
      }
    }
    throw FileError(operation, path, code: ErrorCode.invalid)
  }

  /// A new empty file.
  mutating func make(_ path: String, _ operation: FileError.Operation) throws(FileError) -> Int {
    guard directories.contains(PathName.directory(of: path)) else { throw FileError(operation, path, code: ErrorCode.noEntry) }
    guard names[path] == nil else { throw FileError(operation, path, code: ErrorCode.exists) }
    inodes.append(InMemoryFileSystem.Inode())
    names[path] = .file(inodes.count - 1)
    return inodes.count - 1
  }
}

/// An open file of an `InMemoryFileSystem`.
final class InMemoryFile: WritableFile {
  private let files: InMemoryFileSystem
  private let inode: Int
  private let path: String

  init(_ files: InMemoryFileSystem, _ inode: Int, _ path: String) {
    self.files = files
    self.inode = inode
    self.path = path
  }

  func append(_ bytes: [UInt8]) throws(FileError) {
    try files.perform(.write, path) { (state) throws(FileError) in state.inodes[inode].content += bytes }
  }

  func overwrite(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    try files.perform(.write, path) { (state) throws(FileError) in
      let missing = offset + bytes.count - state.inodes[inode].content.count
      if missing > 0 { state.inodes[inode].content += [UInt8](repeating: 0, count: missing) }
      state.inodes[inode].content.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    }
  }

  func read(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
    try files.perform(.read, path) { (state) throws(FileError) in Array(state.inodes[inode].content.dropFirst(offset).prefix(count)) }
  }

  func truncate(to size: Int) throws(FileError) {
    try files.perform(.truncate, path) { (state) throws(FileError) in
      guard size >= 0, size <= state.inodes[inode].content.count else { throw FileError(.truncate, path, code: ErrorCode.invalid) }
      state.inodes[inode].content.removeLast(state.inodes[inode].content.count - size)
    }
  }

  func sync() throws(FileError) {
    try files.perform(.sync, path) { (state) throws(FileError) in state.inodes[inode].durable = state.inodes[inode].content }
  }

  func size() throws(FileError) -> Int {
    try files.perform(.size, path) { (state) throws(FileError) in state.inodes[inode].content.count }
  }

  func close() throws(FileError) {
    try files.perform(.close, path) { (state) throws(FileError) in }
  }
}

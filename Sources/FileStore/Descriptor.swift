import Glibc

/// An owned file descriptor with the loops that POSIX leaves to its callers.
final class Descriptor {
  /// -1 once closed.
  private var number: Int32
  /// For messages.
  let path: String

  private init(_ number: Int32, _ path: String) {
    self.number = number
    self.path = path
  }

  deinit { closeQuietly() }

  /// Opens with close-on-exec; new files get the mode 0666 less the umask.
  static func open(_ operation: FileError.Operation, _ path: String, _ flags: Int32) throws(FileError) -> Descriptor {
    let number = uninterrupted { Glibc.open(path, flags | O_CLOEXEC, 0o666) }
    guard number >= 0 else { throw FileError(operation, path, code: errno) }
    return Descriptor(number, path)
  }

  /// `count` bytes from `offset` on, fewer where the file ends.
  func read(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in  // filled by pread
      while filled < count {
        let got = uninterrupted { pread(number, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled)) }
        if got < 0 { failure = errno }
        guard got > 0 else { return }
        filled += got
      }
    }
    guard failure == 0 else { throw FileError(.read, path, code: failure) }
    return bytes
  }

  /// Everything from the start to the end.
  func readAll(limit: Int) throws(FileError) -> [UInt8] {
    let expected = try size()
    guard expected <= limit else { throw tooLarge(limit) }
    var content: [UInt8] = []
    var offset = 0
    // One byte more than expected, so that the end is seen without growing.
    var capacity = expected + 1
    while true {
      let piece = try read(at: offset, count: capacity)
      offset += piece.count
      guard offset <= limit else { throw tooLarge(limit) }
      if content.isEmpty { content = piece } else { content += piece }
      if piece.count < capacity { return content }
      capacity = 1 << 16  // it grew while it was read
    }
  }

  /// Writes all bytes from `offset` on.
  func writeAll(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    var failure: Int32 = 0
    var done = 0
    bytes.withUnsafeBytes { buffer in  // read by pwrite
      while done < buffer.count {
        let put = uninterrupted { pwrite(number, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset + done)) }
        guard put > 0 else {
          failure = put == 0 ? EIO : errno
          return
        }
        done += put
      }
    }
    guard failure == 0 else {
      throw FileError(.write, path, code: failure, detail: "after \(done) of \(bytes.count) bytes")
    }
  }

  /// Cuts to `size` bytes.
  func truncate(to size: Int) throws(FileError) {
    guard uninterrupted({ ftruncate(number, off_t(size)) }) == 0 else { throw FileError(.truncate, path, code: errno) }
  }

  /// Waits until content and size are on stable storage.
  func sync() throws(FileError) {
    guard uninterrupted({ fsync(number) }) == 0 else { throw FileError(.sync, path, code: errno) }
  }

  /// Size by the descriptor, not by the name.
  func size() throws(FileError) -> Int {
    var status = stat()
    guard uninterrupted({ fstat(number, &status) }) == 0 else { throw FileError(.size, path, code: errno) }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw FileError(.size, path, code: EISDIR) }
    return Int(status.st_size)
  }

  /// Closes and reports what earlier writes left to say (network file systems do); never repeated, also not after EINTR.
  func close() throws(FileError) {
    guard number >= 0 else { throw FileError(.close, path, code: EBADF) }
    let result = Glibc.close(number)
    number = -1
    guard result == 0 || errno == EINTR else { throw FileError(.close, path, code: errno) }
  }

  /// Closes if open.
  func closeQuietly() {
    if number >= 0 { _ = Glibc.close(number) }
    number = -1
  }

  private func tooLarge(_ limit: Int) -> FileError {
    FileError(.read, path, code: EFBIG, detail: "at most \(limit) bytes are read")
  }
}

/// `WritableFile` over a descriptor.
final class POSIXFile: WritableFile {
  private let descriptor: Descriptor

  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  func append(_ bytes: [UInt8]) throws(FileError) { try descriptor.writeAll(bytes, at: descriptor.size()) }

  func overwrite(_ bytes: [UInt8], at offset: Int) throws(FileError) { try descriptor.writeAll(bytes, at: offset) }

  func read(at offset: Int, count: Int) throws(FileError) -> [UInt8] { try descriptor.read(at: offset, count: count) }

  func truncate(to size: Int) throws(FileError) {
    let present = try descriptor.size()
    guard size >= 0, size <= present else {
      throw FileError(.truncate, descriptor.path, code: EINVAL, detail: "cannot cut \(present) bytes to \(size)")
    }
    try descriptor.truncate(to: size)
  }

  func sync() throws(FileError) { try descriptor.sync() }

  func size() throws(FileError) -> Int { try descriptor.size() }

  func close() throws(FileError) { try descriptor.close() }
}

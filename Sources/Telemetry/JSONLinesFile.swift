import FileStore

/// An append-only file of one JSON record a line, with an offset that a checkpoint can name and a resume can return to.
///
/// Lines wait in memory until `flush` has made them durable. They are written at the offset where they belong, not at the end: a flush that failed
/// half way is repeated over itself, and a process that was overtaken by another one can only write the bytes that stand there already.
public struct JSONLinesFile {
  /// Path of the file.
  public let path: String
  private let file: any WritableFile
  private var pending: [UInt8] = []
  /// Bytes that are durable.
  private var written = 0

  /// Bytes of the file after the next successful `flush`: the offset that a checkpoint published later may name.
  public var offset: Int { written + pending.count }

  /// Opens `path`, which is made if absent. Nothing is changed before `cut`.
  public init(path: String, files: any FileSystem) throws(FileError) {
    self.path = path
    file = try files.open(path, create: true)
  }

  /// Cuts the file to `offset` and goes on from there: what lies beyond belongs to an attempt that was cut off.
  ///
  /// - Throws: `FileError`; of the operation `truncate` when the file is shorter than `offset`, because records that a checkpoint counts on are gone.
  public mutating func cut(to offset: Int) throws(FileError) {
    let size = try file.size()
    guard size >= offset else {
      throw FileError(.truncate, path, code: ErrorCode.io, detail: "\(size) bytes, but the checkpoint counts on \(offset)")
    }
    if size > offset { try file.truncate(to: offset) }
    written = offset
  }

  /// Adds whole lines, each with its line end.
  public mutating func append(_ lines: [UInt8]) { pending.append(contentsOf: lines) }

  /// Writes what is pending, syncs it and compares it with what the file then holds.
  public mutating func flush() throws(FileError) {
    guard !pending.isEmpty else { return }
    try file.overwrite(pending, at: written)
    try file.sync()
    guard try file.read(at: written, count: pending.count) == pending else {
      throw FileError(.verify, path, code: ErrorCode.io, detail: "the bytes read back differ from those written")
    }
    written += pending.count
    pending.removeAll(keepingCapacity: true)
  }
}

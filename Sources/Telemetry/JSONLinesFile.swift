import FileStore

/// An append-only file of one JSON record a line, with an offset that a checkpoint can name and a resume can return to.
///
/// Records wait in memory until `flush`, which makes them durable; bytes beyond the offset a resumed run begins at belong to an attempt that was
/// cut off and are removed, so an interrupted run's file equals an undisturbed one's.
public struct JSONLinesFile {
  /// Path of the file.
  public let path: String
  private let file: any WritableFile
  private var pending: [UInt8] = []
  private var written: Int

  /// Bytes of the file when everything pending is written.
  public var offset: Int { written + pending.count }

  /// Opens `path` and cuts it to `offset`.
  ///
  /// - Throws: `FileError`; also when the file is shorter than `offset`, because records that a checkpoint counts on are gone.
  public init(path: String, offset: Int, files: any FileSystem) throws(FileError) {
    self.path = path
    file = try files.open(path, create: true)
    let size = try file.size()
    guard size >= offset else {
      throw FileError(.truncate, path, code: ErrorCode.io, detail: "\(size) bytes, but the checkpoint counts on \(offset)")
    }
    if size > offset { try file.truncate(to: offset) }
    written = offset
  }

  /// Adds one line.
  public mutating func append(_ record: MetricRecord) {
    pending.append(contentsOf: record.json.utf8)
    pending.append(UInt8(ascii: "\n"))
  }

  /// Writes and syncs what is pending.
  public mutating func flush() throws(FileError) {
    if !pending.isEmpty {
      try file.append(pending)
      written += pending.count
      pending.removeAll(keepingCapacity: true)
    }
    try file.sync()
  }
}

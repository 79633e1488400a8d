/// Files that `torch.load(path, weights_only=True)` reads, with and without `mmap=True`, and that this module reads back.
public enum TorchFile {
  /// The record with the value tree.
  public static let pickleRecord = "data.pkl"

  /// A whole file from a value tree.
  ///
  /// - Parameter archiveName: name of the root folder; by convention the file's name without `.pt`.
  public static func encode(_ value: TorchValue, archiveName: String) throws(TorchFormatError) -> [UInt8] {
    let records = try records(value)
    var writer = ArchiveWriter(root: archiveName, reservingBytes: size(of: records))
    for record in records { try writer.append(record) }
    return writer.finish()
  }

  /// The records that PyTorch's own writer would make, in its order; a caller may add its own after them.
  public static func records(_ value: TorchValue) throws(TorchFormatError) -> [ArchiveRecord] {
    let pickle = try PickleWriter(value)
    var records = [
      ArchiveRecord(name: pickleRecord, bytes: pickle.stream),
      ArchiveRecord(name: ".format_version", bytes: Array("1".utf8)),
      ArchiveRecord(name: ".storage_alignment", bytes: Array("64".utf8)),
      ArchiveRecord(name: "byteorder", bytes: Array("little".utf8)),
    ]
    for (index, bytes) in pickle.storages.enumerated() { records.append(ArchiveRecord(name: "data/\(index)", bytes: bytes)) }
    records.append(ArchiveRecord(name: "version", bytes: Array("3\n".utf8)))
    records.append(ArchiveRecord(name: ".data/serialization_id", bytes: serializationID(records)))
    return records
  }

  /// An upper bound of the archive's size, so that the writer does not grow its array.
  public static func size(of records: [ArchiveRecord]) -> Int {
    records.reduce(1024) { $0 + $1.bytes.count + 2 * $1.name.utf8.count + 512 }
  }

  /// The value tree of a file, its own or one of PyTorch's. Checks CRC-32 of every record it uses.
  public static func decode(_ bytes: [UInt8]) throws(TorchFormatError) -> TorchValue {
    try decode(ArchiveReader(bytes)).value
  }

  /// The value tree of an archive, and for each tensor the storage key (the `N` of `data/N`) and dotted path.
  public static func decode(
    _ archive: ArchiveReader
  ) throws(TorchFormatError) -> (value: TorchValue, storages: [(key: String, path: String)]) {
    if let order = try archive.record("byteorder"), order != Array("little".utf8) {
      throw TorchFormatError(.tensor, record: "byteorder", "only little-endian files are read")
    }
    guard let stream = try archive.record(pickleRecord) else {
      throw TorchFormatError(.missingRecord, record: pickleRecord, "the record is missing: not a PyTorch file")
    }
    var machine = PickleMachine(stream)
    let item = try machine.run()
    let storages = StorageRecords(archive)
    var tree = PickleTree(machine.containers) { (key) throws(TorchFormatError) in try storages.content("data/\(key)") }
    let value = try tree.value(item)
    return (value, tree.storagePaths)
  }

  /// Storage key and dotted path of each tensor of an archive whose contents may be damaged; empty if its pickle does not tell.
  public static func tensorPaths(_ archive: ArchiveReader) -> [(key: String, path: String)] {
    guard let entry = archive.entry(pickleRecord) else { return [] }
    var machine = PickleMachine(Array(archive.bytes[entry.range]))
    guard let item = try? machine.run() else { return [] }
    var tree = PickleTree(machine.containers, fetch: nil)
    return (try? tree.value(item)) == nil ? [] : tree.storagePaths
  }

  /// Forty decimal digits that depend on names and contents, as PyTorch's do; nobody checks them.
  private static func serializationID(_ records: [ArchiveRecord]) -> [UInt8] {
    var names: UInt64 = 0xCBF2_9CE4_8422_2325
    var contents: UInt64 = 0xCBF2_9CE4_8422_2325
    let checksum = CRC32()
    for record in records {
      for byte in record.name.utf8 { names = (names ^ UInt64(byte)) &* 0x100_0000_01B3 }
      let start = Array(record.bytes.prefix(4096))
      contents = (contents ^ UInt64(record.bytes.count) << 32 ^ UInt64(checksum(start.span.bytes))) &* 0x100_0000_01B3
    }
    let digits = [names, contents].map { number in
      let text = String(number)
      return String(repeating: "0", count: 20 - text.utf8.count) + text
    }
    return Array(digits.joined().utf8)
  }
}

/// Contents of entries by name, found by binary search: files have hundreds of them. An entry is checked and copied once, however many
/// tensors are windows of it.
private final class StorageRecords {
  private let archive: ArchiveReader
  private let sorted: [(name: [UInt8], entry: ArchiveReader.Entry)]
  private var contents: [[UInt8]?]
  private let checksum = CRC32()

  init(_ archive: ArchiveReader) {
    self.archive = archive
    sorted = archive.entries.map { (Array($0.name.utf8), $0) }.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    contents = [[UInt8]?](repeating: nil, count: sorted.count)
  }

  /// Nil if there is no entry of that name.
  func content(_ name: String) throws(TorchFormatError) -> [UInt8]? {
    let key = Array(name.utf8)
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle].name.lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
    }
    guard low < sorted.count, sorted[low].name == key else { return nil }
    if let content = contents[low] { return content }
    let content = try archive.content(sorted[low].entry, checksum: checksum)
    contents[low] = content
    return content
  }
}

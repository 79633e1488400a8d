/// A zip archive of stored entries in one root folder, parsed from bytes; PyTorch's archives are of this kind.
///
/// Structure, bounds and CRC-32 are checked; nothing is decompressed. `isCanonical` tells whether `ArchiveWriter` would write these
/// very bytes.
public struct ArchiveReader: Sendable {
  /// Where a record's bytes are.
  public struct Entry: Equatable, Sendable {
    /// Name below the root folder.
    public let name: String
    /// Start of the local header.
    public let header: Int
    /// Position of the content in the archive.
    public let range: Range<Int>
    let crc: UInt32
  }

  /// The archive.
  public let bytes: [UInt8]
  /// The folder that all entries are in.
  public let root: String
  /// All entries, in the directory's order.
  public let entries: [Entry]

  /// Parses the directory and all local headers; contents are looked at only by `record` and `verifyChecksums`.
  public init(_ bytes: [UInt8]) throws(TorchFormatError) {
    guard bytes.count <= TorchLimits.archiveBytes else {
      throw TorchFormatError(.limit, "archives have at most \(TorchLimits.archiveBytes) bytes, this one \(bytes.count)")
    }
    let end = try ArchiveReader.findEnd(bytes)
    let count = Int(bytes.little16(end + 10))
    let directorySize = Int(bytes.little32(end + 12))
    let directoryStart = Int(bytes.little32(end + 16))
    guard count != 0xFFFF, directorySize != 0xFFFF_FFFF, directoryStart != 0xFFFF_FFFF else {
      throw TorchFormatError(.limit, offset: end, "64-bit archives are not read")
    }
    guard count > 0, count <= TorchLimits.entries else { throw TorchFormatError(.container, offset: end, "\(count) entries") }
    guard directoryStart + directorySize <= end else {
      throw TorchFormatError(.container, offset: end, "the directory overlaps its end record")
    }

    var entries: [Entry] = []
    entries.reserveCapacity(count)
    var root = ""
    var cursor = directoryStart
    var total = 0
    for index in 0..<count {
      let (entry, entryRoot, length) = try ArchiveReader.entry(bytes, at: cursor, limit: directoryStart + directorySize)
      if index == 0 { root = entryRoot }
      guard entryRoot.utf8.elementsEqual(root.utf8) else {
        throw TorchFormatError(.container, record: entry.name, offset: cursor, "entries are in more than one root folder")
      }
      guard entry.range.upperBound <= directoryStart else {
        throw TorchFormatError(.container, record: entry.name, offset: cursor, "the entry's data overlaps the directory")
      }
      total += entry.range.count
      guard total <= bytes.count else { throw TorchFormatError(.container, offset: cursor, "entries overlap") }
      entries.append(entry)
      cursor += length
    }
    guard cursor == directoryStart + directorySize else {
      throw TorchFormatError(.container, offset: cursor, "the directory is longer than its entries")
    }
    let names = entries.map { Array($0.name.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    for (first, second) in zip(names, names.dropFirst()) where first == second {
      throw TorchFormatError(.container, record: String(decoding: first, as: UTF8.self), "two entries of one name")
    }
    self.bytes = bytes
    self.root = root
    self.entries = entries
  }

  /// The entry of a name.
  public func entry(_ name: String) -> Entry? { entries.first { $0.name == name } }

  /// The content of an entry, its CRC-32 checked; nil if there is none of that name.
  public func record(_ name: String) throws(TorchFormatError) -> [UInt8]? {
    guard let entry = entry(name) else { return nil }
    return try content(entry, checksum: CRC32())
  }

  /// Checks the CRC-32 of every entry.
  public func verifyChecksums() throws(TorchFormatError) {
    let checksum = CRC32()
    for entry in entries { _ = try content(entry, checksum: checksum) }
  }

  /// Whether `ArchiveWriter` makes exactly these bytes from these names and contents. The checksums are taken from the directory: `record` and
  /// `verifyChecksums` compare them with the contents.
  public var isCanonical: Bool {
    var frame = ArchiveFrame(root: root)
    var position = 0
    func has(_ part: [UInt8]) -> Bool {
      let next = position + part.count
      guard next <= bytes.count, bytes[position..<next].elementsEqual(part) else { return false }
      position = next
      return true
    }
    for entry in entries {
      guard entry.header == position, let parts = try? frame.add(entry.name, size: entry.range.count, crc: entry.crc, at: position),
        has(parts.header), entry.range.lowerBound == position
      else { return false }
      position = entry.range.upperBound
      guard has(parts.descriptor) else { return false }
    }
    return has(frame.end(at: position)) && position == bytes.count
  }

  func content(_ entry: Entry, checksum: CRC32) throws(TorchFormatError) -> [UInt8] {
    let content = Array(bytes[entry.range])
    guard checksum(content.span.bytes) == entry.crc else {
      throw TorchFormatError(.checksum, record: entry.name, offset: entry.range.lowerBound, "CRC-32 differs")
    }
    return content
  }

  /// Position of the end record, which may be followed by a comment only.
  private static func findEnd(_ bytes: [UInt8]) throws(TorchFormatError) -> Int {
    var position = bytes.count - 22
    let lowest = max(0, bytes.count - 22 - 0xFFFF)
    while position >= lowest {
      if bytes.little32(position) == ZipSignature.end, position + 22 + Int(bytes.little16(position + 20)) == bytes.count { return position }
      position -= 1
    }
    throw TorchFormatError(.container, "no end record: not a zip archive, or cut short")
  }

  /// One directory entry with its local header: the entry, its root folder, its length in the directory.
  private static func entry(_ bytes: [UInt8], at cursor: Int, limit: Int) throws(TorchFormatError) -> (Entry, String, Int) {
    guard cursor + 46 <= limit, bytes.little32(cursor) == ZipSignature.directoryEntry else {
      throw TorchFormatError(.container, offset: cursor, "no directory entry where one must be")
    }
    let nameCount = Int(bytes.little16(cursor + 28))
    let length = 46 + nameCount + Int(bytes.little16(cursor + 30)) + Int(bytes.little16(cursor + 32))
    guard cursor + length <= limit, nameCount <= TorchLimits.nameBytes else {
      throw TorchFormatError(.container, offset: cursor, "a directory entry is too long")
    }
    let nameBytes = bytes[(cursor + 46)..<(cursor + 46 + nameCount)]
    guard let slash = nameBytes.firstIndex(of: UInt8(ascii: "/")), slash > nameBytes.startIndex, slash + 1 < nameBytes.endIndex,
      let full = String(validating: nameBytes, as: UTF8.self)
    else { throw TorchFormatError(.container, offset: cursor, "an entry's name is not folder/name") }
    let root = String(decoding: nameBytes[..<slash], as: UTF8.self)
    let name = String(decoding: nameBytes[(slash + 1)...], as: UTF8.self)

    guard bytes.little16(cursor + 10) == 0, bytes.little16(cursor + 8) & 1 == 0 else {
      throw TorchFormatError(.notStored, record: name, offset: cursor, "the entry is compressed or encrypted")
    }
    let size = Int(bytes.little32(cursor + 24))
    let header = Int(bytes.little32(cursor + 42))
    guard size != 0xFFFF_FFFF, header != 0xFFFF_FFFF else { throw TorchFormatError(.limit, record: name, "64-bit entries are not read") }
    guard bytes.little32(cursor + 20) == bytes.little32(cursor + 24) else {
      throw TorchFormatError(.notStored, record: name, offset: cursor, "the two sizes of a stored entry differ")
    }
    guard header + 30 <= bytes.count, bytes.little32(header) == ZipSignature.localHeader, bytes.little16(header + 8) == 0 else {
      throw TorchFormatError(.container, record: name, offset: header, "no local header of a stored entry where the directory says")
    }
    let start = header + 30 + Int(bytes.little16(header + 26)) + Int(bytes.little16(header + 28))
    guard Int(bytes.little16(header + 26)) == nameCount, start + size <= bytes.count,
      bytes[(header + 30)..<(header + 30 + nameCount)].elementsEqual(nameBytes)
    else { throw TorchFormatError(.container, record: name, offset: header, "local header and directory of \(full) differ") }
    return (Entry(name: name, header: header, range: start..<(start + size), crc: bytes.little32(cursor + 16)), root, length)
  }
}

extension [UInt8] {
  /// Two little-endian bytes.
  func little16(_ offset: Int) -> UInt16 { UInt16(self[offset]) | UInt16(self[offset + 1]) << 8 }

  /// Four little-endian bytes.
  func little32(_ offset: Int) -> UInt32 { UInt32(little16(offset)) | UInt32(little16(offset + 2)) << 16 }
}

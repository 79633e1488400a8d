/// All of an archive but the contents of its entries: a function of names, sizes, checksums and positions. The writer puts it around contents, the
/// reader compares what it finds with it.
struct ArchiveFrame {
  /// Bytes before and after the content of one entry.
  struct Parts {
    var header: [UInt8]
    var descriptor: [UInt8]
  }

  private let root: String
  private var directory: [UInt8] = []
  private var count = 0

  /// - Parameter root: name of the folder that all entries are in.
  init(root: String) { self.root = root }

  /// Adds an entry whose local header stands at `header`.
  mutating func add(_ entry: String, size: Int, crc: UInt32, at header: Int) throws(TorchFormatError) -> Parts {
    let name = Array("\(root)/\(entry)".utf8)
    guard name.count <= TorchLimits.nameBytes else {
      throw TorchFormatError(.limit, record: entry, "names have at most \(TorchLimits.nameBytes) bytes")
    }
    guard count < TorchLimits.entries else { throw TorchFormatError(.limit, "at most \(TorchLimits.entries) entries") }
    guard header + size + directory.count + 4096 <= TorchLimits.archiveBytes else {
      throw TorchFormatError(.limit, record: entry, "archives have at most \(TorchLimits.archiveBytes) bytes")
    }
    let start = header + 30 + name.count + 4
    let padding = (ArchiveWriter.alignment - start % ArchiveWriter.alignment) % ArchiveWriter.alignment
    let flags = size > 0 ? ZipSignature.flags : ZipSignature.flagsOfEmpty

    var parts = Parts(header: [], descriptor: [])
    parts.header.appendLittle(ZipSignature.localHeader)
    parts.header.appendLittle(UInt16(0))  // version needed
    parts.header.appendLittle(flags)
    // Method, time, date, then CRC-32 and both sizes: zero here, the descriptor has them.
    parts.header.append(contentsOf: repeatElement(0, count: 6 + 12))
    parts.header.appendLittle(UInt16(name.count))
    parts.header.appendLittle(UInt16(padding + 4))
    parts.header.append(contentsOf: name)
    parts.header.append(contentsOf: [UInt8(ascii: "F"), UInt8(ascii: "B")])
    parts.header.appendLittle(UInt16(padding))
    parts.header.append(contentsOf: repeatElement(UInt8(ascii: "Z"), count: padding))
    if size > 0 {
      parts.descriptor.appendLittle(ZipSignature.descriptor)
      parts.descriptor.appendLittle(crc)
      parts.descriptor.appendLittle(UInt32(size))
      parts.descriptor.appendLittle(UInt32(size))
    }

    directory.appendLittle(ZipSignature.directoryEntry)
    directory.appendLittle(UInt32(0))  // versions made by and needed
    directory.appendLittle(flags)
    directory.append(contentsOf: repeatElement(0, count: 6))  // method, time, date
    directory.appendLittle(crc)
    directory.appendLittle(UInt32(size))
    directory.appendLittle(UInt32(size))
    directory.appendLittle(UInt16(name.count))
    directory.append(contentsOf: repeatElement(0, count: 12))  // extra, comment, disk, attributes
    directory.appendLittle(UInt32(header))
    directory.append(contentsOf: name)
    count += 1
    return parts
  }

  /// Directory and end records of an archive whose entries end at `directoryStart`.
  func end(at directoryStart: Int) -> [UInt8] {
    var bytes = directory
    let end = directoryStart + directory.count

    bytes.appendLittle(ZipSignature.end64)
    bytes.appendLittle(UInt64(44))  // bytes of this record after this field
    bytes.appendLittle(UInt16(0x031E))  // versions, as PyTorch's writer has them
    bytes.appendLittle(UInt16(45))
    bytes.appendLittle(UInt64(0))  // two disk numbers
    bytes.appendLittle(UInt64(count))
    bytes.appendLittle(UInt64(count))
    bytes.appendLittle(UInt64(directory.count))
    bytes.appendLittle(UInt64(directoryStart))

    bytes.appendLittle(ZipSignature.locator64)
    bytes.appendLittle(UInt32(0))
    bytes.appendLittle(UInt64(end))
    bytes.appendLittle(UInt32(1))

    bytes.appendLittle(ZipSignature.end)
    bytes.appendLittle(UInt32(0))  // two disk numbers
    bytes.appendLittle(UInt16(count))
    bytes.appendLittle(UInt16(count))
    bytes.appendLittle(UInt32(directory.count))
    bytes.appendLittle(UInt32(directoryStart))
    bytes.appendLittle(UInt16(0))
    return bytes
  }
}

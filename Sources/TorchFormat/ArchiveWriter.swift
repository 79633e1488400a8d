/// Writes zip archives in the one form that PyTorch's own writer has: entries stored as they are, sizes and CRC-32 in a descriptor
/// after the data (empty entries have none), the local header padded by an extra field (`FB`, filled with `Z`) so that data starts
/// at a multiple of 64 bytes, and a 64-bit end record before the ordinary one.
///
/// The bytes are a function of root folder, names and contents: there are no times, ids or choices. So a reader may write again
/// what it has read and compare, which leaves no byte of an archive unchecked.
public struct ArchiveWriter: Sendable {
  /// What data starts are a multiple of.
  public static let alignment = 64

  /// Everything written so far.
  public private(set) var bytes: [UInt8] = []
  private let root: String
  private var directory: [UInt8] = []
  private var count = 0
  private let checksum = CRC32()

  /// - Parameter root: name of the folder that all entries are in.
  public init(root: String, reservingBytes: Int = 0) {
    self.root = root
    bytes.reserveCapacity(reservingBytes)
  }

  /// Adds an entry.
  public mutating func append(_ record: ArchiveRecord) throws(TorchFormatError) {
    let name = Array("\(root)/\(record.name)".utf8)
    let size = record.bytes.count
    guard name.count <= TorchLimits.nameBytes else {
      throw TorchFormatError(.limit, record: record.name, "names have at most \(TorchLimits.nameBytes) bytes")
    }
    guard count < TorchLimits.entries else { throw TorchFormatError(.limit, "at most \(TorchLimits.entries) entries") }
    guard bytes.count + size + directory.count + 4096 <= TorchLimits.archiveBytes else {
      throw TorchFormatError(.limit, record: record.name, "archives have at most \(TorchLimits.archiveBytes) bytes")
    }
    let header = bytes.count
    let start = header + 30 + name.count + 4
    let padding = (ArchiveWriter.alignment - start % ArchiveWriter.alignment) % ArchiveWriter.alignment
    let crc = checksum(record.bytes.span.bytes)
    let flags = size > 0 ? ZipSignature.flags : ZipSignature.flagsOfEmpty

    bytes.appendLittle(ZipSignature.localHeader)
    bytes.appendLittle(UInt16(0))  // version needed
    bytes.appendLittle(flags)
    // Method, time, date, then CRC-32 and both sizes: zero here, the descriptor has them.
    bytes.append(contentsOf: repeatElement(0, count: 6 + 12))
    bytes.appendLittle(UInt16(name.count))
    bytes.appendLittle(UInt16(padding + 4))
    bytes.append(contentsOf: name)
    bytes.append(contentsOf: [UInt8(ascii: "F"), UInt8(ascii: "B")])
    bytes.appendLittle(UInt16(padding))
    bytes.append(contentsOf: repeatElement(UInt8(ascii: "Z"), count: padding))
    bytes.append(contentsOf: record.bytes)
    if size > 0 {
      bytes.appendLittle(ZipSignature.descriptor)
      bytes.appendLittle(crc)
      bytes.appendLittle(UInt32(size))
      bytes.appendLittle(UInt32(size))
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
  }

  /// Ends the archive and returns its bytes.
  public consuming func finish() -> [UInt8] {
    let directoryStart = bytes.count
    bytes.append(contentsOf: directory)
    let end = bytes.count

    bytes.appendLittle(ZipSignature.end64)
    bytes.appendLittle(UInt64(44))  // bytes of this record after this field
    bytes.appendLittle(UInt16(0x031E))  // versions, as PyTorch's writer has them
    bytes.appendLittle(UInt16(45))
    bytes.appendLittle(UInt64(0))  // two disk numbers
    bytes.appendLittle(UInt64(count))
    bytes.appendLittle(UInt64(count))
    bytes.appendLittle(UInt64(end - directoryStart))
    bytes.appendLittle(UInt64(directoryStart))

    bytes.appendLittle(ZipSignature.locator64)
    bytes.appendLittle(UInt32(0))
    bytes.appendLittle(UInt64(end))
    bytes.appendLittle(UInt32(1))

    bytes.appendLittle(ZipSignature.end)
    bytes.appendLittle(UInt32(0))  // two disk numbers
    bytes.appendLittle(UInt16(count))
    bytes.appendLittle(UInt16(count))
    bytes.appendLittle(UInt32(end - directoryStart))
    bytes.appendLittle(UInt32(directoryStart))
    bytes.appendLittle(UInt16(0))
    return bytes
  }
}

/// Constants of the zip format (PKWARE's APPNOTE).
enum ZipSignature {
  static let localHeader: UInt32 = 0x0403_4B50
  static let descriptor: UInt32 = 0x0807_4B50
  static let directoryEntry: UInt32 = 0x0201_4B50
  static let end: UInt32 = 0x0605_4B50
  static let end64: UInt32 = 0x0606_4B50
  static let locator64: UInt32 = 0x0706_4B50
  /// Bit 3: sizes follow the data; bit 11: names are UTF-8.
  static let flags: UInt16 = 0x0808
  /// Without bit 3.
  static let flagsOfEmpty: UInt16 = 0x0800
}

extension [UInt8] {
  /// Appends the little-endian bytes of an integer.
  mutating func appendLittle(_ value: some FixedWidthInteger & UnsignedInteger) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
  }
}

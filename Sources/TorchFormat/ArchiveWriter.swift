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
  private var frame: ArchiveFrame
  private let checksum = CRC32()

  /// - Parameter root: name of the folder that all entries are in.
  public init(root: String, reservingBytes: Int = 0) {
    frame = ArchiveFrame(root: root)
    bytes.reserveCapacity(reservingBytes)
  }

  /// Adds an entry.
  public mutating func append(_ record: ArchiveRecord) throws(TorchFormatError) {
    let parts = try frame.add(record.name, size: record.bytes.count, crc: checksum(record.bytes.span.bytes), at: bytes.count)
    bytes.append(contentsOf: parts.header)
    bytes.append(contentsOf: record.bytes)
    bytes.append(contentsOf: parts.descriptor)
  }

  /// Ends the archive and returns its bytes.
  public consuming func finish() -> [UInt8] {
    bytes.append(contentsOf: frame.end(at: bytes.count))
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

import CMPI

/// The MPI library that this program runs with.
public enum MPILibrary {
  /// Name and version as the library words them, on one line. MPI need not be started.
  public static var version: String {
    var text = [CChar](repeating: 0, count: 1024)
    let length = text.withUnsafeMutableBufferPointer { buffer in
      // Never nil: the buffer is not empty.
      buffer.baseAddress.map { cmpi_library_version($0, Int32(buffer.count)) } ?? 0
    }
    let bytes = text.prefix(min(Int(length), text.count - 1)).map(UInt8.init(bitPattern:))
    return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}

/// Why bytes are not an archive that this module reads, or a value not one that it writes.
public struct TorchFormatError: Error, Equatable, Sendable {
  /// The kinds of failure.
  public enum Code: String, Equatable, Sendable {
    /// No zip archive, or one whose structure does not add up.
    case container
    /// An entry is compressed, encrypted or otherwise not stored plainly.
    case notStored
    /// A record's CRC-32 differs.
    case checksum
    /// A record that must be there is not.
    case missingRecord
    /// The pickle stream is malformed or uses an operation that is not read.
    case pickle
    /// The pickle asks for a class or function that is not on the list.
    case refusedGlobal
    /// A tensor's description does not fit its storage.
    case tensor
    /// A limit of this module is exceeded.
    case limit
    /// A value cannot be written.
    case value
  }

  /// The kind.
  public let code: Code
  /// Name of the record, such as `data.pkl`; empty for the container itself.
  public let record: String
  /// Byte offset in the record (or in the file, for the container), if there is one.
  public let offset: Int?
  /// What was found and expected.
  public let reason: String

  /// All parts.
  public init(_ code: Code, record: String = "", offset: Int? = nil, _ reason: String) {
    self.code = code
    self.record = record
    self.offset = offset
    self.reason = reason
  }
}

extension TorchFormatError: CustomStringConvertible {
  /// `record, offset n: reason`.
  public var description: String {
    let place = [record, offset.map { "offset \($0)" } ?? ""].filter { !$0.isEmpty }.joined(separator: ", ")
    return place.isEmpty ? reason : "\(place): \(reason)"
  }
}

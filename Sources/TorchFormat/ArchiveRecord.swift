/// One entry of an archive: its name below the root folder, and its bytes.
public struct ArchiveRecord: Equatable, Sendable {
  /// Such as `data.pkl` or `data/12`; without the root folder.
  public let name: String
  /// The content.
  public let bytes: [UInt8]

  /// A record.
  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}

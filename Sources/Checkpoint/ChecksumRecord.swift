import Hashing

/// The record `checksums.json`: format version, state digest, and a SHA-256 for each entry before it.
///
/// Written one entry a line in a fixed form, so that it is read by comparing lines; any JSON reader takes it too.
struct ChecksumRecord: Equatable {
  static let name = "checksums.json"
  /// Version of the checkpoint format.
  static let version = 1

  let stateDigest: Digest
  let entries: [(name: String, digest: Digest)]

  /// The record's bytes. Entry names are made by this program and need no escapes.
  var bytes: [UInt8] {
    var text = "{\n  \"format\": \"ppo-chunked-checkpoint\",\n  \"format_version\": \(ChecksumRecord.version),\n"
    text += "  \"state_sha256\": \"\(stateDigest.hex)\",\n  \"sha256\": {\n"
    text += entries.map { "    \"\($0.name)\": \"\($0.digest.hex)\"" }.joined(separator: ",\n")
    text += "\n  }\n}\n"
    return Array(text.utf8)
  }

  init(stateDigest: Digest, entries: [(name: String, digest: Digest)]) {
    self.stateDigest = stateDigest
    self.entries = entries
  }

  /// Why bytes are not such a record.
  enum Failure: Error, Equatable {
    case version(String)
    case malformed
  }

  /// Reads the fixed form and nothing else.
  init(bytes: [UInt8]) throws(Failure) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    guard lines.count >= 9, lines[1] == "  \"format\": \"ppo-chunked-checkpoint\"," else { throw .malformed }
    guard lines[2] == "  \"format_version\": \(ChecksumRecord.version)," else {
      throw .version(String(lines[2].filter { $0.isASCII && $0.isNumber }))
    }
    guard let state = ChecksumRecord.digest(in: lines[3]) else { throw .malformed }
    var entries: [(name: String, digest: Digest)] = []
    for line in lines[5..<(lines.count - 3)] {
      let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
      guard parts.count == 5, let digest = ChecksumRecord.digest(in: line) else { throw .malformed }
      entries.append((String(parts[1]), digest))
    }
    self.init(stateDigest: state, entries: entries)
    guard self.bytes == bytes else { throw .malformed }
  }

  private static func digest(in line: String) -> Digest? {
    let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
    return parts.count == 5 ? Digest(hex: String(parts[3])) : nil
  }

  static func == (left: ChecksumRecord, right: ChecksumRecord) -> Bool { left.bytes == right.bytes }
}

import FileStore
import Hashing
import TorchFormat

/// A checkpoint as bytes, ready to be published under `name`.
public struct EncodedCheckpoint: Equatable, Sendable {
  /// File name.
  public let name: String
  /// Step inside.
  public let step: Int
  /// Digest of the state inside.
  public let stateDigest: Digest
  /// The whole file.
  public let bytes: [UInt8]
}

/// Contents that were read and verified.
public struct LoadedCheckpoint: Equatable, Sendable {
  /// File name.
  public let name: String
  /// What it holds.
  public let contents: CheckpointContents
  /// Digest of the state inside; equal to `contents.stateDigest`.
  public let stateDigest: Digest
  /// The whole file, for passing on to other ranks.
  public let bytes: [UInt8]
}

/// Checkpoint contents to bytes and back.
///
/// A file is an archive that PyTorch reads, with two records more: `checksums.json` (SHA-256 per entry, of the state, format version)
/// and, as the last entry, `archive.sha256` (SHA-256 of all bytes before that entry). Everything after that entry's content is
/// compared with what the writer would write. So every byte of the file is covered.
public enum CheckpointFile {
  /// Name of the last record.
  static let archiveDigestName = "archive.sha256"

  /// The name of the checkpoint of a step.
  public static func name(step: Int) -> String {
    let digits = String(step)
    return "checkpoint_step_" + String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits + ".pt"
  }

  /// The step that a name of the form `checkpoint_step_%08d.pt` states; nil for other names.
  public static func step(inName name: String) -> Int? {
    guard name.hasPrefix("checkpoint_step_"), name.hasSuffix(".pt") else { return nil }
    let digits = name.dropFirst("checkpoint_step_".count).dropLast(".pt".count)
    guard digits.utf8.count >= 8, digits.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), let step = Int(digits),
      CheckpointFile.name(step: step) == name
    else { return nil }
    return step
  }

  /// Bytes of a checkpoint; what was written is decoded again and its state compared.
  ///
  /// - Parameter name: file name, by default that of the step. The archive's root folder is the name without `.pt`.
  public static func encode(_ contents: CheckpointContents, name: String? = nil) throws(CheckpointError) -> EncodedCheckpoint {
    let name = name ?? CheckpointFile.name(step: contents.step)
    let stateDigest = contents.stateDigest
    let bytes: [UInt8]
    do {
      let records = try TorchFile.records(contents.tree)
      let checksums = ChecksumRecord(stateDigest: stateDigest, entries: records.map { ($0.name, SHA256.hash($0.bytes)) })
      let last = ArchiveRecord(name: ChecksumRecord.name, bytes: checksums.bytes)
      let root = name.hasSuffix(".pt") ? String(name.dropLast(3)) : name
      var writer = ArchiveWriter(root: root, reservingBytes: 4096 + TorchFile.size(of: records + [last]))
      for record in records { try writer.append(record) }
      try writer.append(last)
      let digest = SHA256.hash(writer.bytes)
      try writer.append(ArchiveRecord(name: archiveDigestName, bytes: Array("\(digest.hex)\n".utf8)))
      bytes = writer.finish()
    } catch {
      throw CheckpointError(.unwritable, file: name, section: error.record, error.description)
    }
    let decoded = try decode(bytes: bytes, name: name)
    guard decoded.stateDigest == stateDigest else {
      throw CheckpointError(
        .damaged, file: name, "state changed while it was encoded (\(stateDigest.short) became \(decoded.stateDigest.short))")
    }
    return EncodedCheckpoint(name: name, step: contents.step, stateDigest: stateDigest, bytes: bytes)
  }

  /// Verifies every byte and returns the contents.
  ///
  /// - Parameter name: for messages; the file may have been renamed since it was written.
  public static func decode(bytes: [UInt8], name: String) throws(CheckpointError) -> LoadedCheckpoint {
    do {
      let archive = try ArchiveReader(bytes)
      guard let last = archive.entries.last, last.name == archiveDigestName, archive.entry(ChecksumRecord.name) != nil else {
        throw CheckpointError(
          .foreign, file: name,
          archive.entry(TorchFile.pickleRecord) == nil ? "not a PyTorch file" : "a PyTorch file without the checksums of a checkpoint")
      }
      let checksums = try readChecksums(archive, name)
      try verifyEntries(archive, checksums, name)
      let digest = SHA256.hash(bytes.span.bytes.extracting(0..<last.header))
      guard try archive.record(archiveDigestName) == Array("\(digest.hex)\n".utf8) else {
        throw CheckpointError(.damaged, file: name, section: archiveDigestName, "SHA-256 of the file differs (it is \(digest.short))")
      }
      guard archive.isCanonical else {
        throw CheckpointError(.damaged, file: name, "headers or directory differ from what was written")
      }
      let contents = CheckpointContents(tree: try TorchFile.decode(archive).value)
      guard let contents else {
        throw CheckpointError(.content, file: name, "step or provenance.run_id are missing")
      }
      let stateDigest = contents.stateDigest
      guard stateDigest == checksums.stateDigest else {
        throw CheckpointError(
          .damaged, file: name, "the state's SHA-256 differs (\(checksums.stateDigest.short) was written, \(stateDigest.short) was read)")
      }
      return LoadedCheckpoint(name: name, contents: contents, stateDigest: stateDigest, bytes: bytes)
    } catch let error as CheckpointError {
      throw error
    } catch let error as TorchFormatError {
      throw CheckpointError(.damaged, file: name, section: error.record, error.description)
    } catch {
      preconditionFailure("only the two error types above are thrown here")
    }
  }

  private static func readChecksums(_ archive: ArchiveReader, _ name: String) throws -> ChecksumRecord {
    let bytes = try archive.record(ChecksumRecord.name) ?? []
    do {
      return try ChecksumRecord(bytes: bytes)
    } catch .version(let version) {
      throw CheckpointError(.version, file: name, "format version \(version); this program reads \(ChecksumRecord.version)")
    } catch {
      throw CheckpointError(.damaged, file: name, section: ChecksumRecord.name, "not in the form it is written in")
    }
  }

  /// Compares each entry with its digest and names the first that differs by what it holds.
  private static func verifyEntries(_ archive: ArchiveReader, _ checksums: ChecksumRecord, _ name: String) throws(CheckpointError) {
    let entries = archive.entries.filter { $0.name != archiveDigestName && $0.name != ChecksumRecord.name }
    guard entries.map(\.name) == checksums.entries.map(\.name), archive.entries.count == entries.count + 2 else {
      throw CheckpointError(.damaged, file: name, section: ChecksumRecord.name, "lists other entries than the archive has")
    }
    for (entry, expected) in zip(entries, checksums.entries) {
      let found = SHA256.hash(archive.bytes.span.bytes.extracting(entry.range))
      guard found == expected.digest else {
        throw CheckpointError(
          .damaged, file: name, section: sectionName(of: entry.name, archive),
          "SHA-256 differs (\(expected.digest.short) was written, \(found.short) was read)")
      }
    }
  }

  /// The dotted path of the tensor in a record `data/N`, as far as the undamaged part of the file tells; else the record's name.
  private static func sectionName(of record: String, _ archive: ArchiveReader) -> String {
    TorchFile.tensorPaths(archive).first { "data/\($0.key)" == record }?.path ?? record
  }
}

import Checkpoint
import Hashing
import Testing
import TorchFormat

@Suite("Checkpoint files")
struct CheckpointFileTests {
  @Test("contents come back bit by bit, the archive is also a plain PyTorch file")
  func roundTrip() throws {
    let contents = sample(step: 16384)
    let encoded = try CheckpointFile.encode(contents)
    #expect(encoded.name == "checkpoint_step_00016384.pt" && encoded.step == 16384)
    let loaded = try CheckpointFile.decode(bytes: encoded.bytes, name: "other.pt")
    #expect(loaded.contents == contents && loaded.stateDigest == contents.stateDigest && loaded.contents.runID == "run-1")
    #expect(try TorchFile.decode(encoded.bytes) == contents.tree)
    #expect(try CheckpointFile.encode(contents).bytes == encoded.bytes)
  }

  @Test("every flipped bit is detected")
  func flips() throws {
    let bytes = try CheckpointFile.encode(sample(step: 3)).bytes
    var undetected: [Int] = []
    for position in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[position] ^= 1 << UInt8(bit)
        if (try? CheckpointFile.decode(bytes: changed, name: "x")) != nil { undetected.append(8 * position + bit) }
      }
    }
    #expect(undetected == [])
  }

  @Test("every truncation and every byte appended is detected")
  func lengths() throws {
    let bytes = try CheckpointFile.encode(sample(step: 3)).bytes
    var undetected: [Int] = []
    for length in bytes.indices where (try? CheckpointFile.decode(bytes: Array(bytes[..<length]), name: "x")) != nil {
      undetected.append(length)
    }
    #expect(undetected == [])
    for extra in [[0], Array("PK".utf8), bytes] {
      #expect(throws: CheckpointError.self) { try CheckpointFile.decode(bytes: bytes + extra, name: "x") }
    }
  }

  @Test("an error names file, section, expectation and finding")
  func message() throws {
    let contents = sample(step: 1024)
    var bytes = try CheckpointFile.encode(contents).bytes
    let archive = try ArchiveReader(bytes)
    let entry = try #require(archive.entry("data/3"))
    bytes[entry.range.lowerBound] ^= 1
    let written = SHA256.hash(Array(archive.bytes[entry.range]))
    let read = SHA256.hash(Array(bytes[entry.range]))
    #expect {
      try CheckpointFile.decode(bytes: bytes, name: "checkpoint_step_00001024.pt")
    } throws: {
      "\($0)"
        == "checkpoint_step_00001024.pt: section optimizer.v: SHA-256 differs (\(written.short) was written, \(read.short) was read)"
    }
  }

  @Test("a plain PyTorch file is no checkpoint, and text is none")
  func foreign() throws {
    let plain = try TorchFile.encode(sample(step: 1).tree, archiveName: "x")
    #expect {
      try CheckpointFile.decode(bytes: plain, name: "x")
    } throws: {
      ($0 as? CheckpointError)?.code == .foreign
    }
    #expect(throws: CheckpointError.self) { try CheckpointFile.decode(bytes: Array("hello".utf8), name: "x") }
  }

  @Test("names and steps go together")
  func names() {
    #expect(CheckpointFile.name(step: 0) == "checkpoint_step_00000000.pt")
    #expect(CheckpointFile.name(step: 1_234_567_890) == "checkpoint_step_1234567890.pt")
    for step in [0, 7, 99_999_999, 100_000_000] { #expect(CheckpointFile.step(inName: CheckpointFile.name(step: step)) == step) }
    for name in [
      "latest.pt", "checkpoint_step_1.pt", "checkpoint_step_000000001.pt", "checkpoint_step_0000000a.pt", "checkpoint_step_00000001.pt~",
      ".tmp-h-1-checkpoint_step_00000001.pt", "checkpoint_step_+0000001.pt", "checkpoint_step_99999999999999999999999.pt",
    ] { #expect(CheckpointFile.step(inName: name) == nil, "\(name)") }
  }
}

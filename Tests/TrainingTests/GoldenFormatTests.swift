import Checkpoint
import FileStore
import Foundation
import Hashing
import RunConfig
import Testing
import TorchFormat

@testable import Training

/// Runs that earlier programs wrote (`Tests/Fixtures/format-N`). Old files stay readable; a run goes on from them as the determinism rule says.
@Suite("Golden files of every format version")
struct GoldenFormatTests {
  /// One `format-N` folder.
  struct Golden: CustomTestStringConvertible, Sendable {
    let folder: URL
    var testDescription: String { folder.lastPathComponent }

    private var expected: JSONValue {
      get throws { try JSONValue(parsing: [UInt8](Data(contentsOf: folder.appending(path: "expected.json"))), name: "expected.json") }
    }
    var determinism: Int { get throws { try expected.integer("determinism_version", in: "expected.json") } }
    var formatVersion: Int { get throws { try expected.integer("format_version", in: "expected.json") } }
    var lastStep: Int { get throws { try expected.member("finished", in: "expected.json").integer("step", in: "expected.json") } }
    var model: String { get throws { try expected.member("finished", in: "expected.json").string("model_sha256", in: "expected.json") } }
    var checkpoints: [(step: Int, digest: String)] {
      get throws {
        try expected.array("checkpoints", in: "expected.json").map {
          (try $0.integer("step", in: "expected.json"), try $0.string("state_sha256", in: "expected.json"))
        }
      }
    }
  }

  static let all: [Golden] = {
    let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures").standardized
    let names = (try? FileManager.default.contentsOfDirectory(atPath: fixtures.path)) ?? []
    return names.filter { $0.hasPrefix("format-") }.sorted().map { Golden(folder: fixtures.appending(path: $0)) }
  }()

  /// SHA-256 of the parameters, tensors in file order.
  private func model(_ loaded: LoadedCheckpoint) throws -> String {
    SHA256.hash(try #require(loaded.contents["model_state_dict"]?.entries).flatMap { $0.1.tensor?.bytes ?? [] }).hex
  }

  private func log(_ harness: TrainingHarness) throws -> String {
    String(decoding: try harness.files.read("run/logs/ppo_training.log", limit: 1 << 20), as: UTF8.self)
  }

  @Test("every version up to the present one has its files")
  func complete() throws {
    let versions = try Self.all.map { try $0.formatVersion }
    #expect(versions == Array(1..<(versions.count + 1)))
    #expect(versions.count >= RunRecord.formatVersion - 1, "write a golden run with the last program of a version before the next begins")
  }

  @Test("checkpoints verify and have the state that their program printed", arguments: all)
  func reads(golden: Golden) throws {
    let harness = try TrainingHarness(runDirectory: golden.folder.appending(path: "run"))
    let expected = try golden.checkpoints
    #expect(try harness.checkpointSteps == expected.map(\.step) && !expected.isEmpty)
    for (step, digest) in expected { #expect(try harness.checkpoint(step: step).stateDigest.hex == digest) }
    #expect(try harness.progress.latestStateSHA256 == expected.last?.digest)
  }

  @Test("from the end of a chunk the run goes on, to the old program's parameters if no bit may have changed since", arguments: all)
  func fromChunkEnd(golden: Golden) throws {
    let harness = try TrainingHarness(runDirectory: golden.folder.appending(path: "run"))
    #expect(try harness.run(ranks: 2) == .success(.finished))
    let last = try harness.checkpoint()
    #expect(try last.contents.step == golden.lastStep)
    if try golden.determinism == determinismVersion {
      #expect(try model(last) == golden.model)
    } else {
      #expect(try log(harness).contains("[Warning] determinism version \(golden.determinism)"))
    }
  }

  @Test("inside a chunk it goes on to the same parameters, or is refused with both versions and left alone", arguments: all)
  func fromInsideChunk(golden: Golden) throws {
    let harness = try TrainingHarness(runDirectory: golden.folder.appending(path: "run"))
    let end = CheckpointFile.name(step: try #require(try golden.checkpoints.last).step)
    try harness.files.unlink("run/checkpoints/" + end)
    let before = harness.files.allNames
    let result = try harness.run(ranks: 1)
    if try golden.determinism == determinismVersion {
      #expect(result == .success(.finished))
      #expect(try model(harness.checkpoint()) == golden.model)
    } else {
      guard case .failure(let error) = result else {
        Issue.record("a chunk begun under another determinism version was continued")
        return
      }
      #expect(error.code == .mismatch)
      #expect(try error.message.contains("determinism version \(golden.determinism); this program has \(determinismVersion)"))
      #expect(harness.files.allNames.filter { !$0.hasPrefix("run/run.lock") && !$0.hasPrefix("run/logs") } == before)
    }
  }
}

extension TrainingHarness {
  /// A copy of a run directory on the real disk, with the configuration it was written under.
  init(runDirectory: URL) throws {
    try self.init()
    func path(_ name: String) -> String { "run/" + name }
    for name in try FileManager.default.subpathsOfDirectory(atPath: runDirectory.path) {
      let url = runDirectory.appending(path: name)
      if try url.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true {
        try files.createDirectory(path(name))
      } else {
        try files.createDirectory(PathName.directory(of: path(name)))
        try files.createFile(path(name), [UInt8](Data(contentsOf: url)))
      }
    }
    let text = try files.read(path("config.resolved.json"), limit: 1 << 20)
    configuration = try Configuration(parsing: text, name: "config.resolved.json")
  }
}

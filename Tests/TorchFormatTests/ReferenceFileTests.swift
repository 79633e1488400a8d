import Foundation
import Testing
import TorchFormat

/// A file written by PyTorch itself, beside the checkout or beside the folder it is in.
private let referencePath =
  ["../../../shared", "../../../../shared"].map {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "\($0)/data/checkpoints/checkpoint_step_00003427.pt").standardized
      .path
  }.first { FileManager.default.fileExists(atPath: $0) } ?? ""

@Suite("A file of PyTorch's own", .enabled(if: !referencePath.isEmpty, "no reference checkpoint beside the checkout"))
struct ReferenceFileTests {
  private func load() throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: referencePath))) }

  @Test("it loads: 46 tensors, step, normalizer")
  func loads() throws {
    let tree = try TorchFile.decode(load())
    #expect(tree["step"] == .int(3427))
    let model = try #require(tree["model_state_dict"])
    guard case .orderedDictionary(let tensors) = model else { return #expect(Bool(false), "an ordered dictionary") }
    #expect(tensors.count == 46)
    #expect(tensors.allSatisfy { $0.1.tensor?.dtype == .float32 })
    #expect(model["feature_proj.0.weight"]?.tensor?.shape == [310])
    #expect(model["feature_proj.1.weight"]?.tensor?.shape == [256, 310])
    let floats = try #require(model["feature_proj.1.weight"]?.tensor?.floats)
    #expect(floats.count == 256 * 310 && floats.allSatisfy { $0.isFinite && abs($0) < 10 })
    #expect(tree["model_config"]?["state_dim"] == .int(310))
  }

  @Test("the container's bytes are those that our writer makes of the same records")
  func canonical() throws {
    let archive = try ArchiveReader(load())
    try archive.verifyChecksums()
    #expect(archive.isCanonical)
  }

  @Test("its values survive our form")
  func rewritten() throws {
    let tree = try TorchFile.decode(load())
    #expect(try TorchFile.decode(TorchFile.encode(tree, archiveName: "again")) == tree)
  }
}

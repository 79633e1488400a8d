import Checkpoint
import FileStore
import Foundation
import TorchFormat
import Training

/// A checkpoint as people name it: a file, or a run directory, which stands for its newest one.
struct CheckpointArgument {
  let path: String

  /// Reads and verifies a checkpoint of this program.
  func load() throws(TrainingError) -> LoadedCheckpoint {
    let bytes = try bytes()
    do throws(CheckpointError) {
      return try CheckpointFile.decode(bytes: bytes, name: resolved)
    } catch {
      throw TrainingError(.badData, error.description)
    }
  }

  /// The policy of a checkpoint of this program or of its predecessor.
  func policy() throws(TrainingError) -> PolicyModel {
    switch try content() {
    case .checkpoint(let loaded): return try PolicyModel(loaded, configuration: try TrainedPolicy.configuration(of: loaded))
    case .reference(let tree): return try PolicyModel(reference: tree, file: resolved)
    }
  }

  /// What a file may be.
  enum Content {
    case checkpoint(LoadedCheckpoint)
    case reference(TorchValue)
  }

  /// Reads either kind of file. One of our own is never taken for the other: it is verified or refused.
  func content() throws(TrainingError) -> Content {
    let bytes = try bytes()
    do throws(CheckpointError) {
      return .checkpoint(try CheckpointFile.decode(bytes: bytes, name: resolved))
    } catch {
      if error.code == .foreign, let tree = try foreign(bytes) { return .reference(tree) }
      throw TrainingError(.badData, error.description)
    }
  }

  /// The tree of a file of PyTorch's that the predecessor wrote; nil for other files.
  private func foreign(_ bytes: [UInt8]) throws(TrainingError) -> TorchValue? {
    guard let archive = try? ArchiveReader(bytes), archive.entry(TorchFile.pickleRecord) != nil else { return nil }
    do throws(TorchFormatError) {
      let tree = try TorchFile.decode(archive).value
      return PolicyModel.isReference(tree) ? tree : nil
    } catch {
      throw TrainingError(.badData, "\(resolved): \(error)")
    }
  }

  private func bytes() throws(TrainingError) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: resolved) else {
      throw TrainingError(.missingInput, "\(resolved): no such checkpoint")
    }
    return [UInt8](data)
  }

  /// The file itself.
  var resolved: String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else { return path }
    return RunDirectory(root: path).checkpoints + "/latest.pt"
  }
}

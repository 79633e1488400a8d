import Checkpoint
import FileStore
import Foundation
import Training

/// A checkpoint as people name it: a file, or a run directory, which stands for its newest one.
struct CheckpointArgument {
  let path: String

  /// Reads and verifies the file.
  func load() throws(TrainingError) -> LoadedCheckpoint {
    let file = resolved
    guard let data = FileManager.default.contents(atPath: file) else {
      throw TrainingError(.missingInput, "\(file): no such checkpoint")
    }
    do throws(CheckpointError) {
      return try CheckpointFile.decode(bytes: [UInt8](data), name: file)
    } catch {
      throw TrainingError(.badData, error.description)
    }
  }

  private var resolved: String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else { return path }
    return RunDirectory(root: path).checkpoints + "/latest.pt"
  }
}

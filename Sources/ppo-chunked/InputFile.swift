import Foundation
import Training

/// A file that the user named.
enum InputFile {
  /// Its bytes; `what` says in the message what was expected there.
  static func read(_ path: String, what: String) throws(TrainingError) -> [UInt8] {
    if let data = FileManager.default.contents(atPath: path) { return [UInt8](data) }
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw TrainingError(.missingInput, "\(path): no such \(what)")
    }
    throw TrainingError(.missingInput, "\(path): \(isDirectory.boolValue ? "a directory" : "cannot be read"), expected a \(what)")
  }
}

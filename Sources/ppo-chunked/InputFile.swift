import Foundation
import Training

/// A file that the user named.
enum InputFile {
  /// Its bytes; `what` says in the message what was expected there.
  static func read(_ path: String, what: String) throws(TrainingError) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else { throw TrainingError(.missingInput, "\(path): no such \(what)") }
    return [UInt8](data)
  }
}

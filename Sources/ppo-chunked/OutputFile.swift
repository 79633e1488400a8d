import FileStore
import Training

/// A result that a command writes under a name the user gave: whole or not at all, and durable when the command ends.
enum OutputFile {
  static func write(_ bytes: [UInt8], to path: String) throws(TrainingError) {
    let process = ProcessIdentity.current()
    let publisher = AtomicPublish(files: POSIXFileSystem(), host: process.host, pid: process.pid)
    do throws(FileError) {
      try publisher.replace(path, bytes)
    } catch {
      throw TrainingError(error.isNotFound || error.isNotPermitted ? .outputUnusable : .inputOutput, error.description)
    }
  }
}

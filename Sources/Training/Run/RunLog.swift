import FileStore

/// The log of a run: every line goes to the console, to `logs/ppo_training.log` and to the log of the chunk's present attempt. Rank 0 only.
final class RunLog {
  private let services: RunServices
  private let directory: RunDirectory
  private let files: any FileSystem
  private let whole: any WritableFile
  private var chunk: (any WritableFile)?

  init(directory: RunDirectory, files: any FileSystem, services: RunServices) throws(FileError) {
    self.directory = directory
    self.files = files
    self.services = services
    whole = try files.open(directory.trainingLog, create: true)
  }

  /// Further lines also go to the log of this attempt.
  func enter(_ record: ChunkRecord) {
    chunk = try? files.open(directory.root + "/" + record.log, create: true)
  }

  /// One line to the console and the files.
  func write(_ line: String) {
    services.log(line)
    record(line)
  }

  /// One line to the files alone. A log that cannot be written must not stop training.
  func record(_ line: String) {
    let bytes = [UInt8]("\(services.timestamp()) \(line)\n".utf8)
    try? whole.append(bytes)
    try? chunk?.append(bytes)
  }
}

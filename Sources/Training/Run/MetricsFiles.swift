import FileStore
import Synchronization
import Telemetry

/// Lines for the files under `metrics/` that no save has taken over yet.
struct MetricsBatch: Sendable {
  var rollouts: [UInt8] = []
  var updates: [UInt8] = []
  var episodes: [UInt8] = []
  var evaluations: [UInt8] = []

  /// Adds the records of one iteration.
  mutating func append(_ report: IterationReport) {
    rollouts += report.rollout.line
    if let update = report.update { updates += update.line }
    for episode in report.episodes { episodes += episode.line }
    if let evaluation = report.evaluation { evaluations += evaluation.line }
  }
}

/// The files under `metrics/` with the offsets that checkpoints name. Saves write them, on whatever thread they run.
final class MetricsFiles: Sendable {
  /// Names and bytes of the files, as a checkpoint's provenance keeps them.
  struct Offsets: Equatable, Sendable {
    var rollouts = 0
    var updates = 0
    var episodes = 0
    var evaluations = 0
  }

  private struct Files {
    var rollouts: JSONLinesFile
    var updates: JSONLinesFile
    var episodes: JSONLinesFile
    var evaluations: JSONLinesFile
  }

  private let files: Mutex<Files>

  /// Opens the files and cuts off what an attempt wrote after the checkpoint that `offsets` come from.
  ///
  /// An owner that was taken for dead may wake up with the files open. If it can, they are replaced by copies first, so that it writes to files that
  /// nobody sees any more; and ownership is checked between opening and cutting, so that it cannot open the copies and cut those.
  init(directory: RunDirectory, offsets: Offsets, publisher: AtomicPublish, lock: RunLock) throws(TrainingError) {
    let paths = ["rollouts", "updates", "episodes", "evaluations"].map { "\(directory.metrics)/\($0).jsonl" }
    if lock.predecessorMayLive {
      try FileFailure.wrap { () throws(FileError) in
        for path in paths where try publisher.files.exists(path) {
          try publisher.replace(path, try publisher.files.read(path, limit: Self.bytesMax))
        }
      }
    }
    var opened = try FileFailure.wrap { () throws(FileError) in
      var opened: [JSONLinesFile] = []
      for path in paths { opened.append(try JSONLinesFile(path: path, files: publisher.files)) }
      // A checkpoint will count on these names after a power cut.
      try publisher.files.syncDirectory(directory.metrics)
      return opened
    }
    try LockFailure.wrap { () throws(RunLockError) in try lock.verifyOwnership() }
    do throws(FileError) {
      for (i, offset) in [offsets.rollouts, offsets.updates, offsets.episodes, offsets.evaluations].enumerated() {
        try opened[i].cut(to: offset)
      }
    } catch {
      guard error.operation == .truncate else { throw FileFailure.error(error) }
      throw TrainingError(
        .badData, "\(error.path): \(error.detail); bring the file back, or use --start fresh, which moves the run aside")
    }
    files = Mutex(Files(rollouts: opened[0], updates: opened[1], episodes: opened[2], evaluations: opened[3]))
  }

  /// Takes lines over; nothing is written yet.
  ///
  /// - Returns: the offsets that are safe to name once `flush` has succeeded.
  func append(_ batch: MetricsBatch) -> Offsets {
    files.withLock { files in
      files.rollouts.append(batch.rollouts)
      files.updates.append(batch.updates)
      files.episodes.append(batch.episodes)
      files.evaluations.append(batch.evaluations)
      return Offsets(
        rollouts: files.rollouts.offset, updates: files.updates.offset, episodes: files.episodes.offset,
        evaluations: files.evaluations.offset)
    }
  }

  /// Makes everything so far durable. What could not be written is kept for the next call.
  func flush() throws(FileError) {
    let failure: FileError? = files.withLock { files in
      do throws(FileError) {
        try files.rollouts.flush()
        try files.updates.flush()
        try files.episodes.flush()
        try files.evaluations.flush()
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }

  /// Largest file that is copied at a takeover.
  private static let bytesMax = 1 << 40
}

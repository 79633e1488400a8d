import Checkpoint
import FileStore
import Hashing
import RunConfig
import Telemetry
import TorchFormat

/// Rank 0's hand on the run directory: the only code of a run that writes there.
///
/// Order of a save: metrics are made durable, then the checkpoint is published and `latest.pt` moved, then the progress file names it, then old
/// checkpoints are removed. A kill between any two of these leaves a state that the next start understands.
final class RunKeeper {
  let directory: RunDirectory
  let files: any FileSystem
  let publisher: AtomicPublish
  let store: CheckpointStore
  let services: RunServices
  let lock: RunLock
  let record: RunRecord
  let worldSize: Int
  var progress: Progress
  var log: RunLog
  private var metrics: MetricsFiles
  private let timing: any WritableFile
  private var iterationStarted: Double
  private let planTotalAtStart: Int
  private let keep: Int
  private let interval: Int
  private var lastSavedStep: Int?
  private var chunkStarted = 0.0
  private var secondsBefore = 0.0
  private var lastHeartbeat = 0.0

  /// Seconds between two advances of the lock's counter.
  static let heartbeatSeconds = 2.0

  init(
    directory: RunDirectory, publisher: AtomicPublish, services: RunServices, lock: RunLock, record: RunRecord, worldSize: Int,
    progress: Progress, log: RunLog, offsets: MetricsFiles.Offsets, planTotalAtStart: Int, lastSavedStep: Int?
  ) throws(TrainingError) {
    self.directory = directory
    self.publisher = publisher
    files = publisher.files
    store = CheckpointStore(directory: directory.checkpoints, publisher: publisher)
    self.services = services
    self.lock = lock
    self.record = record
    self.worldSize = worldSize
    self.progress = progress
    self.log = log
    self.planTotalAtStart = planTotalAtStart
    self.lastSavedStep = lastSavedStep
    keep = record.configuration.checkpoint.maxCheckpoints
    interval = record.configuration.checkpoint.interval
    iterationStarted = services.monotonicSeconds()
    timing = try FileFailure.wrap { () throws(FileError) in try publisher.files.open(directory.timing, create: true) }
    do throws(FileError) {
      metrics = try MetricsFiles(directory: directory, offsets: offsets, files: publisher.files)
    } catch {
      guard error.operation == .truncate else { throw TrainingError(FileFailure.code(of: error), error.description) }
      throw TrainingError(
        .badData, "\(error.path): \(error.detail); bring the file back, or use --start fresh, which moves the run aside")
    }
  }

  // MARK: Chunks

  /// Opens the record of a chunk that begins or goes on in this attempt.
  func enterChunk(_ chunk: Int) throws(TrainingError) {
    let previous = progress.record(chunk)
    secondsBefore = previous?.seconds ?? 0
    chunkStarted = services.monotonicSeconds()
    let opened = ChunkRecord(
      chunk: chunk, attempt: (previous?.attempt ?? 0) + 1, plan: progress.plan, seconds: secondsBefore,
      started: previous?.started ?? services.timestamp(), host: services.host, job: services.job, worldSize: worldSize)
    progress.set(opened)
    try FileFailure.wrap { () throws(FileError) in try log.enter(opened) }
    try writeProgress()
  }

  /// Takes in the records of one iteration.
  func take(_ report: IterationReport) throws(TrainingError) {
    metrics.append(report)
    let now = services.monotonicSeconds()
    try time("iteration", step: report.step, seconds: now - iterationStarted)
    iterationStarted = now
  }

  /// One line of `logs/timing.jsonl`, the only file with wall-clock figures besides the progress file.
  private func time(_ what: String, step: Int, seconds: Double) throws(TrainingError) {
    var record = MetricRecord()
    record.append("time", services.timestamp())
    record.append("what", what)
    record.append("step", step)
    record.append("seconds", (seconds * 1e6).rounded() / 1e6)
    let line = [UInt8]((record.json + "\n").utf8)
    try FileFailure.wrap { () throws(FileError) in try timing.append(line) }
  }

  /// Advances the lock's counter when it is time.
  func heartbeat() throws(TrainingError) {
    let now = services.monotonicSeconds()
    guard now - lastHeartbeat >= Self.heartbeatSeconds else { return }
    lastHeartbeat = now
    try LockFailure.wrap { () throws(RunLockError) in try lock.heartbeat() }
  }

  // MARK: Saves

  /// Whether a boundary at `step` that follows one at `previous` must be saved: the step crossed a multiple of the interval.
  func isSaveDue(step: Int, previous: Int) -> Bool { step / interval != previous / interval }

  /// Saves `state` unless its step is durable already.
  ///
  /// - Parameter chunkEnd: the state is the end of its chunk, whose record it completes.
  func save(_ state: BoundaryState, chunkEnd: Bool) throws(TrainingError) {
    if lastSavedStep != state.global.step || chunkEnd {
      let started = services.monotonicSeconds()
      try LockFailure.wrap { () throws(RunLockError) in try lock.verifyOwnership() }
      let offsets = try FileFailure.wrap { () throws(FileError) in try metrics.flush() }
      let contents = record.contents(
        of: state, plan: progress.plan, chunkSize: progress.chunkSize, planTotalAtStart: planTotalAtStart, runID: progress.runID,
        offsets: offsets, provenance: provenance)
      let encoded = try CheckpointFailure.wrap { () throws(CheckpointError) in try store.save(contents) }
      lastSavedStep = state.global.step
      progress.latestCheckpoint = "checkpoints/" + encoded.name
      progress.latestStep = encoded.step
      progress.latestStateSHA256 = encoded.stateDigest.hex
      if chunkEnd, var chunk = progress.record(state.global.chunk) {
        chunk.status = .completed
        chunk.checkpoint = progress.latestCheckpoint
        chunk.stateSHA256 = encoded.stateDigest.hex
        chunk.ended = services.timestamp()
        chunk.seconds = secondsOfChunk
        chunk.exitCode = 0
        progress.set(chunk)
      }
      try writeProgress()
      _ = try CheckpointFailure.wrap { () throws(CheckpointError) in try store.rotate(keep: keep, protected: [encoded.name]) }
      let ended = services.monotonicSeconds()
      try time("save", step: state.global.step, seconds: ended - started)
      iterationStarted = ended
      log.write("[Checkpoint] saved \(encoded.name) step=\(encoded.step) state_sha256=\(encoded.stateDigest.hex)")
    }
  }

  private var secondsOfChunk: Double { secondsBefore + services.monotonicSeconds() - chunkStarted }

  private var provenance: [(String, TorchValue)] {
    [
      ("program_version", .string(services.programVersion)), ("host", .string(services.host)), ("world_size", .int(worldSize)),
      ("attempt", .int(progress.attempts)), ("fencing", .int(Int(lock.fencing))),
    ]
  }

  // MARK: Ends

  /// Records that every chunk is complete.
  func finish() throws(TrainingError) {
    progress.status = .completed
    progress.endTime = services.timestamp()
    progress.stopReason = nil
    progress.errorMessage = nil
    try writeProgress()
    try removeStopFile()
  }

  /// Records a stop with work left; the last boundary is durable already.
  func stop(_ reason: StopReason, code: ExitCode) throws(TrainingError) {
    closeOpenChunk(.interrupted, code: code)
    progress.status = .stopped
    progress.stopReason = reason.name
    try writeProgress()
    if reason == .stopFile { try removeStopFile() }
    log.write("[Stop] reason=\(reason.name) step=\(progress.latestStep) checkpoint=\(progress.latestCheckpoint ?? "none")")
  }

  /// A wish to stop holds for one job.
  private func removeStopFile() throws(TrainingError) {
    try FileFailure.wrap { () throws(FileError) in
      if try files.exists(directory.stopFile) { try files.unlink(directory.stopFile) }
    }
  }

  /// Records a failure as far as the disk allows.
  func fail(_ error: TrainingError) {
    // The program says it on standard error.
    log.record("[Error] \(error.message)")
    closeOpenChunk(.failed, code: error.code)
    progress.status = .failed
    progress.errorMessage = error.message
    do throws(TrainingError) {
      try LockFailure.wrap { () throws(RunLockError) in try lock.verifyOwnership() }
      try writeProgress()
    } catch {
      log.write("[Error] the failure could not be recorded: \(error.message)")
    }
  }

  /// Gives the run directory back.
  func release() {
    do throws(RunLockError) {
      try lock.release()
    } catch {
      log.write("[Error] \(error)")
    }
  }

  private func closeOpenChunk(_ status: ChunkRecord.Status, code: ExitCode) {
    guard var open = progress.chunks.last(where: { $0.status == .running }) else { return }
    open.status = status
    open.ended = services.timestamp()
    open.seconds = secondsOfChunk
    open.exitCode = Int(code.rawValue)
    progress.set(open)
  }

  func writeProgress() throws(TrainingError) {
    progress.lastUpdate = services.timestamp()
    let bytes = progress.fileBytes
    try FileFailure.wrap { () throws(FileError) in try publisher.replace(directory.progress, bytes) }
  }
}

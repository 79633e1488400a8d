import Checkpoint
import FileStore
import Hashing
import RunConfig
import Telemetry
import TorchFormat

/// Rank 0's hand on the run directory: the only code of a run that writes there.
///
/// Invariant: while a save is in flight (`RunKeeper+Saves.swift`), checkpoints, metrics and progress file are the writer's; the main thread touches
/// lock, logs and timings only. Every change of the progress therefore waits for the save to end.
final class RunKeeper {
  let directory: RunDirectory
  let services: RunServices
  let worldSize: Int
  var progress: Progress
  var log: RunLog
  let plan: SavePlan
  let thread: SaveThread<SaveJob.Outcome>
  /// Metrics that the next save takes over.
  var batch = MetricsBatch()
  var retry = SaveRetry()
  var lastSavedStep: Int?
  /// Seconds that training has waited for the save in flight.
  var stallSeconds = 0.0
  private(set) var chunkClock = SaveJob.ChunkClock()
  let lock: RunLock
  let interval: Int
  let retrySeconds: Int
  private let timing: any WritableFile
  private var iterationStarted: Double
  private var lastHeartbeat = 0.0
  private var isHeartbeatFailing = false
  /// Newest durable step when the job began.
  private let stepAtStart: Int

  /// Seconds between two advances of the lock's counter.
  static let heartbeatSeconds = 2.0

  init(
    directory: RunDirectory, publisher: AtomicPublish, services: RunServices, lock: RunLock, record: RunRecord, worldSize: Int,
    progress: Progress, log: RunLog, offsets: MetricsFiles.Offsets, planTotalAtStart: Int, lastSavedStep: Int?
  ) throws(TrainingError) {
    self.directory = directory
    self.services = services
    self.lock = lock
    self.worldSize = worldSize
    self.progress = progress
    self.log = log
    self.lastSavedStep = lastSavedStep
    stepAtStart = progress.latestStep
    interval = record.configuration.checkpoint.interval
    retrySeconds = record.configuration.checkpoint.retrySeconds
    thread = SaveThread(isAsynchronous: record.configuration.checkpoint.asynchronous)
    iterationStarted = services.monotonicSeconds()
    timing = try FileFailure.wrap { () throws(FileError) in try publisher.files.open(directory.timing, create: true) }
    let store = CheckpointStore(directory: directory.checkpoints, publisher: publisher)
    plan = SavePlan(
      directory: directory, publisher: publisher, store: store, checkpoints: RunCheckpoints(store: store),
      metrics: try MetricsFiles(directory: directory, offsets: offsets, publisher: publisher, lock: lock), claim: lock.claim,
      record: record, planTotalAtStart: planTotalAtStart, keep: record.configuration.checkpoint.maxCheckpoints,
      provenance: [
        ("program_version", .string(services.programVersion)), ("host", .string(services.host)), ("world_size", .int(worldSize)),
      ], timestamp: services.timestamp, monotonicSeconds: services.monotonicSeconds)
  }

  // MARK: Chunks

  /// Opens the record of a chunk that begins or goes on in this attempt.
  func enterChunk(_ chunk: Int) throws(TrainingError) {
    try settle()
    let previous = progress.record(chunk)
    chunkClock = SaveJob.ChunkClock(secondsBefore: previous?.seconds ?? 0, started: services.monotonicSeconds())
    let opened = ChunkRecord(
      chunk: chunk, attempt: (previous?.attempt ?? 0) + 1, plan: progress.plan, seconds: chunkClock.secondsBefore,
      started: previous?.started ?? services.timestamp(), host: services.host, job: services.job, worldSize: worldSize)
    progress.set(opened)
    log.enter(opened)
    try tolerating("the begin of chunk \(chunk)") { () throws(SaveFailure) in try plan.write(&progress) }
  }

  /// Takes in the records of one iteration.
  func take(_ report: IterationReport) {
    batch.append(report)
    let now = services.monotonicSeconds()
    time("iteration", step: report.step, seconds: now - iterationStarted)
    iterationStarted = now
  }

  /// One line of `logs/timing.jsonl`, the only file with wall-clock figures besides the progress file. As with the log, a line that cannot be
  /// written must not stop training.
  func time(_ what: String, step: Int, seconds: Double, stall: Double? = nil) {
    var record = MetricRecord()
    record.append("time", services.timestamp())
    record.append("what", what)
    record.append("step", step)
    record.append("seconds", Self.microseconds(seconds))
    if let stall { record.append("stall_seconds", Self.microseconds(stall)) }
    try? timing.append(record.line)
  }

  private static func microseconds(_ seconds: Double) -> Double { (seconds * 1e6).rounded() / 1e6 }

  /// Advances the lock's counter when it is time. A file system that is full or away for a while is no reason to stop; a lost lock is.
  func heartbeat() throws(TrainingError) {
    let now = services.monotonicSeconds()
    guard now - lastHeartbeat >= Self.heartbeatSeconds else { return }
    lastHeartbeat = now
    do throws(RunLockError) {
      try lock.heartbeat()
      isHeartbeatFailing = false
    } catch {
      guard case .file(let file) = error, file.isPassing else { throw LockFailure.error(error) }
      if !isHeartbeatFailing { log.write("[Warning] the lock's heartbeat could not be written: \(file)") }
      isHeartbeatFailing = true
    }
  }

  // MARK: Ends

  /// Records that every chunk is complete.
  func finish() throws(TrainingError) {
    try settle()
    progress.status = .completed
    progress.endTime = services.timestamp()
    progress.stopReason = nil
    progress.errorMessage = nil
    progress.fruitlessStarts = 0
    try writeProgress()
    try removeStopFile()
  }

  /// Records a stop with work left; the last boundary is durable already, or the disk is full.
  func stop(_ reason: StopReason, code: ExitCode) throws(TrainingError) {
    try settle()
    closeOpenChunk(.interrupted, code: code)
    progress.status = .stopped
    progress.stopReason = reason.name
    if progress.latestStep > stepAtStart { progress.fruitlessStarts = 0 }
    try tolerating("the stop") { () throws(SaveFailure) in try plan.write(&progress) }
    if reason == .stopFile { try removeStopFile() }
    log.write("[Stop] reason=\(reason.name) step=\(progress.latestStep) checkpoint=\(progress.latestCheckpoint ?? "none")")
  }

  /// A wish to stop holds for one job.
  private func removeStopFile() throws(TrainingError) {
    let files = plan.publisher.files
    try FileFailure.wrap { () throws(FileError) in
      if try files.exists(directory.stopFile) { try files.unlink(directory.stopFile) }
    }
  }

  /// Records a failure as far as the disk allows.
  func fail(_ error: TrainingError) {
    try? settle()
    // The program says it on standard error.
    log.record("[Error] \(error.message)")
    closeOpenChunk(.failed, code: error.code)
    progress.status = .failed
    progress.errorMessage = error.message
    if progress.latestStep > stepAtStart {
      progress.fruitlessStarts = 0
    } else if error.code != .stopped && services.stopRequested() == nil {
      progress.fruitlessStarts += 1
    }
    do throws(SaveFailure) {
      try plan.write(&progress)
    } catch {
      log.write("[Error] the failure could not be recorded: \(error.trainingError.message)")
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
    open.seconds = chunkClock.secondsBefore + services.monotonicSeconds() - chunkClock.started
    open.exitCode = Int(code.rawValue)
    progress.set(open)
  }

  /// Replaces the progress file; no save is in flight.
  func writeProgress() throws(TrainingError) {
    precondition(!thread.isBusy, "the progress belongs to the save in flight")
    do throws(SaveFailure) {
      try plan.write(&progress)
    } catch {
      throw error.trainingError
    }
  }

  /// Runs a write that the next save repeats anyway: what may pass is said and not thrown.
  private func tolerating(_ what: String, _ body: () throws(SaveFailure) -> Void) throws(TrainingError) {
    do throws(SaveFailure) {
      try body()
    } catch {
      guard error.isPassing else { throw error.trainingError }
      log.write("[Warning] \(what) could not be recorded: \(error.trainingError.message)")
    }
  }
}

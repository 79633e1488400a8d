import Checkpoint
import FileStore
import RunConfig

/// Makes a lost or damaged progress file anew from the checkpoints of a run. Everything else is left as it is.
public struct RunRepair {
  /// What was done.
  public enum Outcome: Equatable, Sendable {
    /// The progress file is whole.
    case nothingToDo
    /// It was written; the damaged one, if there was one, has the name given.
    case rebuilt(Progress, from: String, kept: String?)
  }

  private let directory: RunDirectory
  private let publisher: AtomicPublish
  private let services: RunServices

  /// - Parameter services: clock and identity, for the lock.
  public init(directory: RunDirectory, publisher: AtomicPublish, services: RunServices) {
    self.directory = directory
    self.publisher = publisher
    self.services = services
  }

  /// Repairs under the lock of the run.
  ///
  /// - Parameter runID: which run, if the checkpoints are of several and `run.json` does not say.
  /// - Throws: `TrainingError` with `.outputUnusable` if a job holds the run, `.badData` if no checkpoint of the run is whole.
  public func run(runID: String? = nil) throws(TrainingError) -> Outcome {
    guard try FileFailure.wrap({ () throws(FileError) in try publisher.files.exists(directory.checkpoints) }) else {
      throw TrainingError(.missingInput, "\(directory.root) is no run directory: it has no checkpoints")
    }
    let lock = try LockFailure.wrap { () throws(RunLockError) in
      try RunLock.acquire(
        path: directory.lock, publish: publisher, owner: services.process, jobID: services.job ?? "", since: services.timestamp(),
        surroundings: RunLock.Surroundings(now: services.monotonicSeconds, wait: services.wait))
    }
    do throws(TrainingError) {
      let outcome = try repair(runID, fencing: lock.fencing)
      try LockFailure.wrap { () throws(RunLockError) in try lock.release() }
      return outcome
    } catch {
      try? lock.release()
      throw error
    }
  }

  private func repair(_ runID: String?, fencing: UInt64) throws(TrainingError) -> Outcome {
    var isDamaged = false
    do throws(TrainingError) {
      if try ResumeChoice(directory: directory, publisher: publisher).progress() != nil { return .nothingToDo }
    } catch {
      guard error.code == .badData else { throw error }
      isDamaged = true
    }
    let store = CheckpointStore(directory: directory.checkpoints, publisher: publisher)
    let identity = identity
    let id = if let known = runID ?? identity.runID { known } else { try onlyRun(store) }
    let search = try CheckpointFailure.wrap { () throws(CheckpointError) in try store.newestValid(runID: id) }
    guard let newest = search.found else {
      throw TrainingError(.badData, "no valid checkpoint of run \(id) in \(directory.checkpoints), nothing was changed: \(search)")
    }
    let progress = try rebuilt(newest, store, startTime: identity.started, fencing: fencing)
    var kept: String?
    if isDamaged {
      let base = directory.progress + ".damaged"
      var target = base
      var number = 2
      try FileFailure.wrap { () throws(FileError) in
        while try publisher.files.exists(target) {
          target = "\(base)-\(number)"
          number += 1
        }
        try publisher.files.rename(directory.progress, target)
      }
      kept = target
    }
    try FileFailure.wrap { () throws(FileError) in try publisher.replace(directory.progress, progress.fileBytes) }
    return .rebuilt(progress, from: newest.name, kept: kept)
  }

  /// What `run.json` tells, if it can be read.
  private var identity: (runID: String?, started: String?) {
    guard let bytes = try? publisher.files.read(directory.identity, limit: 1 << 20),
      let value = try? JSONValue(parsing: bytes, name: "run.json")
    else { return (nil, nil) }
    return (value["run_id"]?.stringValue, value["started"]?.stringValue)
  }

  /// The run that all whole checkpoints are of.
  private func onlyRun(_ store: CheckpointStore) throws(TrainingError) -> String {
    var found: [String] = []
    for name in try CheckpointFailure.wrap({ () throws(CheckpointError) in try store.list() }) {
      if let id = try? store.load(name).contents.runID, !found.contains(id) { found.append(id) }
    }
    guard let id = found.first else {
      throw TrainingError(.badData, "no checkpoint in \(directory.checkpoints) is whole, nothing was changed")
    }
    guard found.count == 1 else {
      throw TrainingError(
        .badData, "\(directory.checkpoints) holds checkpoints of the runs \(found.joined(separator: ", ")): choose one with --run-id")
    }
    return id
  }

  // MARK: Content

  /// The progress of a run that stopped at `newest`. Attempts at a chunk, jobs and recorded changes of keys are lost.
  private func rebuilt(
    _ newest: LoadedCheckpoint, _ store: CheckpointStore, startTime: String?, fencing: UInt64
  ) throws(TrainingError) -> Progress {
    let root = TorchReader(newest.contents.tree, file: newest.name)
    let (planGroup, training, provenance) = (try root.group("plan"), try root.group("training_state"), try root.group("provenance"))
    let plan = ChunkPlan(
      chunkDecisions: try planGroup.integers("chunks"), environmentCount: max(1, try planGroup.int("num_envs")))
    let chunk = try training.int("chunk")
    let isComplete = try training.bool("chunk_complete")
    guard (0...plan.chunkCount).contains(chunk), plan.chunkDecisions.allSatisfy({ $0 > 0 }), isComplete || chunk > 0 else {
      throw training.error("chunk", "is \(chunk), which is not in the plan")
    }
    let timing = ChunkTiming(bytes: (try? publisher.files.read(directory.timing, limit: 1 << 30)) ?? [])
    var progress = Progress(
      runID: newest.contents.runID, plan: plan, chunkSize: try planGroup.int("chunk_size"), fencing: Int(fencing),
      now: startTime ?? timing.firstTime ?? services.timestamp())
    progress.attempts = try provenance.int("attempt")
    let (host, worldSize) = (try provenance.string("host"), try provenance.int("world_size"))
    for number in 1..<(max(chunk, 0) + 1) {
      let spent = timing.spent(after: plan.firstStep(ofChunk: number), through: plan.lastStep(ofChunk: number))
      var record = ChunkRecord(
        chunk: number, attempt: 1, plan: plan, seconds: spent.seconds, started: spent.first ?? progress.startTime, host: host, job: nil,
        worldSize: worldSize)
      record.ended = spent.last ?? record.started
      record.status = number < chunk || isComplete ? .completed : .interrupted
      if record.status == .completed {
        record.exitCode = 0
        if let end = try? store.load(CheckpointFile.name(step: record.lastStep)), end.contents.runID == newest.contents.runID {
          (record.checkpoint, record.stateSHA256) = ("checkpoints/" + end.name, end.stateDigest.hex)
        }
      }
      progress.set(record)
    }
    progress.latestCheckpoint = "checkpoints/" + newest.name
    progress.latestStep = newest.contents.step
    progress.latestStateSHA256 = newest.stateDigest.hex
    progress.lastUpdate = services.timestamp()
    progress.status = progress.nextChunk == nil ? .completed : .stopped
    if progress.status == .completed { progress.endTime = progress.lastUpdate } else { progress.stopReason = "repair" }
    return progress
  }
}

/// What `logs/timing.jsonl` tells of the time that chunks took; lines that cannot be read count for nothing.
private struct ChunkTiming {
  private var lines: [(time: String, step: Int, seconds: Double)] = []

  init(bytes: [UInt8]) {
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let value = try? JSONValue(parsing: Array(line), name: "timing.jsonl"), let time = value["time"]?.stringValue,
        let step = value["step"]?.intValue, let seconds = value["seconds"]?.doubleValue
      else { continue }
      lines.append((time, step, seconds))
    }
  }

  var firstTime: String? { lines.first?.time }

  /// Seconds of all lines of these steps, and the times of the first and the last.
  func spent(after first: Int, through last: Int) -> (seconds: Double, first: String?, last: String?) {
    let chunk = lines.filter { $0.step > first && $0.step <= last }
    return (chunk.reduce(0) { $0 + $1.seconds }, chunk.first?.time, chunk.last?.time)
  }
}

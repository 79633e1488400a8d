import Checkpoint
import FileStore
import Hashing
import TorchFormat

/// Why a save failed, with the parts that decide what follows.
enum SaveFailure: Error, Sendable {
  case lock(RunLockError)
  case file(FileError)
  case checkpoint(CheckpointError)

  /// As the program ends with it.
  var trainingError: TrainingError {
    switch self {
    case .lock(let error): LockFailure.error(error)
    case .file(let error): FileFailure.error(error)
    case .checkpoint(let error): CheckpointFailure.error(error)
    }
  }

  /// The file operation behind it.
  var fileError: FileError? {
    switch self {
    case .lock(.file(let error)), .file(let error): error
    case .lock: nil
    case .checkpoint(let error): error.fileError
    }
  }

  /// Whether the same save may well succeed later.
  var isPassing: Bool { fileError?.isPassing ?? false }
  /// Disk full or quota used up.
  var isNoSpace: Bool { fileError?.isNoSpace ?? false }
}

/// One save: it is encoded, metrics are made durable, then the checkpoint is published and `latest.pt` moved, then the progress file names it, then old
/// checkpoints are removed. A kill between any two of these leaves a state that the next start understands.
///
/// A value that owns a copy of all it needs, so that it can run on the checkpoint writer while training goes on.
struct SaveJob: Sendable {
  /// What became of it.
  struct Outcome: Sendable {
    let step: Int
    let isChunkEnd: Bool
    /// Digest of the saved state, or why there is none.
    let result: Result<Digest, SaveFailure>
    /// The progress with the save in it; as it was if the save failed.
    let progress: Progress
    /// Size of the checkpoint; 0 if the save failed before it was encoded.
    let bytes: Int
    /// From the beginning to the end.
    let seconds: Double
  }

  /// The time a chunk has taken.
  struct ChunkClock: Sendable {
    var secondsBefore = 0.0
    var started = 0.0
  }

  let state: BoundaryState
  let isChunkEnd: Bool
  let progress: Progress
  let batch: MetricsBatch
  let chunkClock: ChunkClock
  let fencing: UInt64
  let plan: SavePlan

  func run() -> Outcome {
    let started = plan.monotonicSeconds()
    // Before anything that can fail: a later save writes what this one could not.
    let offsets = plan.metrics.append(batch)
    var progress = progress
    var bytes = 0
    var result: Result<Digest, SaveFailure>
    do throws(SaveFailure) {
      result = .success(try save(&progress, offsets, &bytes))
    } catch {
      result = .failure(error)
    }
    return Outcome(
      step: state.global.step, isChunkEnd: isChunkEnd, result: result, progress: (try? result.get()) == nil ? self.progress : progress,
      bytes: bytes, seconds: plan.monotonicSeconds() - started)
  }

  private func save(_ progress: inout Progress, _ offsets: MetricsFiles.Offsets, _ bytes: inout Int) throws(SaveFailure) -> Digest {
    let contents = plan.record.contents(
      of: state, plan: progress.plan, chunkSize: progress.chunkSize, planTotalAtStart: plan.planTotalAtStart, runID: progress.runID,
      offsets: offsets, provenance: plan.provenance + [("attempt", .int(progress.attempts)), ("fencing", .int(Int(fencing)))])
    let encoded = try Self.checkpoint { () throws(CheckpointError) in try CheckpointFile.encode(contents) }
    bytes = encoded.bytes.count
    try plan.verifyOwnership()
    try Self.file { () throws(FileError) in try plan.metrics.flush() }
    do throws(SaveFailure) {
      try Self.checkpoint { () throws(CheckpointError) in try plan.store.publish(encoded) }
    } catch {
      // Rotation would remove the oldest file after this save: with its room the save may fit.
      guard error.isNoSpace, plan.keep > 1, let removed = try? plan.rotate(keep: plan.keep - 1, runID: progress.runID), !removed.isEmpty
      else { throw error }
      try Self.checkpoint { () throws(CheckpointError) in try plan.store.publish(encoded) }
    }
    if state.global.bestEvaluation?.step == encoded.step {
      try Self.checkpoint { () throws(CheckpointError) in try plan.store.markBest(encoded.name) }
    }
    progress.latestCheckpoint = "checkpoints/" + encoded.name
    progress.latestStep = encoded.step
    progress.latestStateSHA256 = encoded.stateDigest.hex
    if isChunkEnd, var chunk = progress.record(state.global.chunk) {
      chunk.status = .completed
      chunk.checkpoint = progress.latestCheckpoint
      chunk.stateSHA256 = encoded.stateDigest.hex
      chunk.ended = plan.timestamp()
      chunk.seconds = chunkClock.secondsBefore + plan.monotonicSeconds() - chunkClock.started
      chunk.exitCode = 0
      progress.set(chunk)
    }
    try plan.write(&progress)
    plan.checkpoints.add(encoded.name)
    try plan.rotate(keep: plan.keep, runID: progress.runID, protected: [encoded.name])
    return encoded.stateDigest
  }

  static func file<Value>(_ body: () throws(FileError) -> Value) throws(SaveFailure) -> Value {
    do {
      return try body()
    } catch {
      throw .file(error)
    }
  }

  static func checkpoint<Value>(_ body: () throws(CheckpointError) -> Value) throws(SaveFailure) -> Value {
    do {
      return try body()
    } catch {
      throw .checkpoint(error)
    }
  }
}

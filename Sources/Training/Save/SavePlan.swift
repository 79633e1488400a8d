import Checkpoint
import FileStore
import TorchFormat

/// What all saves of a job have in common: where they go and who makes them.
struct SavePlan: Sendable {
  let directory: RunDirectory
  let publisher: AtomicPublish
  let store: CheckpointStore
  let checkpoints: RunCheckpoints
  let metrics: MetricsFiles
  let claim: LockClaim
  let record: RunRecord
  let planTotalAtStart: Int
  /// Checkpoints that rotation keeps.
  let keep: Int
  /// Provenance that no save of the job changes.
  let provenance: [(String, TorchValue)]
  let timestamp: @Sendable () -> String
  let monotonicSeconds: @Sendable () -> Double

  /// Fails if the lock was lost. Before everything that replaces a file.
  func verifyOwnership() throws(SaveFailure) {
    do {
      try claim.verifyOwnership()
    } catch {
      throw .lock(error)
    }
  }

  /// Removes what is more than `keep` checkpoints of the run.
  @discardableResult
  func rotate(keep: Int, runID: String, protected: [String] = []) throws(SaveFailure) -> [String] {
    try SaveJob.checkpoint { () throws(CheckpointError) in
      try store.rotate(keep: keep, protected: protected) { checkpoints.contains($0, runID: runID) }
    }
  }

  /// Replaces the progress file.
  func write(_ progress: inout Progress) throws(SaveFailure) {
    try verifyOwnership()
    progress.lastUpdate = timestamp()
    let bytes = progress.fileBytes
    try SaveJob.file { () throws(FileError) in try publisher.replace(directory.progress, bytes) }
  }
}

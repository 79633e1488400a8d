import Checkpoint
import FileStore
import Hashing
import Neural
import RunConfig

/// Rank 0's way from a run directory to a decision. Nothing starts from scratch because something could not be read.
struct RunStarter {
  let directory: RunDirectory
  let publisher: AtomicPublish
  let services: RunServices
  let record: RunRecord
  let network: Network
  let request: StartRequest
  let onResumeError: ResumeErrorPolicy
  let worldSize: Int

  var files: any FileSystem { publisher.files }
  var mode: StartMode { request.mode }
  var store: CheckpointStore { CheckpointStore(directory: directory.checkpoints, publisher: publisher) }
  var choice: ResumeChoice { ResumeChoice(directory: directory, publisher: publisher) }
  var configuration: Configuration { record.configuration }

  /// A run whose every chunk is complete, found without a lock and without writing anything; nil if there is work.
  func finishedRun() throws(TrainingError) -> Progress? {
    do throws(TrainingError) {
      guard request.resumeFrom == nil, try decision() == .resume, let progress = try choice.progress() else { return nil }
      guard progress.nextChunk == nil, configuration.run.totalRequests <= progress.plan.total else { return nil }
      let (loaded, note) = try choice.checkpoint(of: progress)
      guard note == nil, loaded.contents.step == progress.plan.total else { return nil }
      _ = try record.check(against: loaded.contents, file: loaded.name)
      return progress
    } catch {
      guard beginsAnew(after: error) else { throw error }
      return nil
    }
  }

  /// Whether a resume that failed so is to become a fresh start: what is there cannot be used. A file that could not be read may be whole.
  private func beginsAnew(after error: TrainingError) -> Bool {
    onResumeError == .fresh && [ExitCode.badData, .mismatch].contains(error.code)
  }

  /// Makes the directories.
  func prepareDirectories() throws(TrainingError) {
    do throws(FileError) {
      for path in [directory.root, directory.checkpoints, directory.logs, directory.metrics] { try files.createDirectory(path) }
    } catch {
      throw TrainingError(.outputUnusable, error.description)
    }
  }

  /// Takes the lock of the run directory.
  ///
  /// - Parameters:
  ///   - waitSeconds: how long a live owner is waited for under a batch system, where an old job may still be ending.
  ///   - leaseSeconds: how long the counter of an owner elsewhere may stand still before it is taken for dead.
  func acquireLock(waitSeconds: Double, leaseSeconds: Double) throws(TrainingError) -> RunLock {
    let isBatch = services.job != nil
    do throws(RunLockError) {
      let lock = try RunLock.acquire(
        path: directory.lock, publish: publisher, owner: services.process, jobID: services.job ?? "", since: services.timestamp(),
        patience: RunLock.Patience(lease: leaseSeconds, poll: min(1, leaseSeconds / 4), heldLimit: isBatch ? waitSeconds : 0),
        surroundings: RunLock.Surroundings(
          now: services.monotonicSeconds, wait: services.wait, startTicks: { ProcessIdentity.startTicks(of: $0) }))
      // Litter: the lock works with it too.
      try? lock.removeStaleClaims()
      return lock
    } catch {
      if case .held = error, isBatch { throw TrainingError(.stopped, "\(error); waited \(Int(waitSeconds)) s for it: requeue") }
      return try LockFailure.wrap { () throws(RunLockError) in throw error }
    }
  }

  /// Removes what interrupted writes left, decides how the run begins, and moves aside what makes room for it. For the lock's holder.
  ///
  /// - Returns: nil if the user chose to do nothing.
  func open(fencing: UInt64) throws(TrainingError) -> RunStart? {
    _ = try CheckpointFailure.wrap { () throws(CheckpointError) in try store.prepare() }
    try FileFailure.wrap { () throws(FileError) in _ = try publisher.removeStale(in: directory.root) }
    guard let start = try decide(fencing: fencing) else { return nil }
    if start.movesAside { try moveAside() }
    if let rewind = start.rewind { try perform(rewind) }
    return start
  }

  /// Names of the checkpoints that are there; none if there is no directory.
  func presentCheckpoints() throws(TrainingError) -> [String] {
    guard try FileFailure.wrap({ () throws(FileError) in try files.exists(directory.checkpoints) }) else { return [] }
    return try CheckpointFailure.wrap { () throws(CheckpointError) in try store.list() }
  }

  /// Decides how the run begins, from reading alone.
  ///
  /// - Returns: nil if the user chose to do nothing.
  func decide(fencing: UInt64) throws(TrainingError) -> RunStart? {
    let facts = try facts()
    var decision = try StartDecision(facts)
    if decision == .ask {
      guard let answer = try ask(facts) else { return nil }
      decision = answer
    }
    if case .begin(let kind, let mode, let reason) = decision {
      return try begin(
        kind, mode: mode, reason: reason, isOccupied: facts.holdsRun || facts.hasProgress && request.mode != .auto, fencing: fencing)
    }
    do throws(TrainingError) {
      return try decideResume(fencing: fencing)
    } catch {
      guard beginsAnew(after: error) else { throw error }
      var start = fresh(.fresh, fencing: fencing, reason: "the resume failed")
      start.movesAside = true
      start.announcement =
        "[PPO:checkpoint] Failed to load checkpoint: \(error.message)\n[PPO:checkpoint] Continuing with fresh training state\n"
        + start.announcement
      return start
    }
  }

  func fresh(_ kind: StartKind, fencing: UInt64, reason: String) -> RunStart {
    let run = configuration.run
    let plan = ChunkPlan(total: run.totalRequests, chunkSize: run.chunkSize, environmentCount: run.numEnvs)
    let progress = Progress(
      runID: services.newRunID(), plan: plan, chunkSize: run.chunkSize, fencing: Int(fencing), now: services.timestamp())
    return RunStart(
      progress: progress, planTotalAtStart: plan.total, origin: RunOrigin(kind: kind, job: services.job),
      announcement:
        "\(kind.label) reason=\"\(reason)\" checkpoint=none step=0 chunks=\(plan.chunkCount) requests=\(plan.total) seed=\(run.seed) "
        + "policy=\(mode.rawValue) " + suffix)
  }

  /// What every first line ends with.
  var suffix: String {
    "config_sha256=\(SHA256.hash([UInt8](configuration.canonicalText(of: [.frozen]).utf8)).short) world_size=\(worldSize) "
      + "host=\(services.host) job=\(services.job ?? "none") restart=\(services.restarts.map { "\($0)" } ?? "none") version=\(services.programVersion)"
  }

  /// Moves what a directory holds of an earlier run into `checkpoints/superseded-<run id>`, whatever state it is in.
  func moveAside() throws(TrainingError) {
    let present = try presentCheckpoints()
    let hasProgress = try FileFailure.wrap { () throws(FileError) in try files.exists(directory.progress) }
    guard hasProgress || !present.isEmpty else { return }
    let runID = try? choice.progress()?.runID
    try FileFailure.wrap { () throws(FileError) in _ = try SupersededRun(directory: directory, files: files).moveAside(runID: runID) }
  }
}

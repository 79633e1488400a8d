import Checkpoint
import FileStore
import RunConfig

/// Going on with the run that a directory holds.
extension RunStarter {
  /// The run's newest whole checkpoint or the one that the user named; step 0 again if the run ended before its first.
  func decideResume(fencing: UInt64) throws(TrainingError) -> RunStart {
    guard let progress = try choice.progress() else {
      let present = try presentCheckpoints()
      if let name = present.last {
        throw TrainingError(
          .badData,
          "\(directory.progress) is missing although \(directory.checkpoints) holds \(present.count) checkpoints, the newest \(name); nothing was "
            + "changed. Bring the file back, make it anew with ppo-chunked repair, or use --start fresh, which moves the checkpoints aside")
      }
      if mode == .resume { throw TrainingError(.missingInput, "\(directory.root) holds no run to resume") }
      preconditionFailure("a decision to resume without --start resume has a run")
    }
    if progress.latestCheckpoint == nil, try presentCheckpoints().isEmpty {
      var start = fresh(.fresh, fencing: fencing, reason: "the run in \(directory.root) ended before its first checkpoint")
      start.carryFruitlessStarts(of: progress)
      return start
    }
    return try resume(progress, fencing: fencing)
  }

  /// The checkpoint that the user named, or the one to go on from.
  private func checkpoint(of progress: Progress) throws(TrainingError) -> (LoadedCheckpoint, note: String?, RunStart.Rewind?) {
    if let name = request.resumeFrom {
      let (loaded, rewind) = try named(name, of: progress)
      return (loaded, rewind.map { "[Rewind] \($0.names.count) newer checkpoints make room and are kept in \($0.target)" }, rewind)
    }
    let (loaded, note) = try choice.checkpoint(of: progress)
    return (loaded, note, nil)
  }

  private func resume(_ recordedProgress: Progress, fencing: UInt64) throws(TrainingError) -> RunStart {
    var progress = recordedProgress
    let (loaded, note, rewind) = try checkpoint(of: progress)
    // Compared before it is read: another shape of the network follows from a key, and the key is what the message names.
    let differences = try record.check(against: loaded.contents, file: loaded.name)
    var recorded = try record.read(loaded.contents, file: loaded.name)
    if recorded.determinismVersion != determinismVersion {
      guard recorded.state.global.chunkComplete else {
        throw TrainingError(
          .mismatch,
          "\(loaded.name) stands inside chunk \(recorded.state.global.chunk) and was written with determinism version "
            + "\(recorded.determinismVersion); this program has \(determinismVersion) and would not repeat the chunk's begin bit for bit")
      }
    }
    recorded.plan.extend(to: configuration.run.totalRequests, chunkSize: configuration.run.chunkSize)
    progress.plan = recorded.plan
    // A kill between publishing and recording: there was progress.
    if loaded.contents.step > progress.latestStep { progress.fruitlessStarts = 0 }
    progress.agree(
      with: recorded.state.global, checkpoint: "checkpoints/" + loaded.name, stateSHA256: loaded.stateDigest.hex, now: services.timestamp())
    progress.status = .running
    progress.stopReason = nil
    progress.endTime = nil
    progress.fencing = Int(fencing)
    for difference in differences { progress.changes.append(ConfigurationChange(step: loaded.contents.step, difference: difference)) }
    let state = recorded.state.global
    let position = state.chunkComplete ? "complete" : "\(state.iteration)"
    var announcement =
      "[Resume] checkpoint=\(directory.checkpoints)/\(loaded.name) step=\(loaded.contents.step) chunk=\(state.chunk) iteration=\(position) "
      + "sha256=\(loaded.stateDigest.hex) policy=\(mode.rawValue) " + suffix
    if let note { announcement += "\n" + note }
    if recorded.determinismVersion != determinismVersion {
      announcement += "\n[Warning] determinism version \(recorded.determinismVersion) wrote this run so far, \(determinismVersion) goes on"
    }
    for difference in differences { announcement += "\n[Change] \(difference) from step \(loaded.contents.step)" }
    return RunStart(
      checkpoint: loaded, progress: progress, planTotalAtStart: recorded.planTotalAtStart,
      offsets: recorded.offsets, recorded: recorded, announcement: announcement, rewind: rewind)
  }

  /// The checkpoint of this run that the user named. Newer ones belong into `checkpoints/superseded-<run id>-after-<step>`, so that the run can
  /// write its own files of these names.
  func named(_ name: String, of progress: Progress) throws(TrainingError) -> (LoadedCheckpoint, RunStart.Rewind?) {
    let loaded = try CheckpointFailure.wrap { () throws(CheckpointError) in try store.load(name) }
    guard loaded.contents.runID == progress.runID else {
      throw TrainingError(
        .mismatch,
        "\(name) belongs to run \(loaded.contents.runID), the directory to run \(progress.runID); --fork-from begins a new run from it")
    }
    let names = try CheckpointFailure.wrap { () throws(CheckpointError) in try store.list() }
    let newer = names.filter { (CheckpointFile.step(inName: $0) ?? 0) > loaded.contents.step }
    guard !newer.isEmpty else { return (loaded, nil) }
    let target = directory.checkpoints + "/superseded-\(PathName.sanitized(progress.runID))-after-\(loaded.contents.step)"
    return (loaded, RunStart.Rewind(names: newer, target: target))
  }

  /// Moves the newer checkpoints.
  func perform(_ rewind: RunStart.Rewind) throws(TrainingError) {
    try FileFailure.wrap { () throws(FileError) in
      try files.createDirectory(rewind.target)
      for name in rewind.names { try files.rename(PathName.join(directory.checkpoints, name), PathName.join(rewind.target, name)) }
      try files.syncDirectory(rewind.target)
      try files.syncDirectory(directory.checkpoints)
    }
  }
}

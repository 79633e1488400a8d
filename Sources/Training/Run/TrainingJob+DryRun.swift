import Checkpoint
import FileStore
import Ranks

extension TrainingJob {
  /// Says how the job would begin, what lies before it and what it needs on the disk. Reads only, and takes no lock.
  func showDecision() throws(TrainingError) {
    let directory = RunDirectory(root: options.outputDirectory)
    let starter = starter(directory)
    if let finished = try starter.finishedRun() { return services.log(finishedLine(finished, directory)) }
    guard try starter.decision() != .ask else {
      return services.log("[Ask] the user chooses at the terminal: \(StartQuestion.text(try starter.facts()))")
    }
    guard let start = try starter.decide(fencing: 0) else { return }
    for line in start.announcement.split(separator: "\n") { services.log(String(line)) }
    let plan = start.progress.plan
    let step = start.recorded?.state.global.step ?? 0
    let left = (1...plan.chunkCount).filter { plan.lastStep(ofChunk: $0) > step }
    services.log(
      "[Plan] chunks=\(plan.chunkCount) left=\(left.count) decisions=\(plan.total) left=\(plan.total - step) environments=\(plan.environmentCount) "
        + "checkpoint_interval=\(record.configuration.checkpoint.interval)")
    let disk = try estimate(starter, start)
    services.log(disk.line)
    if let bytes = try? files.read(directory.lock, limit: 1 << 16), let lock = LockRecord(bytes: bytes), lock.isHeld {
      services.log("[Lock] \(directory.lock): held by \(lock), if it is alive")
    }
    if start.progress.fruitlessStarts >= RunStarter.fruitlessStartsMax { services.log("[Warning] \(RunStarter.fruitlessMessage)") }
    try disk.check(directory.root)
  }

  /// What the run needs from here on, and what there is.
  func estimate(_ starter: RunStarter, _ start: RunStart) throws(TrainingError) -> DiskEstimate {
    let contents = record.contents(
      of: try initialState(start.source, say: { _ in }), plan: start.progress.plan, chunkSize: start.progress.chunkSize,
      planTotalAtStart: start.planTotalAtStart, runID: start.progress.runID, offsets: MetricsFiles.Offsets(), provenance: [])
    let present = start.movesAside ? 0 : try starter.presentCheckpoints().count
    let available = try FileFailure.wrap { () throws(FileError) in
      // The nearest directory that exists: a dry run makes none.
      var path = options.outputDirectory
      while try !files.exists(path), PathName.directory(of: path) != path { path = PathName.directory(of: path) }
      return try files.availableBytes(path)
    }
    return try CheckpointFailure.wrap { () throws(CheckpointError) in
      try DiskEstimate(
        contents: contents, plan: start.progress.plan, step: start.recorded?.state.global.step ?? 0,
        settings: TrainingSettings(record.configuration), actionCount: network.actionCount,
        keep: record.configuration.checkpoint.maxCheckpoints, present: present, availableBytes: available)
    }
  }
}

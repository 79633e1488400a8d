import Checkpoint
import FileStore
import Hashing
import Neural
import PPO
import Ranks
import RunConfig

/// From the start of a job to the state that training begins with.
extension TrainingJob {
  /// What every rank knows when training begins.
  struct Opening {
    var plan: ChunkPlan
    var planTotalAtStart: Int
    var state: BoundaryState
    /// Whether the state comes from a checkpoint of this run.
    var isResume: Bool
    var keeper: RunKeeper?
  }

  /// Decides on rank 0 and tells all; nil if the run is complete.
  func open() throws(TrainingError) -> Opening? {
    var keeper: RunKeeper?
    var start: RunStart?
    var writer = MessageWriter()
    _ = try communicator.agreeOnRankZero { () throws(TrainingError) in
      (start, keeper) = try openOnRoot()
      guard let start else { return }
      writer.write([UInt8]((start.checkpoint?.name ?? "").utf8))
      writer.write(start.checkpoint?.bytes ?? [])
      writer.write(start.progress.plan.chunkDecisions)
      writer.write(start.planTotalAtStart)
      writer.write([UInt8]((start.source?.path ?? "").utf8))
      writer.write(start.source?.isFork == true ? 1 : 0)
      writer.write(start.source?.bytes ?? [])
    }
    var message = writer.bytes
    try RanksFailure.wrap { () throws(RanksError) in try communicator.broadcast(&message, root: 0) }
    if message.isEmpty { return nil }
    var reader = MessageReader(message)
    let name = String(decoding: reader.readArray(of: UInt8.self), as: UTF8.self)
    let bytes = reader.readArray(of: UInt8.self)
    let plan = ChunkPlan(chunkDecisions: reader.readArray(of: Int.self), environmentCount: configuration.run.numEnvs)
    let total = reader.readInt()
    let path = String(decoding: reader.readArray(of: UInt8.self), as: UTF8.self)
    let isFork = reader.readInt() == 1
    let sourceBytes = reader.readArray(of: UInt8.self)
    var state: BoundaryState?
    try communicator.agree { () throws(TrainingError) in
      if bytes.isEmpty {
        state = try initialState(sourceBytes.isEmpty ? nil : StartSource(path: path, isFork: isFork, bytes: sourceBytes)) { line in
          keeper?.log.write(line)
        }
      } else if let recorded = start?.recorded {
        state = recorded.state
      } else {
        let loaded = try CheckpointFailure.wrap { () throws(CheckpointError) in try CheckpointFile.decode(bytes: bytes, name: name) }
        state = try record.read(loaded.contents, file: name).state
      }
    }
    guard let state else { preconditionFailure("every rank agreed that it has a state") }
    return Opening(plan: plan, planTotalAtStart: total, state: state, isResume: !bytes.isEmpty, keeper: keeper)
  }

  /// Rank 0: lock, decision, first lines. Nil when the run is complete, which writes nothing.
  private func openOnRoot() throws(TrainingError) -> (RunStart?, RunKeeper?) {
    let directory = RunDirectory(root: options.outputDirectory)
    let starter = starter(directory)
    if let finished = try starter.finishedRun() {
      services.log(finishedLine(finished, directory))
      return (nil, nil)
    }
    try starter.prepareDirectories()
    let lock = try starter.acquireLock(waitSeconds: options.lockWaitSeconds, leaseSeconds: options.lockLeaseSeconds)
    do throws(TrainingError) {
      guard var start = try starter.open(fencing: lock.fencing) else {
        try? lock.release()
        return (nil, nil)
      }
      try starter.checkProgress(&start.progress, retry: options.retry, claim: lock.claim)
      let disk = try estimate(starter, start)
      try disk.check(directory.root)
      start.progress.errorMessage = nil
      start.progress.attempts += 1
      let log = try FileFailure.wrap { () throws(FileError) in
        try RunLog(directory: directory, files: files, services: services)
      }
      for line in start.announcement.split(separator: "\n") { log.write(String(line)) }
      for hint in options.hints { log.write("[Hint] " + hint) }
      log.write(disk.line)
      if disk.availableBytes < disk.neededBytes { log.write("[Warning] the disk has less room than the run may need") }
      let publisher = starter.publisher
      try prepareActor(of: &start, directory: directory, publisher: publisher, log: log, lock: lock)
      let keeper = try RunKeeper(
        directory: directory, publisher: publisher, services: services, lock: lock, record: record, worldSize: communicator.size,
        progress: start.progress, log: log, offsets: start.offsets, planTotalAtStart: start.planTotalAtStart,
        lastSavedStep: start.recorded?.state.global.step)
      try FileFailure.wrap { () throws(FileError) in
        try publisher.replace(directory.resolvedConfiguration, [UInt8](configuration.resolvedText().utf8))
        if start.recorded == nil {
          let identity: JSONValue = [
            "run_id": .string(start.progress.runID), "environment": .string(E.kind), "started": .string(start.progress.startTime),
            "program_version": .string(services.programVersion), "determinism_version": .integer(determinismVersion),
            "origin": (start.origin ?? RunOrigin()).json,
          ]
          try publisher.replace(directory.identity, [UInt8]((identity.text() + "\n").utf8))
        }
      }
      if let name = start.checkpoint?.name {
        try CheckpointFailure.wrap { () throws(CheckpointError) in
          try keeper.plan.store.markLatest(name)
          // A kill may have come between this checkpoint and the link to it.
          if let state = start.recorded?.state.global, state.bestEvaluation?.step == state.step { try keeper.plan.store.markBest(name) }
        }
      }
      try keeper.writeProgress()
      return (start, keeper)
    } catch {
      // An owner that was paused and replaced finds its temporary files gone: that it lost the lock is the reason.
      try LockFailure.lost(lock)
      try? lock.release()
      throw error
    }
  }

  func starter(_ directory: RunDirectory) -> RunStarter {
    RunStarter(
      directory: directory, publisher: AtomicPublish(files: files, host: services.host, pid: services.process.pid),
      services: services, record: record, network: network, request: options.start, onResumeError: options.onResumeError,
      worldSize: communicator.size)
  }

  func finishedLine(_ finished: Progress, _ directory: RunDirectory) -> String {
    "[Finished] run=\(finished.runID) chunks=\(finished.completedChunks) requests=\(finished.requestsDone) "
      + "checkpoint=\(directory.root)/\(finished.latestCheckpoint ?? "") state_sha256=\(finished.latestStateSHA256 ?? "")"
  }

  /// Rank 0: makes the actor of a run that begins with behaviour cloning.
  private func prepareActor(
    of start: inout RunStart, directory: RunDirectory, publisher: AtomicPublish, log: RunLog, lock: RunLock
  ) throws(TrainingError) {
    guard let origin = start.origin else { return }
    let clones = origin.kind == .warmstart && start.source == nil || origin.externalMode == .finetune
    guard clones else { return }
    let preparation = ActorPreparation(
      configuration: configuration, directory: directory, publisher: publisher, collector: collector,
      pretraining: Pretraining(configuration, prototype: prototype, programVersion: services.programVersion),
      observationNames: prototype.observationNames)
    var lastHeartbeat = services.monotonicSeconds()
    var lost: TrainingError?
    do throws(TrainingError) {
      start.source = try preparation.actor(tuning: start.source, say: { log.write($0) }) {
        if services.monotonicSeconds() - lastHeartbeat >= RunKeeper.heartbeatSeconds {
          lastHeartbeat = services.monotonicSeconds()
          do throws(TrainingError) {
            try LockFailure.wrap { () throws(RunLockError) in try lock.heartbeat() }
          } catch {
            lost = error
          }
        }
        return lost != nil || stopRules.poll() != nil
      }
    } catch {
      if let lost { throw lost }
      guard options.start.allowsFreshStart, error.code != .stopped else { throw error }
      log.write("[Warning] \(error.message)")
      log.write("[Warning] beginning from drawn parameters")
      start.source = nil
    }
  }

  /// Step 0 of a run, from `source` or from drawn parameters.
  func initialState(_ source: StartSource?, say: (String) -> Void) throws(TrainingError) -> BoundaryState {
    let settings = TrainingSettings(configuration)
    var global = GlobalState(
      learner: LearnerState(network, seed: settings.seed), statistics: StatisticsSlot(StatisticsShape(network)), reference: reference)
    if let source, source.isFork {
      global = try ForkedLearner(record: record, network: network).global(of: source)
    } else if let source {
      let model = try StartingModel(bytes: source.bytes, path: source.path)
      let (report, statistics) = try model.load(
        into: &global.learner.parameters, of: network, observationNames: record.slotNames,
        normalizerCountMax: configuration.warmstart.normalizerCountMax)
      if let statistics { global.statistics = statistics }
      for line in report.lines { say(line) }
      // Kept only if its divergence may ever count.
      if configuration.ppo.klRefCoefInitial > 0 || configuration.ppo.klRefCoefFinal > 0 {
        global.reference = ReferencePolicy(parameters: global.learner.parameters, origin: model.contentDigest.hex)
      }
    }
    global.beganWithStatistics = global.statistics.observations.count > 0
    let empty = EnvironmentState.empty(
      stateSize: network.stateSize, hasReference: global.reference != nil,
      hasTemperature: settings.temperature != nil && prototype.loadSignals != nil)
    let environments = [EnvironmentState](repeating: empty, count: settings.environmentCount)
    return BoundaryState(global: global, environments: environments)
  }
}

import Checkpoint
import Environments
import FileStore
import Hashing
import Neural
import PPO
import Ranks
import RunConfig
import ServingEnv

/// What one job is asked to do, besides the configuration.
public struct JobOptions: Equatable, Sendable {
  /// The run directory.
  public var outputDirectory: String
  /// How to begin.
  public var start: StartRequest
  /// What happens if a run is there and cannot be gone on with.
  public var onResumeError: ResumeErrorPolicy
  /// Chunks this job works on before it stops; nil = all.
  public var maxChunks: Int?
  /// Seconds that a live owner of the directory is waited for under a batch system.
  public var lockWaitSeconds: Double
  /// Seconds after which an owner on another host whose counter stands still is taken for dead.
  public var lockLeaseSeconds: Double
  /// Moments at which the job has to stop.
  public var deadlines: [StopDeadline]
  /// What the user should do about how the job was started; written to the log after the decision.
  public var hints: [String]
  /// Whether a run that failed several times without a new durable step is tried again.
  public var retry = false
  /// Whether the decision is all that is asked for.
  public var isDryRun = false

  /// A job on `outputDirectory`.
  public init(
    outputDirectory: String, start: StartMode = .auto, request: StartRequest? = nil, onResumeError: ResumeErrorPolicy = .fail,
    maxChunks: Int? = nil, lockWaitSeconds: Double = 600, lockLeaseSeconds: Double = 60, deadlines: [StopDeadline] = [],
    hints: [String] = []
  ) {
    self.outputDirectory = outputDirectory
    self.start = request ?? StartRequest(mode: start)
    self.onResumeError = onResumeError
    self.maxChunks = maxChunks
    self.lockWaitSeconds = lockWaitSeconds
    self.lockLeaseSeconds = lockLeaseSeconds
    self.deadlines = deadlines
    self.hints = hints
  }
}

/// The main job: start decision, chunks, saves and the ways it can end. Every rank runs it with the same arguments.
public struct TrainingJob<E: Environment, C: Communicator> {
  let options: JobOptions
  private let configuration: Configuration
  private let prototype: E
  let communicator: C
  let files: any FileSystem
  let services: RunServices
  let network: Network
  let record: RunRecord
  private let stopRules: StopRules
  private let reference: ReferencePolicy?
  private let collector: DemonstrationCollector?

  /// - Parameters:
  ///   - prototype: the configured environment; every environment of the run is a copy.
  ///   - inputs: bytes of the input files by the configuration key that names them; the same on every rank.
  ///   - reference: what a fresh run's divergence `kl_ref` is taken from; a run that exists has its own. The same on every rank.
  ///   - collector: makes demonstrations for a warm start; nil where no teacher is known.
  public init(
    options: JobOptions, configuration: Configuration, prototype: E, inputs: [(key: String, bytes: [UInt8])], communicator: C,
    files: any FileSystem, services: RunServices, reference: ReferencePolicy? = nil, collector: DemonstrationCollector? = nil
  ) {
    self.collector = collector
    self.options = options
    self.configuration = configuration
    self.prototype = prototype
    self.communicator = communicator
    self.files = files
    self.services = services
    stopRules = StopRules(options: options, services: services, files: files, isRoot: communicator.rank == 0)
    network = Network(
      NetworkConfiguration(configuration.network, replicaBlockSize: prototype.replicaBlockSize),
      observationSize: prototype.observationSize, actionCount: prototype.actionCount)
    precondition(
      reference == nil || reference?.parameters.count == network.layout.storedCount, "the reference policy has another network's layout")
    self.reference = reference
    record = RunRecord(
      configuration: configuration, inputs: inputs.map { ($0.key, SHA256.hash($0.bytes)) }, environmentKind: E.kind,
      observationNames: prototype.observationNames, observationLayout: prototype.observationLayout, encoding: StateEncoding(network))
  }

  /// Runs the job to its end.
  ///
  /// - Returns: `.finished`, or `.stopped` with work left.
  /// - Throws: `TrainingError`, with the same code on every rank.
  public func run() throws(TrainingError) -> ExitCode {
    try checkWorld()
    if options.isDryRun {
      try agree { () throws(TrainingError) in
        if communicator.rank == 0 { try showDecision() }
      }
      return .finished
    }
    let opening = try open()
    guard let opening else { return .finished }
    let trainer = Trainer(
      communicator: communicator, settings: TrainingSettings(configuration), network: network,
      ppo: PPOConfiguration(configuration), prototype: prototype, plan: opening.plan,
      planTotalAtStart: opening.planTotalAtStart, state: opening.state,
      evaluation: (prototype as? RoutingEnvironment).flatMap { PeriodicEvaluation(configuration, environment: $0) })
    let keeper = opening.keeper
    do throws(TrainingError) {
      var interruption: StopReason?
      try agree { () throws(TrainingError) in
        interruption = try trainer.restore(opening.state) { poll(trainer, keeper) }
      }
      interruption = try first(interruption)
      try agree { () throws(TrainingError) in
        // A real save at step 0 fails now and not hours later.
        if let keeper, let boundary = trainer.boundary, boundary.global.step == 0 { try keeper.saveFirst(boundary) }
      }
      var reason = interruption
      if reason == nil { reason = try work(trainer, keeper, isInsideChunk: !opening.state.global.chunkComplete) }
      let code: ExitCode = reason == nil ? .finished : .stopped
      try agree { () throws(TrainingError) in
        guard let keeper, let boundary = trainer.boundary else { return }
        if let reason {
          try keeper.saveStop(boundary)
          try keeper.stop(reason, code: code)
        } else {
          try keeper.finish()
        }
      }
      keeper?.release()
      return code
    } catch {
      keeper?.fail(error)
      keeper?.release()
      throw error
    }
  }

  // MARK: Start

  /// What every rank knows when training begins.
  private struct Opening {
    var plan: ChunkPlan
    var planTotalAtStart: Int
    var state: BoundaryState
    var keeper: RunKeeper?
  }

  private func checkWorld() throws(TrainingError) {
    let environments = configuration.run.numEnvs
    guard communicator.size <= environments else {
      throw TrainingError(
        .usage,
        "\(communicator.size) ranks for \(environments) environments: start at most one rank per environment, or raise run.num_envs "
          + "(frozen within a run)")
    }
    let identity = configuration.canonicalText(of: [.frozen, .changeable]) + services.programVersion
    let isSame = try RanksFailure.wrap { () throws(RanksError) in try communicator.isSameEverywhere([UInt8](identity.utf8)) }
    guard isSame else { throw TrainingError(.mismatch, "ranks differ in configuration or program version") }
  }

  /// Decides on rank 0 and tells all; nil if the run is complete.
  private func open() throws(TrainingError) -> Opening? {
    var keeper: RunKeeper?
    var start: RunStart?
    var writer = MessageWriter()
    try agree { () throws(TrainingError) in
      guard communicator.rank == 0 else { return }
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
    try agree { () throws(TrainingError) in
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
    return Opening(plan: plan, planTotalAtStart: total, state: state, keeper: keeper)
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
    let empty = EnvironmentState.empty(
      stateSize: network.stateSize, hasReference: global.reference != nil,
      hasTemperature: settings.temperature != nil && prototype.loadSignals != nil)
    let environments = [EnvironmentState](repeating: empty, count: settings.environmentCount)
    return BoundaryState(global: global, environments: environments)
  }

  // MARK: Chunks

  /// Works through the chunks that are left.
  ///
  /// - Returns: why it stopped early, nil when the plan is complete.
  private func work(_ trainer: Trainer<E, C>, _ keeper: RunKeeper?, isInsideChunk: Bool) throws(TrainingError) -> StopReason? {
    var isInside = isInsideChunk
    var chunksDone = 0
    while true {
      if !isInside {
        guard trainer.global.chunk < trainer.plan.chunkCount else { return nil }
        if let limit = options.maxChunks, chunksDone >= limit { return .maxChunks }
        trainer.beginChunk(trainer.global.chunk + 1)
      }
      isInside = false
      if let reason = try runChunk(trainer, keeper) { return reason }
      chunksDone += 1
    }
  }

  /// Runs the chunk that the trainer stands in to its end, which is saved.
  private func runChunk(_ trainer: Trainer<E, C>, _ keeper: RunKeeper?) throws(TrainingError) -> StopReason? {
    let iterations = trainer.iterationPlan(trainer.global.chunk)
    deferring(trainer, keeper) { (keeper: RunKeeper) throws(TrainingError) in try keeper.enterChunk(trainer.global.chunk) }
    var meter = ProgressMeter(services: services, plan: trainer.plan, step: trainer.global.step)
    while trainer.global.iteration < iterations.count {
      let before = trainer.global.step
      var report = IterationReport()
      let result = try trainer.iterate(stopRequested: { poll(trainer, keeper) }, report: &report)
      if case .stopped(let reason) = result { return reason }
      deferring(trainer, keeper) { (keeper: RunKeeper) throws(TrainingError) in
        keeper.take(report)
        for line in report.warnings { keeper.log.write(line) }
        if let line = meter.line(after: report, state: trainer.global, iterations: iterations.count) { keeper.log.write(line) }
        guard trainer.global.iteration < iterations.count, let boundary = trainer.boundary else { return }
        try keeper.passBoundary(boundary, previous: before)
      }
    }
    trainer.endChunk()
    // The end of a chunk is a promise to all ranks, so it is agreed on and not deferred to the next exchange.
    if let failure = trainer.pendingFailure { try agree { () throws(TrainingError) in throw failure } }
    try agree { () throws(TrainingError) in
      guard let keeper, let boundary = trainer.boundary else { return }
      try keeper.saveChunkEnd(boundary)
      keeper.log.write(
        "[Chunk] \(trainer.global.chunk) of \(trainer.plan.chunkCount) complete step=\(trainer.global.step) \(meter.chunkSummary)"
      )
    }
    return nil
  }

  /// Asked once per decision and minibatch: keeps the lock alive, saves early if that was asked for, and looks for a reason to stop.
  private func poll(_ trainer: Trainer<E, C>, _ keeper: RunKeeper?) -> StopReason? {
    deferring(trainer, keeper) { (keeper: RunKeeper) throws(TrainingError) in
      try keeper.heartbeat()
      if services.saveRequested(), let boundary = trainer.boundary { try keeper.saveEarly(boundary) }
    }
    return stopRules.poll()
  }

  /// Runs rank 0's work between two exchanges; its failure travels with the next one, so that no rank waits for a dead one.
  private func deferring(
    _ trainer: Trainer<E, C>, _ keeper: RunKeeper?, _ body: (RunKeeper) throws(TrainingError) -> Void
  ) {
    guard let keeper, trainer.pendingFailure == nil else { return }
    do throws(TrainingError) {
      try body(keeper)
    } catch {
      trainer.pendingFailure = error
    }
  }

  // MARK: Agreement

  /// The reason to stop of the lowest rank that has one.
  private func first(_ reason: StopReason?) throws(TrainingError) -> StopReason? {
    var words = [UInt64](repeating: 0, count: communicator.size)
    words[communicator.rank] = reason?.word ?? 0
    try RanksFailure.wrap { () throws(RanksError) in try communicator.bitwiseOr(&words) }
    return words.lazy.compactMap { StopReason(word: $0) }.first
  }

  /// Ends a phase that can fail on some rank: one rank's failure is everyone's.
  private func agree(_ body: () throws(TrainingError) -> Void) throws(TrainingError) {
    var failure: TrainingError?
    do throws(TrainingError) {
      try body()
    } catch {
      failure = error
    }
    let agreement = try RanksFailure.wrap { () throws(RanksError) in
      try communicator.agree(failure?.code.rawValue ?? 0, message: failure?.message ?? "")
    }
    guard agreement.code != 0 else { return }
    let prefix = agreement.rank == 0 ? "" : "rank \(agreement.rank): "
    throw TrainingError(ExitCode(rawValue: agreement.code) ?? .internalError, prefix + agreement.message)
  }
}

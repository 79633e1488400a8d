import Checkpoint
import Environments
import FileStore
import Hashing
import Neural
import PPO
import Ranks
import RunConfig
import ServingEnv

/// The main job: start decision, chunks, saves and the ways it can end. Every rank runs it with the same arguments.
public struct TrainingJob<E: Environment, C: Communicator> {
  let options: JobOptions
  let configuration: Configuration
  let prototype: E
  let communicator: C
  let files: any FileSystem
  let services: RunServices
  let network: Network
  let record: RunRecord
  let stopRules: StopRules
  let reference: ReferencePolicy?
  let collector: DemonstrationCollector?

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
      _ = try communicator.agreeOnRankZero { () throws(TrainingError) in try showDecision() }
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
      try communicator.agree { () throws(TrainingError) in
        interruption = try trainer.restore(opening.state) { poll(trainer, keeper) }
      }
      interruption = try first(interruption)
      if interruption == nil, opening.isResume {
        // After the replay: only now is everything that the checkpoint stands for there again.
        keeper?.log.write("[PPO:checkpoint] Loaded from step \(opening.state.global.step), inference_only=False")
      }
      try communicator.agree { () throws(TrainingError) in
        // A real save at step 0 fails now and not hours later.
        if let keeper, let boundary = trainer.boundary, boundary.global.step == 0 { try keeper.saveFirst(boundary) }
      }
      var reason = interruption
      if reason == nil { reason = try work(trainer, keeper, isInsideChunk: !opening.state.global.chunkComplete) }
      let code: ExitCode = reason == nil ? .finished : .stopped
      try communicator.agree { () throws(TrainingError) in
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

  /// Before the first exchange of data: one environment a rank at least, and one configuration.
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
    if let failure = trainer.pendingFailure { try communicator.agree { () throws(TrainingError) in throw failure } }
    try communicator.agree { () throws(TrainingError) in
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
}

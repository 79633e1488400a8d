import Environments
import PPO
import Ranks

extension Trainer {
  /// One iteration: rollout, bootstrap, sync, gather, update, broadcast. Every rank calls it with the same arguments.
  ///
  /// - Parameters:
  ///   - stopRequested: polled per decision, and by rank 0 per minibatch.
  ///   - report: rank 0's record of the iteration, filled when it advances.
  /// - Throws: `TrainingError`, the same on every rank.
  func iterate(stopRequested: () -> StopReason?, report: inout IterationReport) throws(TrainingError) -> IterationResult {
    let iterations = iterationPlan(global.chunk)
    let iteration = global.iteration
    let isStabilisation = iterations.isStabilisation(iteration)
    let shares = collector.runners.map { iterations.share(iteration: iteration, environment: $0.index) }
    let isLast = iteration == iterations.count - 1

    // Rollout with frozen parameters and statistics
    var rollout: Rollout?
    var outcome = SyncSlots.Outcome.complete
    if let failure = pendingFailure {
      outcome = .failed(failure.code)
    } else if isStabilisation {
      if let end = collector.stabilise(chunk: global.chunk, shares: shares, isLast: isLast, stopRequested: stopRequested) {
        outcome = self.outcome(of: end)
      }
    } else {
      switch collect(shares: shares, isLast: isLast, stopRequested: stopRequested) {
      case .success(let collected): rollout = collected
      case .failure(let end): outcome = self.outcome(of: end)
      }
    }

    // Sync: statistics fold on every rank in environment order, after rewards of this rollout were scaled with the old ones
    slots.clear()
    slots.set(outcome, rank: communicator.rank)
    if outcome == .complete {
      for (i, runner) in collector.runners.enumerated() { slots.fill(environment: runner.index, collector.slots[i]) }
    }
    try RanksFailure.wrap { () throws(RanksError) in try communicator.bitwiseOr(&slots.words) }
    switch slots.outcome {
    case .complete: break
    case .stopped(let reason): return .stopped(reason)
    case .failed: throw try agreedFailure()
    }
    advance { slots.fold(into: &$0.statistics) }
    collector.clearSlots()

    // Gather on rank 0
    let part = IterationPart(
      contributions: zip(collector.runners, shares).map { EnvironmentContribution($0, share: $1) }, rollout: rollout)
    let messages = try RanksFailure.wrap { () throws(RanksError) in try communicator.gather(part.message(), root: 0) }
    let parts = messages.map { IterationPart(message: $0) }
    let contributions = parts.flatMap(\.contributions)

    // Update on rank 0, broadcast to all
    let metrics = try update(parts.compactMap(\.rollout), isStabilisation: isStabilisation, stopRequested: stopRequested)
    switch metrics {
    case .stopped(let reason): return .stopped(reason)
    case .advanced(let metrics):
      let decisions = (0..<settings.environmentCount).reduce(0) { $0 + iterations.share(iteration: iteration, environment: $1) }
      let previous = global.step
      let outcome = try evaluate(
        step: previous + decisions, previous: previous, isChunkEnd: isLast, stopRequested: stopRequested)
      if case .stopped(let reason) = outcome { return .stopped(reason) }
      advance {
        $0.step += decisions
        $0.iteration += 1
      }
      if isRoot {
        if case .finished(let evaluated?) = outcome, isBest(evaluated.objective) {
          advance { $0.bestEvaluation = BestEvaluation(objective: evaluated.objective, step: $0.step) }
        }
        advance { $0.record(episodeReturns: contributions.flatMap { $0.episodes.map(\.return) }) }
        let findings = watch(contributions, metrics: metrics)
        formBoundary(contributions)
        report = makeReport(
          iteration: iteration, decisions: decisions, contributions: contributions, metrics: metrics, findings: findings)
        if case .finished(let evaluated?) = outcome { report.evaluation = evaluated.record }
      }
      return .advanced
    }
  }

  func outcome(of end: RolloutEnd) -> SyncSlots.Outcome {
    switch end {
    case .stopped(let reason): return .stopped(reason)
    case .failed(let error):
      pendingFailure = error
      return .failed(error.code)
    }
  }

  /// What failed, in the words of the lowest rank that failed. Every rank calls it.
  private func agreedFailure() throws(TrainingError) -> TrainingError {
    try communicator.agreedFailure(pendingFailure) ?? TrainingError(.internalError, "a rank failed and gave no reason")
  }

  /// Parameters of the reference policy while its divergence counts.
  private var activeReference: [Float]? {
    guard let reference = global.reference, let referenceKL else { return nil }
    return referenceKL.coefficient(optimizerStep: global.learner.optimizerStep) > 0 ? reference.parameters : nil
  }

  /// The normaliser of observations as the statistics are now.
  var frozenObservations: FrozenStatistics {
    settings.observationNormalizer.map { StatisticsShape(network).frozen(global.statistics, $0) }
      ?? FrozenStatistics(identity: network.observationSize)
  }

  private func collect(shares: [Int], isLast: Bool, stopRequested: () -> StopReason?) -> Result<Rollout, RolloutEnd> {
    let frozen = frozenObservations
    let scaling = settings.rewardScaling.map { ReturnScaling(global.statistics.returns, $0) }
    return collector.collect(
      chunk: global.chunk, shares: shares, isLast: isLast, parameters: global.learner.parameters, frozen: frozen, scaling: scaling,
      reference: activeReference, stopRequested: stopRequested)
  }

  private enum UpdateResult {
    case advanced(UpdateMetrics?)
    case stopped(StopReason)
  }

  /// Rank 0 updates and tells the others how it went; on return every rank has the new parameters and counters.
  private func update(_ parts: [Rollout], isStabilisation: Bool, stopRequested: () -> StopReason?) throws(TrainingError) -> UpdateResult {
    if isStabilisation { return .advanced(nil) }
    var verdict = Verdict.advanced
    var stop: StopReason?
    var metrics: UpdateMetrics?
    if var learner {
      // Moved out and back so that the arrays stay unshared while they are written.
      self.learner = nil
      let context = UpdateContext(seed: settings.seed, step: global.step, planTotal: planTotalAtStart, isOwnRollout: true)
      let outcome = learner.update(Rollout(concatenating: parts), context: context) {
        stop = stopRequested()
        return stop != nil
      }
      switch outcome {
      case .finished(let finished):
        metrics = finished
        advance { $0.learner = learner.state }
      case .interrupted:
        verdict = Verdict.stopped
      case .diverged:
        verdict = Verdict.diverged
      case .inconsistent:
        verdict = Verdict.inconsistent
      }
      self.learner = learner
    }
    var writer = MessageWriter()
    writer.write(verdict)
    writer.write(Int(stop?.word ?? 0))
    writer.write(global.learner.optimizerStep)
    writer.write(global.learner.updateCount)
    var header = writer.bytes
    try RanksFailure.wrap { () throws(RanksError) in try communicator.broadcast(&header, root: 0) }
    var reader = MessageReader(header)
    switch reader.readInt() {
    case Verdict.stopped:
      guard let reason = StopReason(word: UInt64(reader.readInt())) else { preconditionFailure("rank 0 stopped without a reason") }
      return .stopped(reason)
    case Verdict.diverged:
      throw TrainingError(
        .internalError,
        "training diverged at step \(global.step): loss or gradient was not finite in \(PPOConfiguration.nonFiniteStreakLimit) minibatches in a "
          + "row; the last checkpoint is from before")
    case Verdict.inconsistent:
      throw TrainingError(
        .internalError,
        "acting and updating disagree at step \(global.step): a ratio before the first optimizer step was not exactly 1; this is a defect of "
          + "the program")
    default: break
    }
    _ = reader.readInt()
    let (optimizerStep, updateCount) = (reader.readInt(), reader.readInt())
    var parameters = global.learner.parameters
    try RanksFailure.wrap { () throws(RanksError) in try communicator.broadcast(&parameters, root: 0) }
    if !isRoot {
      advance {
        $0.learner.parameters = parameters
        // Schedules of the rollout count them.
        $0.learner.optimizerStep = optimizerStep
        $0.learner.updateCount = updateCount
      }
    }
    return .advanced(metrics)
  }
}

/// What rank 0 says after its update, before the parameters.
private enum Verdict {
  static let advanced = 0
  static let stopped = 1
  static let diverged = 2
  static let inconsistent = 3
}

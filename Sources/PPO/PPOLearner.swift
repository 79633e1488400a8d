import Neural
import Randomness

/// What an update depends on besides rollout and state.
public struct UpdateContext: Sendable, Equatable {
  /// Seed of the run; keys the shuffle.
  public var seed: UInt64
  /// Decisions of the run before this rollout.
  public var step: Int
  /// Decisions of the plan at the run's first start.
  public var planTotal: Int
  /// Whether the rollout was acted by the learner's parameters. Kernels give a row the same bits in every batch, so every ratio before the
  /// first optimizer step is then exactly 1, and an update that finds another one is given up as inconsistent.
  public var isOwnRollout: Bool

  /// All of them.
  public init(seed: UInt64, step: Int, planTotal: Int, isOwnRollout: Bool = false) {
    self.seed = seed
    self.step = step
    self.planTotal = planTotal
    self.isOwnRollout = isOwnRollout
  }
}

/// Proximal policy optimisation (arXiv 1707.06347) of one network from rollouts.
///
/// The state is a value; workspaces behind it are shared by copies of the learner and carry nothing from one update to the next. One
/// thread uses a learner and its copies.
public struct PPOLearner {
  /// The network that is trained.
  public let network: Network
  /// Replaced only between updates.
  public var configuration: PPOConfiguration
  /// Parameters, moments, counters.
  public var state: LearnerState
  private let buffers: TrainingBuffers
  private var scratch: UpdateScratch

  /// Starts from `state`.
  public init(_ network: Network, configuration: PPOConfiguration, state: LearnerState) {
    let count = network.layout.storedCount
    precondition(
      state.parameters.count == count && state.firstMoments.count == count && state.secondMoments.count == count,
      "state of another network")
    self.network = network
    self.configuration = configuration
    self.state = state
    buffers = TrainingBuffers(network, rows: configuration.minibatchSize)
    scratch = UpdateScratch(actionCount: network.actionCount, rows: configuration.minibatchSize)
  }

  /// Flat parameters.
  public var parameters: [Float] { state.parameters }

  /// Epochs of shuffled minibatches over `rollout`.
  ///
  /// `shouldStop` is asked before each minibatch. Unless the update finishes, the state stays what it was.
  public mutating func update(
    _ rollout: borrowing Rollout, context: UpdateContext, shouldStop: () -> Bool = { false }
  ) -> UpdateOutcome {
    precondition(rollout.count > 0, "an update needs transitions")
    precondition(buffers.rowsMax >= configuration.minibatchSize, "minibatchSize was raised after the start")
    var metrics = UpdateMetrics()
    scratch.prepare(rollout, configuration: configuration, metrics: &metrics)
    let targetKL = configuration.adaptiveTargetKL == nil ? configuration.targetKL : state.targetKL ?? configuration.targetKL
    metrics.targetKL = targetKL
    buffers.load(
      parameters: state.parameters.span, firstMoments: state.firstMoments.span, secondMoments: state.secondMoments.span)
    var pass = UpdatePass(state: state, metrics: metrics)
    var ending = EpochEnding.complete
    var epoch = 0
    while epoch < configuration.epochs, ending == .complete {
      ending = runEpoch(epoch, rollout, context: context, pass: &pass, shouldStop: shouldStop)
      epoch += 1
    }
    pass.finish()
    switch ending {
    case .interrupted: return .interrupted
    case .diverged: return .diverged(pass.metrics)
    case .inconsistent: return .inconsistent(pass.metrics)
    case .complete, .stopped: break
    }
    buffers.store(
      parameters: &state.parameters, firstMoments: &state.firstMoments, secondMoments: &state.secondMoments)
    state.optimizerStep = pass.optimizerStep
    state.nonFiniteStreak = pass.nonFiniteStreak
    state.updateCount += 1
    if let adaptive = configuration.adaptiveTargetKL {
      let next = adaptive.next(
        target: targetKL, streak: state.earlyStopStreak, stoppedEarly: pass.metrics.earlyStop != .none, divergence: pass.metrics.approxKL)
      (state.targetKL, state.earlyStopStreak) = (next.target, next.streak)
    }
    return .finished(pass.metrics)
  }

  private enum EpochEnding { case complete, stopped, interrupted, diverged, inconsistent }

  private mutating func runEpoch(
    _ epoch: Int, _ rollout: borrowing Rollout, context: UpdateContext, pass: inout UpdatePass, shouldStop: () -> Bool
  ) -> EpochEnding {
    var stream = RandomStream(
      seed: context.seed, purpose: .shuffle, index: state.updateCount * PPOConfiguration.epochsLimit + epoch)
    scratch.shuffle(stream: &stream)
    pass.metrics.epochsRun = epoch + 1
    var epochSums = LossSums()
    var first = 0
    while first < scratch.sequenceCount {
      if shouldStop() { return .interrupted }
      let (sums, last) = optimizerStep(rollout, first: first, context: context, pass: &pass)
      if context.isOwnRollout, pass.metrics.ratioFirstMinibatchMaxDeviation > 0 { return .inconsistent }
      if pass.nonFiniteStreak >= PPOConfiguration.nonFiniteStreakLimit { return .diverged }
      if let sums {
        epochSums.add(sums)
        if configuration.klThreshold > 0, sums.approxKL / Double(sums.count) > configuration.klThreshold {
          pass.metrics.earlyStop = .atMinibatch
          return .stopped
        }
      }
      first = last
    }
    if pass.metrics.targetKL > 0, epoch + 1 >= configuration.minimumEpochs, epochSums.count > 0,
      epochSums.approxKL / Double(epochSums.count) > 1.5 * pass.metrics.targetKL
    {
      pass.metrics.earlyStop = .afterEpoch
      return .stopped
    }
    return .complete
  }

  /// One optimizer step from the sequence at `first` of the order on: for each of its minibatches forward, loss, backward; then clip and step.
  /// No sums if loss or gradient was not finite. No step is taken if the divergence exceeds the threshold.
  ///
  /// - Returns: sums over its minibatches, and the place in the order behind them.
  private mutating func optimizerStep(
    _ rollout: borrowing Rollout, first: Int, context: UpdateContext, pass: inout UpdatePass
  ) -> (sums: LossSums?, last: Int) {
    let coefficients = LossCoefficients(
      entropy: configuration.entropy.coefficient(optimizerStep: pass.optimizerStep),
      reference: rollout.shape.hasReference
        ? configuration.referenceKL?.coefficient(optimizerStep: pass.optimizerStep) ?? 0 : 0)
    let learningRate = configuration.learningRate.rate(
      optimizerStep: pass.optimizerStep, step: context.step, planTotal: context.planTotal)
    pass.metrics.entropyCoefficient = coefficients.entropy
    pass.metrics.klReferenceCoefficient = coefficients.reference
    pass.metrics.learningRate = learningRate

    let (sums, norm, last) = evaluate(rollout, first: first, coefficients: coefficients)
    if !pass.hasFirst {
      pass.metrics.ratioFirstMinibatchMaxDeviation = sums.ratioDeviation
      pass.hasFirst = true
    }
    guard scratch.loss.total(sums, coefficients).isFinite, norm.isFinite else {
      pass.metrics.skippedSteps += 1
      pass.nonFiniteStreak += 1
      return (nil, last)
    }
    pass.nonFiniteStreak = 0
    pass.sums.add(sums)
    pass.normSum += norm
    pass.minibatches += 1
    if configuration.klThreshold > 0, sums.approxKL / Double(sums.count) > configuration.klThreshold { return (sums, last) }
    pass.optimizerStep += 1
    pass.metrics.optimizerSteps += 1
    buffers.step(
      configuration.optimizer, gradientScale: AdamW.clipFactor(norm: norm, maximum: configuration.maxGradientNorm),
      learningRate: Float(learningRate), step: pass.optimizerStep)
    return (sums, last)
  }

  /// Losses and gradients of the minibatches of one optimizer step, added up in their order: means over all their transitions.
  private mutating func evaluate(
    _ rollout: borrowing Rollout, first: Int, coefficients: LossCoefficients
  ) -> (sums: LossSums, norm: Double, last: Int) {
    var last = first
    for _ in 0..<configuration.accumulationSteps { last = scratch.minibatch(from: last, size: configuration.minibatchSize).upperBound }
    let total = scratch.samples(first..<last)
    var result: (sums: LossSums, norm: Double)?
    var next = first
    while next < last {
      let range = scratch.minibatch(from: next, size: configuration.minibatchSize)
      if result != nil { buffers.accumulate() }
      let part = scratch.evaluate(
        rollout, range: range, total: total, shards: configuration.shards, buffers: buffers, coefficients: coefficients)
      var sums = result?.sums ?? part.sums
      if result != nil { sums.add(part.sums) }
      result = (sums, part.norm)
      next = range.upperBound
    }
    guard let result else { preconditionFailure("an optimizer step needs transitions") }
    return (result.sums, result.norm, last)
  }
}

/// Counters and sums of an update on its way.
struct UpdatePass {
  var metrics: UpdateMetrics
  var optimizerStep: Int
  var nonFiniteStreak: Int
  var sums = LossSums()
  var normSum = 0.0
  var minibatches = 0
  var hasFirst = false

  init(state: LearnerState, metrics: UpdateMetrics) {
    self.metrics = metrics
    optimizerStep = state.optimizerStep
    nonFiniteStreak = state.nonFiniteStreak
  }

  /// Turns sums into means.
  mutating func finish() {
    guard sums.count > 0 else { return }
    let count = Double(sums.count)
    metrics.policyLoss = sums.policy / count
    metrics.valueLoss = sums.value / count
    metrics.entropy = sums.entropy / count
    metrics.approxKL = sums.approxKL / count
    metrics.approxKLFirst = sums.approxKLFirst / count
    metrics.klOld = sums.klOld / count
    metrics.klReference = sums.klReference / count
    metrics.clipFraction = sums.clipped / count
    metrics.labelledShare = Double(sums.labelled) / count
    metrics.gradientNorm = normSum / Double(minibatches)
  }
}

import Environments
import Hashing
import PPO

/// One logical environment of the run on the rank that drives it in this attempt.
///
/// Holds what belongs to the environment and not to the rank: the environment itself, the chunk's action log with its digests, and the policy's
/// memory of it. Invariants: `actions` has one entry per decision of the chunk; `digests` one per finished iteration;
/// everything is reset at chunk start, and nothing in here crosses a chunk boundary.
struct EnvironmentRunner<E: Environment> {
  /// Number over the whole run, never per rank.
  let index: Int
  private(set) var environment: E
  /// The chunk's actions so far: the log that replay drives.
  private(set) var actions: [UInt16] = []
  /// One digest per finished iteration, over observation, mask, reward and flags of its steps.
  private(set) var digests: [Digest] = []
  /// Recurrent state of the network before the next decision, `[S]`.
  var policyState: [Float]
  /// Recurrent state of the reference policy before the next decision, `[S]`; empty without one.
  var referenceState: [Float]
  /// Sets the temperature of the draws; nil: 1.
  private var controller: TemperatureController?
  /// Discounted sum of raw rewards of the open episode, for the reward scale.
  private(set) var discountedReturn = 0.0

  // Of the current iteration
  private(set) var episodes: [EpisodeRecord] = []
  private(set) var infoSums: [Double]
  private(set) var rewardSum = 0.0
  /// End-to-end times of the requests that completed, in order.
  private(set) var latencies: [Double] = []
  private var simulatedStart = 0.0
  /// What was decided about what, in order; kept for credit assignment only.
  private(set) var decisions: [Decision] = []
  /// Labelled decisions with the environments before them.
  private(set) var labelled: [LabelledDecision<E>] = []
  /// The environment at the iteration's begin, if credit is assigned from there, and the return then.
  private var beginning: (environment: E, discountedReturn: Double)?
  /// Places of decisions after which an episode ended.
  private var ends: [Int] = []
  /// Raw observation of the pending decision, `[D]`.
  private(set) var observation: [Float]
  /// Mask of the pending decision, `[A]`.
  private(set) var mask: [UInt8]
  private var info: [Double]
  private var hasher = SHA256()
  private let stateSize: Int

  /// - Parameters:
  ///   - prototype: a configured environment; the runner owns a copy.
  ///   - stateSize: recurrent floats of the network per environment.
  ///   - hasReference: whether a reference policy has a state of its own.
  ///   - temperature: of the controller; nil, or an environment without signals: draws at temperature 1.
  init(index: Int, prototype: E, stateSize: Int, hasReference: Bool = false, temperature: TemperatureConfiguration? = nil) {
    self.index = index
    self.environment = prototype
    self.stateSize = stateSize
    self.policyState = [Float](repeating: 0, count: stateSize)
    self.referenceState = hasReference ? policyState : []
    self.controller = prototype.loadSignals == nil ? nil : temperature.map { TemperatureController($0) }
    self.observation = [Float](repeating: 0, count: prototype.observationSize)
    self.mask = [UInt8](repeating: 1, count: prototype.actionCount)
    self.info = [Double](repeating: 0, count: E.infoFields.count)
    self.infoSums = self.info
  }

  /// Resets every per-environment state for `chunk`.
  mutating func beginChunk(seed: UInt64, chunk: Int) {
    environment.reset(seed: seed, chunk: chunk, environment: index)
    actions.removeAll(keepingCapacity: true)
    digests.removeAll(keepingCapacity: true)
    discountedReturn = 0
    controller?.state = TemperatureState()
    clearPolicyState()
    beginIteration()
  }

  /// Clears what one iteration gathers.
  ///
  /// - Parameter keepsBeginning: whether `ownRewards` will be asked for.
  mutating func beginIteration(keepsBeginning: Bool = false) {
    decisions.removeAll(keepingCapacity: true)
    labelled.removeAll()
    ends.removeAll(keepingCapacity: true)
    beginning = keepsBeginning ? (environment, discountedReturn) : nil
    episodes.removeAll(keepingCapacity: true)
    for field in infoSums.indices { infoSums[field] = 0 }
    rewardSum = 0
    latencies.removeAll(keepingCapacity: true)
    simulatedStart = environment.simulatedSeconds
    hasher.reset()
  }

  /// Reads the pending decision into `observation` and `mask`.
  mutating func observe() {
    // Moved out and back: a span into `self` would bar every other access to it.
    var values: [Float] = []
    swap(&values, &observation)
    var valueSpan = values.mutableSpan
    environment.observe(into: &valueSpan)
    swap(&values, &observation)
    var allowed: [UInt8] = []
    swap(&allowed, &mask)
    var allowedSpan = allowed.mutableSpan
    environment.actionMask(into: &allowedSpan)
    swap(&allowed, &mask)
  }

  /// Temperature at which the pending decision is drawn; the controller moves on by one decision.
  mutating func nextTemperature() -> Float {
    guard controller != nil, let signals = environment.loadSignals else { return 1 }
    let inputs = TemperatureInputs(
      arrivalRate: signals.arrivalRate, targetRate: signals.targetRate, latency: signals.latency, targetLatency: signals.targetLatency,
      balance: signals.balance, change: signals.change)
    return controller?.next(inputs) ?? 1
  }

  /// Simulated seconds since the iteration began.
  var simulatedElapsed: Double { environment.simulatedSeconds - simulatedStart }
  /// Keeps the environment as it is before the pending decision, for `actionCosts`.
  mutating func label() { labelled.append(LabelledDecision(place: decisions.count, environment: environment)) }

  /// What each action would have cost at labelled decision number `index`, `[A]`; the later decisions of the iteration stay as they were.
  func actionCosts(labelled index: Int, horizon: CostHorizon) -> [Double] {
    let label = labelled[index]
    return label.environment.actionCosts(later: Array(decisions.dropFirst(label.place + 1)), horizon: horizon)
  }

  /// Minus the own cost of each decision of the iteration, and the discounted sums of these; the running return goes on from them.
  mutating func ownRewards(discount: Double) -> [(reward: Float, discountedReturn: Double)] {
    guard let beginning else { preconditionFailure("the iteration's begin was not kept") }
    discountedReturn = beginning.discountedReturn
    var next = 0
    return beginning.environment.ownCosts(of: decisions).enumerated().map { place, cost in
      let reward = Float(-cost)
      discountedReturn = discount * discountedReturn + Double(reward)
      let closed = discountedReturn
      if next < ends.count && ends[next] == place {
        discountedReturn = 0
        next += 1
      }
      return (reward, closed)
    }
  }

  /// Applies `action` to the decision that `observe()` read.
  ///
  /// - Parameter discount: of the running return.
  /// - Returns: the step, and the running return that includes its reward (before the reset that an episode end causes).
  mutating func step(_ action: Int, discount: Double) -> (result: StepResult, discountedReturn: Double) {
    decisions.append(Decision(subject: environment.subject, action: action))
    let result = environment.step(action)
    actions.append(UInt16(action))
    hasher.update(observation.span)
    hasher.update(mask.span)
    hasher.update(result.reward)
    hasher.update(UInt8((result.terminated ? 1 : 0) | (result.truncated ? 2 : 0)))
    discountedReturn = discount * discountedReturn + Double(result.reward)
    let closed = discountedReturn
    rewardSum += Double(result.reward)
    var terms: [Double] = []
    swap(&terms, &info)
    var termSpan = terms.mutableSpan
    environment.info(into: &termSpan)
    swap(&terms, &info)
    for field in info.indices { infoSums[field] += info[field] }
    environment.latencies(into: &latencies)
    if let episode = result.episode { episodes.append(episode) }
    if result.terminated || result.truncated {
      ends.append(decisions.count - 1)
      discountedReturn = 0
      clearPolicyState()
    }
    return (result, closed)
  }

  /// Closes the digest of the iteration.
  mutating func endIteration() {
    digests.append(hasher.finalize())
    labelled.removeAll()
    beginning = nil
  }

  /// The episode that a chunk end cuts, recorded with the last iteration.
  mutating func closeChunk() {
    if let record = environment.closingRecord() { episodes.append(record) }
  }

  /// Drives the environment through a recorded part of `chunk` and compares every digest.
  ///
  /// - Parameters:
  ///   - shares: decisions of this environment in each finished iteration.
  ///   - stopRequested: polled per iteration; a long replay also keeps the lock alive by it.
  /// - Returns: the reason why it was left before its end, nil if it was not.
  /// - Throws: `TrainingError` with code `.mismatch` naming environment and iteration.
  mutating func replay(
    seed: UInt64, chunk: Int, recorded: EnvironmentState, shares: [Int], discount: Double, stopRequested: () -> StopReason?
  ) throws(TrainingError) -> StopReason? {
    beginChunk(seed: seed, chunk: chunk)
    var next = 0
    for (iteration, share) in shares.enumerated() {
      if let reason = stopRequested() { return reason }
      beginIteration()
      for _ in 0..<share {
        observe()
        _ = step(Int(recorded.actions[next]), discount: discount)
        next += 1
      }
      endIteration()
      if digests[iteration] != recorded.digests[iteration] {
        throw TrainingError(
          .mismatch,
          "replay of chunk \(chunk) differs in environment \(index), iteration \(iteration): digest \(digests[iteration]), recorded "
            + "\(recorded.digests[iteration]); the program or an input is not the one that wrote the checkpoint")
      }
    }
    policyState = recorded.policyState
    referenceState = recorded.referenceState
    if let memory = recorded.temperature { controller?.state = memory }
    discountedReturn = recorded.discountedReturn
    beginIteration()
    return nil
  }

  /// What a checkpoint keeps of this environment at a boundary.
  var state: EnvironmentState {
    EnvironmentState(
      actions: actions, digests: digests, policyState: policyState, discountedReturn: discountedReturn, referenceState: referenceState,
      temperature: controller?.state)
  }

  private mutating func clearPolicyState() {
    for i in policyState.indices { policyState[i] = 0 }
    clearReferenceState()
  }

  /// Forgets what the reference policy remembers.
  mutating func clearReferenceState() {
    for i in referenceState.indices { referenceState[i] = 0 }
  }
}

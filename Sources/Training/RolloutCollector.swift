import Environments
import Neural
import PPO
import Randomness

/// Collects this rank's share of a rollout.
///
/// Parameters and statistics are frozen while it runs. The environments advance in lockstep, one inference batch a decision; a row of a batch has
/// the same bits in every batch, so the division among ranks does not show in the result.
struct RolloutCollector<E: Environment> {
  private let settings: TrainingSettings
  private let network: Network
  private let activations: Activations
  /// The environments of this rank, in order of their numbers.
  var runners: [EnvironmentRunner<E>]
  /// Statistics since the last sync, one slot per runner.
  private(set) var slots: [StatisticsSlot]
  private var sampler: ActionSampler
  // Scratch for up to all runners of this rank.
  private var observations: [Float]
  private var normalised: [Float]
  private var states: [Float]
  private var nextStates: [Float]
  private var logits: [Float]
  private var values: [Float]

  init(settings: TrainingSettings, network: Network, prototype: E, environments: Range<Int>) {
    self.settings = settings
    self.network = network
    let rows = environments.count
    activations = network.makeActivations(rows: rows)
    runners = environments.map { EnvironmentRunner(index: $0, prototype: prototype, stateSize: network.stateSize) }
    slots = [StatisticsSlot](repeating: StatisticsSlot(observationSize: network.observationSize), count: rows)
    sampler = ActionSampler(actionCount: network.actionCount)
    observations = [Float](repeating: 0, count: rows * network.observationSize)
    normalised = [Float](repeating: 0, count: network.observationSize)
    states = [Float](repeating: 0, count: rows * network.stateSize)
    nextStates = states
    logits = [Float](repeating: 0, count: rows * network.actionCount)
    values = [Float](repeating: 0, count: rows)
  }

  /// Which environments `rank` drives: contiguous blocks, so that gathering in rank order is gathering in environment order.
  static func environments(of rank: Int, worldSize: Int, environmentCount: Int) -> Range<Int> {
    (rank * environmentCount / worldSize)..<((rank + 1) * environmentCount / worldSize)
  }

  /// Everything per environment is reset for `chunk`.
  mutating func beginChunk(_ chunk: Int) {
    for i in runners.indices { runners[i].beginChunk(seed: settings.seed, chunk: chunk) }
  }

  /// Takes `shares[i]` decisions in runner i with uniform actions, for the statistics alone.
  ///
  /// - Returns: the reason to stop, if one came up; the iteration is then incomplete.
  mutating func stabilise(chunk: Int, shares: [Int], isLast: Bool, stopRequested: () -> StopReason?) -> StopReason? {
    beginIteration()
    for i in runners.indices {
      for _ in 0..<shares[i] {
        if let reason = stopRequested() { return reason }
        runners[i].observe()
        let observation = runners[i].observation
        slots[i].observations.add(observation.span)
        var stream = RandomStream(
          seed: settings.seed, purpose: .stabilisation, chunk: chunk, environment: runners[i].index, index: runners[i].actions.count)
        let action = uniformAction(runners[i].mask, &stream)
        let (_, discounted) = runners[i].step(action, discount: settings.gamma)
        slots[i].returns.add(discounted)
      }
    }
    endIteration(isLast: isLast)
    return nil
  }

  /// Takes `shares[i]` decisions in runner i with the policy.
  ///
  /// - Parameters:
  ///   - frozen: normaliser of observations, as of the rollout's begin.
  ///   - scaling: scale of rewards, as of the rollout's begin.
  ///   - isLast: whether the chunk ends with this iteration; its end is a cut.
  /// - Returns: the transitions of this rank, or the reason to stop.
  mutating func collect(
    chunk: Int, shares: [Int], isLast: Bool, parameters: [Float], frozen: FrozenStatistics, scaling: ReturnScaling?,
    stopRequested: () -> StopReason?
  ) -> Result<Rollout, RolloutStopped> {
    beginIteration()
    let shape = RolloutShape(
      observationSize: network.observationSize, actionCount: network.actionCount, stateSize: network.stateSize)
    var rollout = Rollout(shape, segmentLengths: shares)
    for t in 0..<(shares.max() ?? 0) {
      let active = runners.indices.filter { t < shares[$0] }
      for (row, i) in active.enumerated() {
        runners[i].observe()
        let observation = runners[i].observation
        slots[i].observations.add(observation.span)
        load(row: row, observation: observation, state: runners[i].policyState, frozen: frozen)
      }
      forward(rows: active.count, parameters: parameters, outputs: .policyAndValue)
      for (row, i) in active.enumerated() {
        if let reason = stopRequested() { return .failure(RolloutStopped(reason: reason)) }
        step(row: row, runner: i, t: t, chunk: chunk, rollout: &rollout, parameters: parameters, frozen: frozen, scaling: scaling)
      }
    }
    bootstrap(shares: shares, isLast: isLast, rollout: &rollout, parameters: parameters, frozen: frozen)
    endIteration(isLast: isLast)
    return .success(rollout)
  }

  /// Forgets the statistics that the sync has taken over.
  mutating func clearSlots() {
    for i in slots.indices { slots[i].clear() }
  }

  private mutating func beginIteration() {
    for i in runners.indices { runners[i].beginIteration() }
  }

  private mutating func endIteration(isLast: Bool) {
    for i in runners.indices {
      runners[i].endIteration()
      if isLast { runners[i].closeChunk() }
    }
  }

  private mutating func step(
    row: Int, runner i: Int, t: Int, chunk: Int, rollout: inout Rollout, parameters: [Float], frozen: FrozenStatistics,
    scaling: ReturnScaling?
  ) {
    let actionRange = (row * network.actionCount)..<((row + 1) * network.actionCount)
    let observationRange = (row * network.observationSize)..<((row + 1) * network.observationSize)
    let stateRange = (row * network.stateSize)..<((row + 1) * network.stateSize)
    var stream = RandomStream(
      seed: settings.seed, purpose: .action, chunk: chunk, environment: runners[i].index, index: runners[i].actions.count)
    // Locals share storage with the scratch; spans into `self` would bar the sampler.
    let (mask, logits, observations, states) = (runners[i].mask, self.logits, self.observations, self.states)
    let chosen = sampler.sample(
      logits: logits.span.extracting(actionRange), mask: mask.span, temperature: 1, uniform: stream.uniform())
    let index = rollout.index(environment: i, t: t)
    rollout.recordDecision(
      at: index, observation: observations.span.extracting(observationRange), state: states.span.extracting(stateRange),
      mask: mask.span, logits: logits.span.extracting(actionRange), referenceLogits: [Float]().span, action: chosen.action,
      logProbability: chosen.logProbability, value: values[row], temperature: 1)
    for (k, position) in stateRange.enumerated() { runners[i].policyState[k] = nextStates[position] }

    let (result, discounted) = runners[i].step(chosen.action, discount: settings.gamma)
    slots[i].returns.add(discounted)
    let reward = scaling?.scale(result.reward) ?? result.reward
    var valueNext: Float = 0
    if result.truncated && !result.terminated {
      valueNext = value(after: result, runner: i, state: Array(nextStates[stateRange]), parameters: parameters, frozen: frozen)
    }
    rollout.recordOutcome(
      at: index, reward: reward, terminal: result.terminated, cut: result.truncated && !result.terminated, valueNext: valueNext)
  }

  /// V of the final observation of an episode that was cut in the middle of the rollout. Overwrites no batch that is still in use: rows are
  /// read before they are stepped, this one is computed in a workspace of its own.
  private func value(
    after result: StepResult, runner i: Int, state: [Float], parameters: [Float], frozen: FrozenStatistics
  ) -> Float {
    var final = [Float](repeating: 0, count: network.observationSize)
    var span = final.mutableSpan
    runners[i].observationAfter(result, into: &span)
    frozen.normalise(&span)
    var value: [Float] = [0]
    var valueSpan = value.mutableSpan
    var none: [Float] = []
    var noneSpan = none.mutableSpan
    var unusedStates: [Float] = []
    var unusedSpan = unusedStates.mutableSpan
    network.forward(
      parameters: parameters.span, observations: final.span, states: state.span, rows: 1, outputs: .value, activations: activations,
      logits: &noneSpan, values: &valueSpan, nextStates: &unusedSpan)
    return value[0]
  }

  /// Values of the observations that follow the rollout's last transitions, with the old parameters and statistics; hidden states stand still.
  private mutating func bootstrap(shares: [Int], isLast: Bool, rollout: inout Rollout, parameters: [Float], frozen: FrozenStatistics) {
    let open = runners.indices.filter { i in
      guard shares[i] > 0 else { return false }
      let last = rollout.index(environment: i, t: shares[i] - 1)
      return rollout.terminal[last] == 0 && rollout.cut[last] == 0
    }
    guard !open.isEmpty else { return }
    for (row, i) in open.enumerated() {
      runners[i].observe()
      load(row: row, observation: runners[i].observation, state: runners[i].policyState, frozen: frozen)
    }
    forward(rows: open.count, parameters: parameters, outputs: .value)
    for (row, i) in open.enumerated() {
      let last = rollout.index(environment: i, t: shares[i] - 1)
      rollout.setValueNext(at: last, values[row])
      if isLast { rollout.markCut(at: last) }
    }
  }

  private mutating func load(row: Int, observation: [Float], state: [Float], frozen: FrozenStatistics) {
    let size = network.observationSize
    var row0: [Float] = []
    swap(&row0, &normalised)
    var target = row0.mutableSpan
    frozen.normalise(observation.span, into: &target)
    swap(&row0, &normalised)
    for k in 0..<size { observations[row * size + k] = normalised[k] }
    for (k, element) in state.enumerated() { states[row * network.stateSize + k] = element }
  }

  private mutating func forward(rows: Int, parameters: [Float], outputs: NetworkOutputs) {
    // Moved out and back: a span into `self` would bar every other access to it.
    var (outLogits, outValues, outStates) = ([Float](), [Float](), [Float]())
    swap(&outLogits, &logits)
    swap(&outValues, &values)
    swap(&outStates, &nextStates)
    var logitSpan = outLogits.mutableSpan
    var valueSpan = outValues.mutableSpan
    var stateSpan = outStates.mutableSpan
    network.forward(
      parameters: parameters.span, observations: observations.span.extracting(0..<(rows * network.observationSize)),
      states: states.span.extracting(0..<(rows * network.stateSize)), rows: rows, outputs: outputs, activations: activations,
      logits: &logitSpan, values: &valueSpan, nextStates: &stateSpan)
    swap(&outLogits, &logits)
    swap(&outValues, &values)
    swap(&outStates, &nextStates)
  }

  private func uniformAction(_ mask: [UInt8], _ stream: inout RandomStream) -> Int {
    let allowed = mask.indices.filter { mask[$0] != 0 }
    return allowed[stream.bounded(allowed.count)]
  }
}

/// A rollout that was left before its end.
struct RolloutStopped: Error {
  let reason: StopReason
}

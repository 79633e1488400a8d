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
  private var raw: [Float]
  private var observations: [Float]
  private var masks: [UInt8]
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
    raw = [Float](repeating: 0, count: rows * network.observationSize)
    observations = raw
    masks = [UInt8](repeating: 1, count: rows * network.actionCount)
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
        slots[i].observations.add(runners[i].observation, row: 0)
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
    var rollout = Rollout(RolloutShape(network), segmentLengths: shares)
    for t in 0..<(shares.max() ?? 0) {
      let active = runners.indices.filter { t < shares[$0] }
      for (row, i) in active.enumerated() {
        load(row: row, runner: i, frozen: frozen)
        slots[i].observations.add(raw, row: row)
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
    var stream = RandomStream(
      seed: settings.seed, purpose: .action, chunk: chunk, environment: runners[i].index, index: runners[i].actions.count)
    let chosen = sampler.sample(logits: logits, masks: masks, row: row, temperature: 1, uniform: stream.uniform())
    let index = rollout.index(environment: i, t: t)
    rollout.recordDecision(
      at: index, row: row, observations: observations, states: states, masks: masks, logits: logits, action: chosen.action,
      logProbability: chosen.logProbability, value: values[row], temperature: 1)
    let next = nextStates[(row * network.stateSize)..<((row + 1) * network.stateSize)]
    runners[i].policyState.replaceSubrange(0..., with: next)

    let (result, discounted) = runners[i].step(chosen.action, discount: settings.gamma)
    slots[i].returns.add(discounted)
    let isCut = result.truncated && !result.terminated
    rollout.recordOutcome(
      at: index, reward: scaling?.scale(result.reward) ?? result.reward, terminal: result.terminated, cut: isCut,
      valueNext: isCut ? finalValue(runner: i, state: Array(next), parameters: parameters, frozen: frozen) : 0)
  }

  /// V of the final observation of an episode that was cut in the middle of the rollout, with the recurrent state it ended in.
  private func finalValue(runner i: Int, state: [Float], parameters: [Float], frozen: FrozenStatistics) -> Float {
    var final = [Float](repeating: 0, count: network.observationSize)
    var span = final.mutableSpan
    runners[i].environment.finalObservation(into: &span)
    var normalised = final
    frozen.normalise(final, row: 0, into: &normalised)
    var value: [Float] = [0]
    var (unusedLogits, unusedStates) = ([Float](), [Float]())
    network.forward(
      parameters: parameters, observations: normalised, states: state, rows: 1, outputs: .value, activations: activations,
      logits: &unusedLogits,
      values: &value, nextStates: &unusedStates)
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
    for (row, i) in open.enumerated() { load(row: row, runner: i, frozen: frozen) }
    forward(rows: open.count, parameters: parameters, outputs: .value)
    for (row, i) in open.enumerated() {
      let last = rollout.index(environment: i, t: shares[i] - 1)
      rollout.setValueNext(at: last, values[row])
      if isLast { rollout.markCut(at: last) }
    }
  }

  /// Puts the pending decision of a runner into row `row` of the batch.
  private mutating func load(row: Int, runner i: Int, frozen: FrozenStatistics) {
    runners[i].observe()
    raw.replaceSubrange((row * network.observationSize)..<((row + 1) * network.observationSize), with: runners[i].observation)
    frozen.normalise(raw, row: row, into: &observations)
    masks.replaceSubrange((row * network.actionCount)..<((row + 1) * network.actionCount), with: runners[i].mask)
    states.replaceSubrange((row * network.stateSize)..<((row + 1) * network.stateSize), with: runners[i].policyState)
  }

  private mutating func forward(rows: Int, parameters: [Float], outputs: NetworkOutputs) {
    network.forward(
      parameters: parameters, observations: observations, states: states, rows: rows, outputs: outputs, activations: activations,
      logits: &logits, values: &values, nextStates: &nextStates)
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

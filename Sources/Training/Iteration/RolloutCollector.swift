import Environments
import Neural
import PPO
import Randomness

/// Collects this rank's share of a rollout.
///
/// Parameters and statistics are frozen while it runs. The environments advance in lockstep, one inference batch a decision; a row of a batch has
/// the same bits in every batch, so the division among ranks does not show in the result.
struct RolloutCollector<E: Environment> {
  let settings: TrainingSettings
  private let network: Network
  private let activations: Activations
  private let shape: StatisticsShape
  /// The environments of this rank, in order of their numbers.
  var runners: [EnvironmentRunner<E>]
  /// Statistics since the last sync, one slot per runner.
  var slots: [StatisticsSlot]
  private var sampler: ActionSampler
  // Scratch for up to all runners of this rank.
  private var raw: [Float]
  private var observations: [Float]
  private var masks: [UInt8]
  private var states: [Float]
  private var nextStates: [Float]
  private var logits: [Float]
  private var values: [Float]
  // Of the reference policy; empty without one.
  private var referenceStates: [Float]
  private var referenceNextStates: [Float]
  private var referenceLogits: [Float]

  init(settings: TrainingSettings, network: Network, prototype: E, environments: Range<Int>, hasReference: Bool = false) {
    self.settings = settings
    self.network = network
    let rows = environments.count
    activations = network.makeActivations(rows: rows)
    let shape = StatisticsShape(network)
    self.shape = shape
    runners = environments.map {
      EnvironmentRunner(
        index: $0, prototype: prototype, stateSize: network.stateSize, hasReference: hasReference, temperature: settings.temperature)
    }
    slots = [StatisticsSlot](repeating: StatisticsSlot(shape), count: rows)
    sampler = ActionSampler(actionCount: network.actionCount)
    raw = [Float](repeating: 0, count: rows * network.observationSize)
    observations = raw
    masks = [UInt8](repeating: 1, count: rows * network.actionCount)
    states = [Float](repeating: 0, count: rows * network.stateSize)
    nextStates = states
    logits = [Float](repeating: 0, count: rows * network.actionCount)
    values = [Float](repeating: 0, count: rows)
    referenceStates = hasReference ? states : []
    referenceNextStates = referenceStates
    referenceLogits = hasReference ? logits : []
  }

  /// Which environments `rank` drives: contiguous blocks, so that gathering in rank order is gathering in environment order.
  static func environments(of rank: Int, worldSize: Int, environmentCount: Int) -> Range<Int> {
    (rank * environmentCount / worldSize)..<((rank + 1) * environmentCount / worldSize)
  }

  /// Whether environments have temperature controllers.
  var hasTemperature: Bool { runners.contains { $0.state.temperature != nil } }

  /// Everything per environment is reset for `chunk`.
  mutating func beginChunk(_ chunk: Int) {
    for i in runners.indices { runners[i].beginChunk(seed: settings.seed, chunk: chunk) }
  }

  /// Takes `shares[i]` decisions in runner i with uniform actions, for the statistics alone.
  ///
  /// - Returns: why it ended early, if it did; the iteration is then incomplete.
  mutating func stabilise(chunk: Int, shares: [Int], isLast: Bool, stopRequested: () -> StopReason?) -> RolloutEnd? {
    beginIteration()
    for i in runners.indices {
      for _ in 0..<shares[i] {
        if let reason = stopRequested() { return .stopped(reason) }
        runners[i].observe()
        if let problem = problem(runners[i].observation, row: 0) { return failure(problem, runner: i, chunk: chunk) }
        slots[i].add(runners[i].observation, masks: runners[i].mask, row: 0, shape: shape)
        var stream = RandomStream(
          seed: settings.seed, purpose: .stabilisation, chunk: chunk, environment: runners[i].index, index: runners[i].actions.count)
        let action = uniformAction(runners[i].mask, &stream)
        let (result, discounted) = runners[i].step(action, discount: settings.gamma)
        if let problem = problem(result) { return failure(problem, runner: i, chunk: chunk) }
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
  ///   - reference: parameters of the reference policy while its divergence counts; nil forgets what it remembers.
  /// - Returns: the transitions of this rank, or why it ended early.
  mutating func collect(
    chunk: Int, shares: [Int], isLast: Bool, parameters: [Float], frozen: FrozenStatistics, scaling: ReturnScaling?,
    reference: [Float]? = nil, stopRequested: () -> StopReason?
  ) -> Result<Rollout, RolloutEnd> {
    beginIteration(keepsBeginning: settings.credit == .own)
    if reference == nil { for i in runners.indices { runners[i].clearReferenceState() } }
    var rollout = Rollout(RolloutShape(network, hasReference: reference != nil), segmentLengths: shares)
    for t in 0..<(shares.max() ?? 0) {
      let active = runners.indices.filter { t < shares[$0] }
      for (row, i) in active.enumerated() {
        load(row: row, runner: i, frozen: frozen)
        if let problem = problem(raw, row: row) { return .failure(failure(problem, runner: i, chunk: chunk)) }
        slots[i].add(raw, masks: masks, row: row, shape: shape)
      }
      forward(rows: active.count, parameters: parameters, outputs: .policyAndValue)
      if let reference { runReference(active, parameters: reference) }
      for (row, i) in active.enumerated() {
        if let reason = stopRequested() { return .failure(.stopped(reason)) }
        let result = step(
          row: row, runner: i, t: t, chunk: chunk, rollout: &rollout, parameters: parameters, frozen: frozen, scaling: scaling)
        if let problem = problem(result) { return .failure(failure(problem, runner: i, chunk: chunk)) }
      }
    }
    bootstrap(shares: shares, isLast: isLast, rollout: &rollout, parameters: parameters, frozen: frozen)
    if let reason = assignCredit(to: &rollout, scaling: scaling, stopRequested: stopRequested) {
      return .failure(.stopped(reason))
    }
    endIteration(isLast: isLast)
    return .success(rollout)
  }

  /// Forgets the statistics that the sync has taken over.
  mutating func clearSlots() {
    for i in slots.indices { slots[i].clear() }
  }

  private mutating func beginIteration(keepsBeginning: Bool = false) {
    for i in runners.indices { runners[i].beginIteration(keepsBeginning: keepsBeginning) }
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
  ) -> StepResult {
    var stream = RandomStream(
      seed: settings.seed, purpose: .action, chunk: chunk, environment: runners[i].index, index: runners[i].actions.count)
    let temperature = runners[i].nextTemperature()
    let chosen = sampler.sample(logits: logits, masks: masks, row: row, temperature: temperature, uniform: stream.uniform())
    let index = rollout.index(environment: i, t: t)
    rollout.recordDecision(
      at: index, row: row, observations: observations, states: states, masks: masks, logits: logits, referenceLogits: referenceLogits,
      action: chosen.action, logProbability: chosen.logProbability, value: values[row], temperature: temperature)
    let next = nextStates[(row * network.stateSize)..<((row + 1) * network.stateSize)]
    runners[i].policyState.replaceSubrange(0..., with: next)

    if settings.credit.labels(
      seed: settings.seed, chunk: chunk, environment: runners[i].index, decision: runners[i].actions.count)
    {
      runners[i].label()
    }
    let (result, discounted) = runners[i].step(chosen.action, discount: settings.gamma)
    if settings.credit != .own { slots[i].returns.add(discounted) }
    let isCut = result.truncated && !result.terminated
    rollout.recordOutcome(
      at: index, reward: scaling?.scale(result.reward) ?? result.reward, terminal: result.terminated, cut: isCut,
      valueNext: isCut ? finalValue(runner: i, state: Array(next), parameters: parameters, frozen: frozen) : 0)
    return result
  }

  /// Logits and next states of the reference policy for the batch that is loaded.
  private mutating func runReference(_ active: [Int], parameters: [Float]) {
    let size = network.stateSize
    for (row, i) in active.enumerated() {
      referenceStates.replaceSubrange((row * size)..<((row + 1) * size), with: runners[i].referenceState)
    }
    var unusedValues: [Float] = []
    network.forward(
      parameters: parameters, observations: observations, states: referenceStates, masks: masks, rows: active.count, outputs: .policy,
      activations: activations, logits: &referenceLogits, values: &unusedValues, nextStates: &referenceNextStates)
    // Before the step: an episode that ends there clears the state again.
    for (row, i) in active.enumerated() {
      runners[i].referenceState.replaceSubrange(0..., with: referenceNextStates[(row * size)..<((row + 1) * size)])
    }
  }

  /// What an observation has that no statistic and no network can take in.
  private func problem(_ observations: [Float], row: Int) -> String? {
    let first = row * network.observationSize
    for i in 0..<network.observationSize where !observations[first + i].isFinite {
      return "its observation has \(observations[first + i]) at \(runners[0].environment.observationNames[i])"
    }
    return nil
  }

  private func problem(_ result: StepResult) -> String? { result.reward.isFinite ? nil : "it gave the reward \(result.reward)" }

  private func failure(_ problem: String, runner i: Int, chunk: Int) -> RolloutEnd {
    .failed(
      TrainingError(
        .internalError,
        "environment \(runners[i].index) is broken: at decision \(runners[i].actions.count) of chunk \(chunk) \(problem)"))
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
      parameters: parameters, observations: observations, states: states, masks: masks, rows: rows, outputs: outputs,
      activations: activations, logits: &logits, values: &values, nextStates: &nextStates)
  }

  private func uniformAction(_ mask: [UInt8], _ stream: inout RandomStream) -> Int {
    let allowed = mask.indices.filter { mask[$0] != 0 }
    return allowed[stream.bounded(allowed.count)]
  }
}

/// Why a rollout was left before its end.
enum RolloutEnd: Error {
  /// A stop was asked for.
  case stopped(StopReason)
  /// An environment gave something that is no number.
  case failed(TrainingError)
}

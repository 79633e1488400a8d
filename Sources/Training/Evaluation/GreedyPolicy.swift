import Environments
import Neural
import PPO

/// A policy at work without learning: greedy, temperature 1, frozen normaliser. Carries the recurrent state of one environment.
struct GreedyPolicy {
  let network: Network
  private let parameters: [Float]
  private let frozen: FrozenStatistics
  private let activations: Activations
  private var sampler: ActionSampler
  private var state: [Float]
  private var observation: [Float]
  private var normalised: [Float]
  private var mask: [UInt8]
  private var logits: [Float]

  init(_ network: Network, parameters: [Float], frozen: FrozenStatistics) {
    self.network = network
    self.parameters = parameters
    self.frozen = frozen
    activations = network.makeActivations(rows: 1)
    sampler = ActionSampler(actionCount: network.actionCount)
    state = [Float](repeating: 0, count: network.stateSize)
    observation = [Float](repeating: 0, count: network.observationSize)
    normalised = observation
    mask = [UInt8](repeating: 1, count: network.actionCount)
    logits = [Float](repeating: 0, count: network.actionCount)
  }

  /// Forgets the past, as at an episode's start.
  mutating func reset() {
    for i in state.indices { state[i] = 0 }
  }

  /// The likeliest allowed action at the pending decision of `environment`, or the one at `uniform` of the distribution; the recurrent state moves
  /// on.
  mutating func choose<E: Environment>(_ environment: E, uniform: Double? = nil) -> Int {
    var observationSpan = observation.mutableSpan
    environment.observe(into: &observationSpan)
    frozen.normalise(observation, row: 0, into: &normalised)
    var maskSpan = mask.mutableSpan
    environment.actionMask(into: &maskSpan)
    var next = state
    var unusedValues: [Float] = []
    network.forward(
      parameters: parameters, observations: normalised, states: state, masks: mask, rows: 1, outputs: .policy, activations: activations,
      logits: &logits, values: &unusedValues, nextStates: &next)
    state = next
    if let uniform { return sampler.sample(logits: logits, masks: mask, row: 0, temperature: 1, uniform: uniform).action }
    return sampler.greedy(logits: logits, masks: mask, row: 0).action
  }
}

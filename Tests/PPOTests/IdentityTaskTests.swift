import Neural
import PPO
import Randomness
import Testing

/// The smallest task that needs policy, advantage and optimizer to work together: the observation shows one of two symbols, the reward is 1
/// for the action of that number and 0 otherwise. Uniform actions earn 0.5.
@Suite("learning")
struct IdentityTaskTests {
  static let networks = [
    Network(.mlp(hidden: [16]), observationSize: 2, actionCount: 2),
    Network(.recurrent(hidden: 16, layers: 1, projection: 16), observationSize: 2, actionCount: 2),
  ]

  @Test("the identity task is solved above 0.9", arguments: networks, [1, 2, 3] as [UInt64])
  func identity(network: Network, seed: UInt64) throws {
    let configuration = PPOConfiguration(gamma: 0, lambda: 0.95, minibatchSize: 32, learningRate: .constant(3e-3))
    var learner = PPOLearner(network, configuration: configuration, state: LearnerState(network, seed: seed))
    var rate = 0.0
    for iteration in 0..<20 {
      let rollout = act(network, learner.parameters, seed: seed, iteration: iteration)
      rate = rollout.rewards.reduce(0) { $0 + Double($1) } / Double(rollout.count)
      guard case .finished = learner.update(rollout, context: UpdateContext(seed: seed, step: 0, planTotal: 1)) else {
        Issue.record("the update did not finish")
        return
      }
    }
    #expect(rate > 0.9)
  }

  private func act(_ network: Network, _ parameters: [Float], seed: UInt64, iteration: Int) -> Rollout {
    let count = 128
    var rollout = Rollout(
      RolloutShape(observationSize: 2, actionCount: 2, stateSize: network.stateSize), segmentLengths: [count])
    let activations = network.makeActivations(rows: 1)
    var sampler = ActionSampler(actionCount: 2)
    var state = [Float](repeating: 0, count: network.stateSize)
    var next = state
    var logits: [Float] = [0, 0]
    var values: [Float] = [0]
    let mask: [UInt8] = [1, 1]
    for t in 0..<count {
      var stream = RandomStream(seed: seed, purpose: .action, chunk: 1, environment: 0, index: iteration * count + t)
      let symbol = stream.bounded(2)
      let observation: [Float] = symbol == 0 ? [1, 0] : [0, 1]
      network.forward(
        parameters: parameters, observations: observation, states: state, rows: 1, activations: activations, logits: &logits,
        values: &values, nextStates: &next)
      let choice = sampler.sample(logits: logits.span, mask: mask.span, temperature: 1, uniform: stream.uniform())
      rollout.recordDecision(
        at: t, observation: observation.span, state: state.span, mask: mask.span, logits: logits.span, action: choice.action,
        logProbability: choice.logProbability, value: values[0], temperature: 1)
      rollout.recordOutcome(at: t, reward: choice.action == symbol ? 1 : 0, terminal: false, cut: t == count - 1)
      swap(&state, &next)
    }
    return rollout
  }
}

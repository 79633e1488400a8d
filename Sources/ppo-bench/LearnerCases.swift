import Neural
import PPO
import Randomness

/// Cases of the learner, the set encoder's included. Bounds for the recurrent network at D = 212, A = 4: a forward pass takes 2 x 0.46 M
/// operations a row and a backward pass up to twice that, so an update of 1024 transitions in 4 epochs needs 11 G operations; a batch of one
/// reads 1.9 MB of weights.
enum LearnerCases {
  static var all: [BenchmarkCase] {
    let inferences = [1, 8, 64].map { rows in
      BenchmarkCase(name: "inference", extents: [rows]) {
        inference(recurrentNetwork, rows: rows, operations: recurrentNetwork.parameterCount)
      }
    }
    let recurrent = Network(.recurrent(), observationSize: 212, actionCount: 4)
    let mlp = Network(.mlp(hidden: [64, 64]), observationSize: 4, actionCount: 2)
    return inferences + [
      BenchmarkCase(name: "update", extents: [1024, 4, 64]) { update(recurrent, transitions: 1024, minibatch: 64) },
      BenchmarkCase(name: "update.shards4", extents: [1024, 4, 64]) { update(recurrent, transitions: 1024, minibatch: 64, shards: 4) },
      BenchmarkCase(name: "update.sequence16", extents: [1024, 4, 64]) {
        update(recurrent, transitions: 1024, minibatch: 64, sequence: 16)
      },
      BenchmarkCase(name: "update.mlp", extents: [512, 4, 128]) { update(mlp, transitions: 512, minibatch: 128) },
    ] + SetEncoderCases.all
  }

  /// The default network on the default observation.
  private static let recurrentNetwork = Network(.recurrent(), observationSize: 212, actionCount: 4)

  /// An item is a batch of `rows` decisions.
  static func inference(_ network: Network, rows: Int, operations: Int) -> BenchmarkResult {
    let parameters = network.initialParameters(seed: 1)
    let activations = network.makeActivations(rows: rows)
    let observations = noise(rows * network.observationSize, index: 1)
    let states = noise(rows * network.stateSize, index: 2)
    var logits = [Float](repeating: 0, count: rows * network.actionCount)
    var values = [Float](repeating: 0, count: rows)
    var nextStates = states
    let run = {
      network.forward(
        parameters: parameters, observations: observations, states: states, rows: rows, activations: activations, logits: &logits,
        values: &values, nextStates: &nextStates)
    }
    run()
    let checksum = Benchmark.checksum(logits + values + nextStates)
    return BenchmarkResult(
      nanosecondsPerItem: Benchmark.measure(items: 1, run), operationsPerItem: 2 * Double(operations * rows), checksum: checksum)
  }

  /// An item is one update: four epochs of shuffled minibatches with loss, backward pass, clipping and optimizer step.
  static func update(
    _ network: Network, transitions: Int, minibatch: Int, shards: Int = 1, sequence: Int = 1, operations: Int? = nil
  ) -> BenchmarkResult {
    let state = LearnerState(network, seed: 1)
    let rollout = rollout(network, parameters: state.parameters, transitions: transitions)
    var configuration = PPOConfiguration(epochs: 4, minibatchSize: minibatch, shards: shards, sequenceLength: sequence)
    configuration.targetKL = 0
    configuration.klThreshold = 0
    var learner = PPOLearner(network, configuration: configuration, state: state)
    let run = {
      learner.state = state
      _ = learner.update(rollout, context: UpdateContext(seed: 1, step: 0, planTotal: 1))
    }
    run()
    let checksum = Benchmark.checksum(learner.parameters)
    let total = 6 * Double(operations ?? network.parameterCount) * Double(4 * transitions)
    return BenchmarkResult(nanosecondsPerItem: Benchmark.measure(items: 1, run), operationsPerItem: total, checksum: checksum)
  }

  /// Transitions of noise with the network's own logits and values.
  private static func rollout(_ network: Network, parameters: [Float], transitions: Int) -> Rollout {
    var rollout = Rollout(RolloutShape(network), segmentLengths: [transitions])
    let activations = network.makeActivations(rows: 1)
    var sampler = ActionSampler(actionCount: network.actionCount)
    let masks = [UInt8](repeating: 1, count: network.actionCount)
    var logits = [Float](repeating: 0, count: network.actionCount)
    var values: [Float] = [0]
    var states = [Float](repeating: 0, count: network.stateSize)
    var next = states
    var stream = RandomStream(seed: 2, purpose: .action)
    for t in 0..<transitions {
      let observations = noise(network.observationSize, index: 10 + t)
      network.forward(
        parameters: parameters, observations: observations, states: states, rows: 1, activations: activations, logits: &logits,
        values: &values, nextStates: &next)
      let choice = sampler.sample(logits: logits, masks: masks, row: 0, temperature: 1, uniform: stream.uniform())
      rollout.recordDecision(
        at: t, row: 0, observations: observations, states: states, masks: masks, logits: logits, action: choice.action,
        logProbability: choice.logProbability, value: values[0], temperature: 1)
      rollout.recordOutcome(at: t, reward: Float(stream.uniform()) - 0.5, terminal: false, cut: t == transitions - 1)
      states = next
    }
    return rollout
  }

  /// Numbers that look like normalised observations.
  private static func noise(_ count: Int, index: Int) -> [Float] {
    var stream = RandomStream(seed: 1, purpose: .stabilisation, index: index)
    return (0..<count).map { _ in Float(2 * stream.uniform() - 1) }
  }
}

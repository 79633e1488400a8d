import Neural
import PPO
import Randomness
import Testing

@Suite("learner")
struct PPOLearnerTests {
  static let networks = [
    Network(.recurrent(hidden: 16, layers: 2, projection: 16), observationSize: 5, actionCount: 3),
    Network(.mlp(hidden: [16]), observationSize: 5, actionCount: 3),
  ]

  /// A rollout acted by the network itself in batches of three environments, with masks and temperatures.
  static func act(_ network: Network, _ parameters: [Float], steps: Int = 20) -> Rollout {
    let E = 3
    var masks = [UInt8](repeating: 1, count: E * 3)
    var rollout = Rollout(RolloutShape(network), segmentLengths: [Int](repeating: steps, count: E))
    let activations = network.makeActivations(rows: E)
    var sampler = ActionSampler(actionCount: 3)
    var states = [Float](repeating: 0, count: E * network.stateSize)
    var next = states
    var logits = [Float](repeating: 0, count: E * 3)
    var values = [Float](repeating: 0, count: E)
    var stream = RandomStream(seed: 9, purpose: .action)
    for t in 0..<steps {
      let observations = TestRollouts.uniform(E * 5, index: t)
      network.forward(
        parameters: parameters, observations: observations, states: states, rows: E, activations: activations, logits: &logits,
        values: &values, nextStates: &next)
      for e in 0..<E {
        masks[3 * e + 2] = (t + e) % 4 == 0 ? 0 : 1
        let temperature = Float(0.8 + 0.1 * Double(t % 5))
        let choice = sampler.sample(logits: logits, masks: masks, row: e, temperature: temperature, uniform: stream.uniform())
        let index = rollout.index(environment: e, t: t)
        rollout.recordDecision(
          at: index, row: e, observations: observations, states: states, masks: masks, logits: logits, action: choice.action,
          logProbability: choice.logProbability, value: values[e], temperature: temperature)
        rollout.recordOutcome(at: index, reward: Float(stream.normal()), terminal: false, cut: t == steps - 1, valueNext: 0.1)
      }
      swap(&states, &next)
    }
    return rollout
  }

  static func learner(_ network: Network, _ change: (inout PPOConfiguration) -> Void = { _ in }) -> PPOLearner {
    var configuration = PPOConfiguration(epochs: 3, minibatchSize: 16, targetKL: 0, klThreshold: 0)
    change(&configuration)
    return PPOLearner(network, configuration: configuration, state: LearnerState(network, seed: 1))
  }

  static let context = UpdateContext(seed: 1, step: 0, planTotal: 1000)

  @Test("before the first step every ratio is exactly 1, whatever mask, temperature, state and batch", arguments: networks)
  func firstRatio(network: Network) throws {
    var learner = Self.learner(network)
    let rollout = Self.act(network, learner.parameters)
    guard case .finished(let metrics) = learner.update(rollout, context: Self.context) else { throw Unexpected() }
    #expect(metrics.ratioFirstMinibatchMaxDeviation == 0)
    #expect(metrics.epochsRun == 3)
    #expect(metrics.optimizerSteps == 12)  // 60 transitions: 16, 16, 16, 12
    #expect(learner.state.optimizerStep == 12)
    #expect(learner.state.updateCount == 1)
    #expect(metrics.actionCounts.reduce(0, +) == 60)
    #expect(metrics.approxKL > 0)
    #expect(metrics.klOld > 0)
    #expect(network.layout.paddingIsZero(in: learner.parameters))
    #expect(Set(metrics.fields.map(\.name)).count == metrics.fields.count)
  }

  @Test("equal states and rollouts end in equal states; another seed shuffles otherwise", arguments: networks)
  func determinism(network: Network) {
    var first = Self.learner(network)
    var second = Self.learner(network)
    let rollout = Self.act(network, first.parameters)
    #expect(first.update(rollout, context: Self.context) == second.update(rollout, context: Self.context))
    #expect(first.state == second.state)
    var other = Self.learner(network)
    _ = other.update(rollout, context: UpdateContext(seed: 2, step: 0, planTotal: 1000))
    #expect(other.state != first.state)
    // The second update continues from counters alone.
    var resumed = PPOLearner(network, configuration: first.configuration, state: first.state)
    _ = first.update(rollout, context: Self.context)
    _ = resumed.update(rollout, context: Self.context)
    #expect(first.state == resumed.state)
  }

  @Test("without learning nothing diverges: old and new distribution agree in every bit", arguments: networks)
  func standstill(network: Network) throws {
    var learner = Self.learner(network) { $0.learningRate = .constant(0) }
    let rollout = Self.act(network, learner.parameters)
    let before = learner.parameters
    guard case .finished(let metrics) = learner.update(rollout, context: Self.context) else { throw Unexpected() }
    #expect(learner.parameters == before)
    #expect(metrics.klOld == 0)
    #expect(metrics.approxKL == 0)
    #expect(metrics.clipFraction == 0)
  }

  @Test("the shuffle depends on the update")
  func shuffleKey() {
    let network = Self.networks[1]
    var first = Self.learner(network)
    var later = Self.learner(network)
    later.state.updateCount = 1
    let rollout = Self.act(network, first.parameters)
    _ = first.update(rollout, context: Self.context)
    _ = later.update(rollout, context: Self.context)
    #expect(first.parameters != later.parameters)
  }

  @Test("a stop request at any minibatch leaves the state as it was")
  func interruption() {
    let network = Self.networks[0]
    var undisturbed = Self.learner(network)
    let rollout = Self.act(network, undisturbed.parameters)
    _ = undisturbed.update(rollout, context: Self.context)
    for limit in 0..<12 {
      var learner = Self.learner(network)
      let before = learner.state
      var polls = 0
      let outcome = learner.update(rollout, context: Self.context) {
        polls += 1
        return polls > limit
      }
      #expect(outcome == .interrupted)
      #expect(learner.state == before)
      _ = learner.update(rollout, context: Self.context)
      #expect(learner.state == undisturbed.state)
    }
  }

  @Test("three minibatches in a row that are not finite end training, and the state stays")
  func divergence() {
    let network = Self.networks[1]
    var learner = Self.learner(network)
    var rollout = Self.act(network, learner.parameters)
    for t in 0..<rollout.count { rollout.recordOutcome(at: t, reward: .nan, terminal: false, cut: false) }
    let before = learner.state
    guard case .diverged(let metrics) = learner.update(rollout, context: Self.context) else {
      Issue.record("did not diverge")
      return
    }
    #expect(metrics.skippedSteps == 3)
    #expect(learner.state == before)
  }

  @Test("one bad minibatch is skipped and counted")
  func skippedStep() throws {
    let network = Self.networks[1]
    var learner = Self.learner(network) {
      $0.epochs = 2
      $0.normalizeAdvantages = false
    }
    var rollout = Self.act(network, learner.parameters)
    // A cut right before keeps the infinite reward to its own advantage.
    rollout.markCut(at: 6)
    rollout.recordOutcome(at: 7, reward: .infinity, terminal: true, cut: false)
    guard case .finished(let metrics) = learner.update(rollout, context: Self.context) else { throw Unexpected() }
    #expect(metrics.skippedSteps == 2)
    #expect(metrics.optimizerSteps == 6)
    #expect(learner.parameters.allSatisfy { $0.isFinite })
    #expect(metrics.policyLoss.isFinite)
  }

  @Test("early stops: after an epoch, at a minibatch, and not before the minimum")
  func earlyStop() throws {
    let network = Self.networks[1]
    func run(_ change: (inout PPOConfiguration) -> Void) throws -> UpdateMetrics {
      var learner = Self.learner(network) {
        $0.learningRate = .constant(0.02)
        $0.epochs = 6
        change(&$0)
      }
      let rollout = Self.act(network, learner.parameters)
      guard case .finished(let metrics) = learner.update(rollout, context: Self.context) else { throw Unexpected() }
      return metrics
    }
    let free = try run { _ in }
    #expect(free.epochsRun == 6)
    #expect(free.earlyStop == .none)
    let epoch = try run { $0.targetKL = 1e-4 }
    #expect(epoch.earlyStop == .afterEpoch)
    #expect(epoch.epochsRun == 1)
    let later = try run {
      $0.targetKL = 1e-4
      $0.minimumEpochs = 3
    }
    #expect(later.epochsRun == 3)
    let minibatch = try run { $0.klThreshold = 1e-3 }
    #expect(minibatch.earlyStop == .atMinibatch)
    #expect(minibatch.optimizerSteps < free.optimizerSteps)
  }

  @Test("explained variance is 1 - var(return - value) / var(return) before the first step")
  func explainedVariance() throws {
    let network = Self.networks[1]
    var learner = Self.learner(network) {
      $0.gamma = 0
      $0.lambda = 0
    }
    var rollout = Self.act(network, learner.parameters)
    // With gamma 0 the return is the reward.
    for t in 0..<rollout.count {
      rollout.recordOutcome(at: t, reward: rollout.values[t] + (t % 2 == 0 ? 0.5 : -0.5), terminal: false, cut: false)
    }
    let returns = rollout.rewards.map { Double($0) }
    let mean = returns.reduce(0, +) / Double(returns.count)
    let variance = returns.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(returns.count)
    guard case .finished(let metrics) = learner.update(rollout, context: Self.context) else { throw Unexpected() }
    #expect(abs(metrics.explainedVariance - (1 - 0.25 / (variance + 1e-8))) < 1e-3)
    #expect(abs(metrics.advantage.standardDeviation - 0.5) < 1e-6)
    #expect(abs(metrics.reward.mean - mean) < 1e-9)
  }

  struct Unexpected: Error {}
}

import Neural
import Randomness
import Testing

@testable import PPO

/// Sequences, accumulation and advantages of all actions in an update.
@Suite("sequences and labels")
struct SequenceTests {
  static let networks = [
    Network(.recurrent(hidden: 16, layers: 2, projection: 16), observationSize: 5, actionCount: 3),
    Network(.recurrent(hidden: 16, layers: 1, projection: 16, cell: .layerNorm), observationSize: 5, actionCount: 3),
    Network(.setEncoder(width: 16, attention: true, replicaBlockSize: 1), observationSize: 5, actionCount: 3),
  ]

  /// A rollout acted by the network, with ends of both kinds inside its segments.
  static func act(_ network: Network, _ parameters: [Float], lengths: [Int] = [13, 20, 7]) -> Rollout {
    var rollout = Rollout(RolloutShape(network), segmentLengths: lengths)
    let activations = network.makeActivations(rows: 1)
    var sampler = ActionSampler(actionCount: 3)
    var stream = RandomStream(seed: 9, purpose: .action)
    for (environment, length) in lengths.enumerated() {
      var state = [Float](repeating: 0, count: network.stateSize)
      for t in 0..<length {
        let observation = TestRollouts.uniform(5, index: 100 * environment + t)
        let mask: [UInt8] = [1, 1, t % 4 == 0 ? 0 : 1]
        var (logits, values, next) = ([Float](repeating: 0, count: 3), [Float(0)], state)
        network.forward(
          parameters: parameters, observations: observation, states: state, masks: mask, rows: 1, activations: activations,
          logits: &logits, values: &values, nextStates: &next)
        let temperature = Float(0.8 + 0.1 * Double(t % 5))
        let choice = sampler.sample(logits: logits, masks: mask, row: 0, temperature: temperature, uniform: stream.uniform())
        let index = rollout.index(environment: environment, t: t)
        rollout.recordDecision(
          at: index, row: 0, observations: observation, states: state, masks: mask, logits: logits, action: choice.action,
          logProbability: choice.logProbability, value: values[0], temperature: temperature)
        let ends = t % 6 == 5
        rollout.recordOutcome(at: index, reward: Float(stream.normal()), terminal: ends && t % 4 == 1, cut: ends && t % 4 == 3)
        state = ends ? state.map { _ in 0 } : next
      }
    }
    return rollout
  }

  static func learner(_ network: Network, _ change: (inout PPOConfiguration) -> Void = { _ in }) -> PPOLearner {
    var configuration = PPOConfiguration(epochs: 2, minibatchSize: 16, targetKL: 0, klThreshold: 0)
    change(&configuration)
    return PPOLearner(network, configuration: configuration, state: LearnerState(network, seed: 1))
  }

  static let context = UpdateContext(seed: 1, step: 0, planTotal: 1000, isOwnRollout: true)

  @Test("sequences are acted again bit for bit: the first ratio is exactly 1, across ends too", arguments: networks, [1, 4, 6, 16])
  func firstRatio(network: Network, length: Int) throws {
    var learner = Self.learner(network) {
      $0.sequenceLength = length
      $0.shards = 2
    }
    let rollout = Self.act(network, learner.parameters)
    guard case .finished(let metrics) = learner.update(rollout, context: Self.context) else { throw Unexpected() }
    #expect(metrics.ratioFirstMinibatchMaxDeviation == 0)
    #expect(metrics.optimizerSteps >= 6)
    // All transitions of both epochs are seen once each.
    var whole = Self.learner(network) { $0.learningRate = .constant(0) }
    whole.configuration.sequenceLength = length
    guard case .finished(let still) = whole.update(rollout, context: Self.context) else { throw Unexpected() }
    #expect(still.klOld == 0 && still.approxKL == 0)
  }

  @Test("every transition is in exactly one sequence, none crosses a segment or an end, none is longer than asked")
  func partition() {
    let network = Self.networks[0]
    let rollout = Self.act(network, network.initialParameters(seed: 1))
    for length in [1, 3, 5, 16] {
      var metrics = UpdateMetrics()
      var scratch = UpdateScratch(actionCount: 3, rows: 16)
      scratch.prepare(rollout, configuration: PPOConfiguration(minibatchSize: 16, sequenceLength: length), metrics: &metrics)
      var stream = RandomStream(seed: 4, purpose: .shuffle)
      scratch.shuffle(stream: &stream)
      #expect(scratch.samples(0..<scratch.sequenceCount) == rollout.count)
      var first = 0
      while first < scratch.sequenceCount {
        let range = scratch.minibatch(from: first, size: 16)
        #expect(!range.isEmpty && scratch.samples(range) <= 16)
        first = range.upperBound
      }
      // Segments of 13, 20 and 7 with an end after every sixth transition.
      let pieces = [6, 6, 1, 6, 6, 6, 2, 6, 1].map { ($0 + length - 1) / length }
      #expect(scratch.sequenceCount == pieces.reduce(0, +))
    }
  }

  @Test("a rollout that others acted is refused as inconsistent, and the state stays")
  func inconsistent() {
    let network = Self.networks[0]
    var learner = Self.learner(network)
    let rollout = Self.act(network, network.initialParameters(seed: 2))
    let before = learner.state
    guard case .inconsistent(let metrics) = learner.update(rollout, context: Self.context) else {
      Issue.record("it was taken")
      return
    }
    #expect(metrics.ratioFirstMinibatchMaxDeviation > 0 && learner.state == before)
  }

  @Test("two minibatches of 8 make the step of one of 16, up to rounding; steps are counted once", arguments: networks)
  func accumulation(network: Network) throws {
    var plain = Self.learner(network) { $0.epochs = 1 }
    var parts = Self.learner(network) {
      $0.epochs = 1
      $0.minibatchSize = 8
      $0.accumulationSteps = 2
    }
    let rollout = Self.act(network, plain.parameters)
    guard case .finished(let a) = plain.update(rollout, context: Self.context) else { throw Unexpected() }
    guard case .finished(let b) = parts.update(rollout, context: Self.context) else { throw Unexpected() }
    #expect(a.optimizerSteps == 3 && b.optimizerSteps == 3 && parts.state.optimizerStep == 3)
    #expect(abs(a.policyLoss - b.policyLoss) < 1e-6 && abs(a.gradientNorm - b.gradientNorm) < 1e-5 * a.gradientNorm)
    for (x, y) in zip(plain.parameters, parts.parameters) { #expect(abs(x - y) < 1e-5) }
  }

  @Test("labels survive bytes and concatenation")
  func labels() throws {
    let network = Self.networks[0]
    var parts = [[4, 3], [5]].map { Self.act(network, network.initialParameters(seed: 1), lengths: $0) }
    #expect(try Rollout(bytes: parts[0].bytes()) == parts[0])
    parts[0].setActionAdvantages(at: 6, [1, 2, 3].span)
    parts[0].setActionAdvantages(at: 1, [4, 5, 6].span)
    parts[1].setActionAdvantages(at: 2, [7, 8, 9].span)
    for part in parts { #expect(try Rollout(bytes: part.bytes()) == part) }
    let whole = Rollout(concatenating: parts)
    #expect(whole.actionAdvantages == [1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect((0..<whole.count).map { whole.actionAdvantageRow($0) ?? -1 } == [-1, 1, -1, -1, -1, -1, 0, -1, -1, 2, -1, -1])
    #expect(throws: RolloutFormatError.self) { try Rollout(bytes: Array(whole.bytes().dropLast(4))) }
  }

  @Test("expected policy loss: value by hand, gradient against central differences, no advantage of a constant, masked actions unread")
  func expectedLoss() {
    let A = 4
    var rollout = TestRollouts.random(RolloutShape(observationSize: 1, actionCount: A, stateSize: 0), lengths: [12], index: 5)
    for t in stride(from: 0, to: 12, by: 2) { rollout.setActionAdvantages(at: t, TestRollouts.uniform(A, -2...2, index: 50 + t).span) }
    let logits = zip(rollout.logits, TestRollouts.uniform(12 * A, -0.3...0.3, index: 9)).map { $0 + $1 }
    let advantages = TestRollouts.uniform(12, -1...1, index: 10)
    let zero = [Float](repeating: 0, count: 12)
    let configuration = LossConfiguration(valueCoefficient: 0, klCoefficient: 0, entropyPenaltyCoefficient: 0)
    func evaluate(_ logits: [Float], shift: Float = 0) -> (loss: Double, gradients: [Float], labelled: Int) {
      var loss = PPOLoss(configuration, actionCount: A)
      var (dLogits, dValues) = ([Float](repeating: 99, count: 12 * A), zero)
      let labels = rollout.actionAdvantages.map { $0 + shift }
      let sums = loss.evaluate(
        rollout, order: (0..<12).map { Int32($0) }, range: 0..<12, logits: logits, values: zero,
        oldLogP: TestRollouts.logProbabilities(rollout), advantages: advantages, returns: zero, actionAdvantages: labels,
        coefficients: LossCoefficients(entropy: 0), logitGradients: &dLogits, valueGradients: &dValues)
      return (loss.total(sums, LossCoefficients(entropy: 0)), dLogits, sums.labelled)
    }
    /// In double precision, from the formula.
    func reference(_ logits: [Double]) -> Double {
      var sum = 0.0
      for t in 0..<12 {
        let allowed = (0..<A).filter { rollout.masks[t * A + $0] == 1 }
        let weights = (0..<A).map { allowed.contains($0) ? exponential(logits[t * A + $0] / Double(rollout.temperatures[t])) : 0 }
        let total = weights.reduce(0, +)
        if let row = rollout.actionAdvantageRow(t) {
          for a in allowed { sum -= weights[a] / total * Double(rollout.actionAdvantages[row * A + a]) }
        } else {
          let action = Int(rollout.actions[t])
          let ratio = weights[action] / total / exponential(Double(rollout.logProbabilities[t]))
          let clipped = min(max(ratio, 0.85), 1.15)
          sum -= min(ratio * Double(advantages[t]), clipped * Double(advantages[t]))
        }
      }
      return sum / 12
    }
    let result = evaluate(logits)
    #expect(result.labelled == 6)
    var x = logits.map { Double($0) }
    #expect(abs(result.loss - reference(x)) < 1e-6)
    for i in x.indices {
      let kept = x[i]
      x[i] = kept + 1e-6
      let above = reference(x)
      x[i] = kept - 1e-6
      let slope = (above - reference(x)) / 2e-6
      x[i] = kept
      #expect(abs(Double(result.gradients[i]) - slope) < 2e-6, "logit \(i)")
    }
    let shifted = evaluate(logits, shift: 5)
    for (a, b) in zip(result.gradients, shifted.gradients) { #expect(abs(a - b) < 1e-6) }
  }

  private func exponential(_ x: Double) -> Double {
    // Series with halving: the test needs no library for it.
    let scaled = x / 1024
    var (term, sum) = (1.0, 1.0)
    for k in 1...12 {
      term *= scaled / Double(k)
      sum += term
    }
    for _ in 0..<10 { sum *= sum }
    return sum
  }

  @Test("labels are centred under the acting policy and scaled to a root mean square of 1")
  func standardisedLabels() {
    let A = 3
    var rollout = TestRollouts.random(RolloutShape(observationSize: 1, actionCount: A, stateSize: 0), lengths: [9], index: 6)
    for t in [1, 4, 8] { rollout.setActionAdvantages(at: t, TestRollouts.uniform(A, 3...9, index: 70 + t).span) }
    var metrics = UpdateMetrics()
    var scratch = UpdateScratch(actionCount: A, rows: 9)
    scratch.prepare(rollout, configuration: PPOConfiguration(minibatchSize: 9), metrics: &metrics)
    var squares = 0.0
    for (row, t) in [1, 4, 8].enumerated() {
      var mean = 0.0
      for a in 0..<A where rollout.masks[t * A + a] == 1 {
        let p = exponential(Double(scratch.oldLogP[t * A + a]))
        let value = Double(scratch.actionAdvantages[row * A + a])
        mean += p * value
        squares += p * value * value
      }
      #expect(abs(mean) < 1e-6)
    }
    #expect(abs(squares / 3 - 1) < 1e-5)
  }

  struct Unexpected: Error {}
}

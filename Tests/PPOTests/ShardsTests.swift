import Neural
import Randomness
import Testing

@testable import PPO

/// A minibatch's sums over blocks, against leaves that are computed apart and added up by recursion.
@Suite("shards")
struct ShardsTests {
  static let networks = [
    Network(.recurrent(hidden: 16, layers: 2, projection: 16), observationSize: 5, actionCount: 3),
    Network(.mlp(hidden: [16]), observationSize: 5, actionCount: 3),
  ]
  static let coefficients = LossCoefficients(entropy: 0.02)

  /// Gradient and sums of a minibatch or a block.
  struct Part {
    var sums: LossSums
    var gradient: [Float]
    var norm: Double
  }

  static func configuration(shards: Int, minibatch: Int) -> PPOConfiguration {
    PPOConfiguration(epochs: 2, minibatchSize: minibatch, shards: shards, targetKL: 0, klThreshold: 0)
  }

  static func rollout(_ network: Network, count: Int) -> Rollout {
    TestRollouts.random(RolloutShape(network), lengths: [count], index: 3)
  }

  static func workspace(_ network: Network, _ rollout: borrowing Rollout, rows: Int) -> (UpdateScratch, TrainingBuffers) {
    var metrics = UpdateMetrics()
    var scratch = UpdateScratch(actionCount: network.actionCount, rows: rows)
    scratch.prepare(rollout, configuration: configuration(shards: 1, minibatch: rows), metrics: &metrics)
    var stream = RandomStream(seed: 4, purpose: .shuffle)
    scratch.shuffle(stream: &stream)
    let buffers = TrainingBuffers(network, rows: rows)
    let state = LearnerState(network, seed: 1)
    buffers.load(
      parameters: state.parameters.span, firstMoments: state.firstMoments.span, secondMoments: state.secondMoments.span)
    return (scratch, buffers)
  }

  /// What the learner computes.
  static func sharded(_ network: Network, _ rollout: borrowing Rollout, range: Range<Int>, shards: Int) -> Part {
    var (scratch, buffers) = workspace(network, rollout, rows: range.count)
    let (sums, norm) = scratch.evaluate(rollout, range: range, shards: shards, buffers: buffers, coefficients: coefficients)
    var gradient = [Float](repeating: 0, count: network.layout.storedCount)
    buffers.copyGradients(into: &gradient)
    return Part(sums: sums, gradient: gradient, norm: norm)
  }

  /// A block as one chain, in buffers of its own, without the code under test.
  static func chain(_ network: Network, _ rollout: borrowing Rollout, range: Range<Int>, samples: Int) -> Part {
    var (scratch, buffers) = workspace(network, rollout, rows: range.count)
    var logits = [Float](repeating: 0, count: range.count * network.actionCount)
    var values = [Float](repeating: 0, count: range.count)
    var logitGradients = logits
    var valueGradients = values
    buffers.forward(
      observations: rollout.observations, states: rollout.states, masks: rollout.masks, order: scratch.order, range: range,
      logits: &logits, values: &values)
    let sums = scratch.loss.evaluate(
      rollout, order: scratch.order, range: range, samples: samples, logits: logits, values: values, oldLogP: scratch.oldLogP,
      advantages: scratch.advantages, returns: scratch.returns, coefficients: coefficients, logitGradients: &logitGradients,
      valueGradients: &valueGradients)
    let norm = buffers.backward(logitGradients: logitGradients.span, valueGradients: valueGradients.span)
    var gradient = [Float](repeating: 0, count: network.layout.storedCount)
    buffers.copyGradients(into: &gradient)
    return Part(sums: sums, gradient: gradient, norm: norm)
  }

  /// The sum over the blocks `first..<(first + width)` of `shards`; nil if all are empty.
  static func tree(_ network: Network, _ rollout: borrowing Rollout, range: Range<Int>, shards: Int, first: Int, width: Int) -> Part? {
    if width == 1 {
      let size = (range.count + shards - 1) / shards
      let start = min(range.lowerBound + first * size, range.upperBound)
      let block = start..<min(start + size, range.upperBound)
      return block.isEmpty ? nil : chain(network, rollout, range: block, samples: range.count)
    }
    let half = width / 2
    let left = tree(network, rollout, range: range, shards: shards, first: first, width: half)
    let right = tree(network, rollout, range: range, shards: shards, first: first + half, width: half)
    guard var sum = left, let right else { return left ?? right }
    sum.sums.add(right.sums)
    for i in sum.gradient.indices { sum.gradient[i] += right.gradient[i] }
    sum.norm = AdamW.norm(of: sum.gradient.span)
    return sum
  }

  static func expectSameBits(_ a: Part, _ b: Part, _ comment: Comment) {
    #expect(a.sums == b.sums, comment)
    #expect(a.gradient.map(\.bitPattern) == b.gradient.map(\.bitPattern), comment)
    #expect(a.norm.bitPattern == b.norm.bitPattern, comment)
  }

  @Test("one shard is the plain chain, bit for bit", arguments: networks)
  func oneShard(network: Network) {
    let rollout = Self.rollout(network, count: 37)
    for range in [0..<37, 5..<6, 20..<37] {
      Self.expectSameBits(
        Self.sharded(network, rollout, range: range, shards: 1),
        Self.chain(network, rollout, range: range, samples: range.count), "\(range)")
    }
  }

  @Test("2, 4 and 8 shards are the tree over leaves computed apart, bit for bit, whatever blocks are short or empty", arguments: networks)
  func trees(network: Network) throws {
    let rollout = Self.rollout(network, count: 37)
    // 17 of 8: blocks of 3, the last two empty; 9 of 8: blocks of 2, three empty; 1: a single leaf.
    for range in [0..<32, 0..<37, 20..<37, 28..<37, 3..<6, 36..<37] {
      for shards in [2, 4, 8] {
        let expected = try #require(Self.tree(network, rollout, range: range, shards: shards, first: 0, width: shards))
        Self.expectSameBits(
          Self.sharded(network, rollout, range: range, shards: shards), expected, "\(shards) shards of \(range)")
      }
    }
  }

  @Test("more shards than samples: every sample is a leaf", arguments: networks)
  func manyShards(network: Network) {
    let rollout = Self.rollout(network, count: 13)
    Self.expectSameBits(
      Self.sharded(network, rollout, range: 0..<13, shards: 16), Self.sharded(network, rollout, range: 0..<13, shards: 1024), "13 leaves")
  }

  @Test("numbers of shards agree: sums to 1e-12, gradients to the tolerance of floats", arguments: networks)
  func agreement(network: Network) {
    let rollout = Self.rollout(network, count: 61)
    let plain = Self.sharded(network, rollout, range: 0..<61, shards: 1)
    let scale = plain.gradient.map { abs($0) }.max() ?? 0
    #expect(scale > 0)
    for shards in [2, 4, 8, 64] {
      let other = Self.sharded(network, rollout, range: 0..<61, shards: shards)
      #expect(other.sums.count == 61)
      #expect(other.sums.clipped == plain.sums.clipped && plain.sums.clipped > 0)
      #expect(other.sums.ratioDeviation == plain.sums.ratioDeviation)
      for path in [\LossSums.policy, \.value, \.entropy, \.entropyHinge, \.klOld, \.approxKL, \.approxKLFirst] {
        #expect(abs(other.sums[keyPath: path] - plain.sums[keyPath: path]) <= 1e-12 * abs(plain.sums[keyPath: path]))
      }
      #expect(abs(other.norm - plain.norm) <= 1e-5 * plain.norm)
      for i in plain.gradient.indices { #expect(abs(other.gradient[i] - plain.gradient[i]) <= 1e-5 * scale) }
    }
  }

  @Test("an update of 1 step reports the same metrics for any number of shards", arguments: networks)
  func metrics(network: Network) throws {
    func run(_ shards: Int) throws -> [(name: String, value: Double)] {
      var configuration = Self.configuration(shards: shards, minibatch: 50)
      configuration.epochs = 1
      var learner = PPOLearner(network, configuration: configuration, state: LearnerState(network, seed: 1))
      let outcome = learner.update(
        Self.rollout(network, count: 50), context: UpdateContext(seed: 1, step: 0, planTotal: 1000))
      guard case .finished(let metrics) = outcome else { throw Unexpected() }
      return [
        ("policy", metrics.policyLoss), ("value", metrics.valueLoss), ("entropy", metrics.entropy), ("kl", metrics.approxKL),
        ("klFirst", metrics.approxKLFirst), ("klOld", metrics.klOld), ("clip", metrics.clipFraction),
        ("ratio", metrics.ratioFirstMinibatchMaxDeviation), ("steps", Double(metrics.optimizerSteps)),
      ]
    }
    let plain = try run(1)
    for shards in [2, 4, 8] {
      for (found, expected) in zip(try run(shards), plain) {
        #expect(abs(found.value - expected.value) <= 1e-12 * abs(expected.value), "\(expected.name), \(shards) shards")
      }
    }
  }

  @Test("updates with shards are deterministic, and another number of shards has other bits", arguments: networks)
  func determinism(network: Network) {
    func run(_ shards: Int) -> LearnerState {
      var learner = PPOLearner(
        network, configuration: Self.configuration(shards: shards, minibatch: 16), state: LearnerState(network, seed: 1))
      for _ in 0..<2 {
        _ = learner.update(Self.rollout(network, count: 53), context: UpdateContext(seed: 1, step: 0, planTotal: 1000))
      }
      return learner.state
    }
    let (plain, sharded) = (run(1), run(4))
    #expect(run(4) == sharded)
    #expect(sharded != plain)
    #expect(network.layout.paddingIsZero(in: sharded.parameters))
    for (a, b) in zip(sharded.parameters, plain.parameters) { #expect(abs(a - b) < 1e-2) }
  }

  @Test("a ratio that is not a number is kept by a sum")
  func notANumber() {
    var bad = LossSums()
    bad.ratioDeviation = .nan
    var left = bad
    left.add(LossSums())
    var right = LossSums()
    right.add(bad)
    #expect(left.ratioDeviation.isNaN && right.ratioDeviation.isNaN)
  }

  struct Unexpected: Error {}
}

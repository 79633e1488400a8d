import Neural
import Randomness
import Testing

@testable import PPO

/// A teacher that can be imitated, and what must not happen on the way.
@Suite("Behaviour cloning")
struct BehaviourCloningTests {
  private static let network = Network(.mlp(hidden: [32]), observationSize: 4, actionCount: 3)
  private static let recurrent = Network(.recurrent(hidden: 16, layers: 1, projection: 16), observationSize: 4, actionCount: 3)

  /// Episodes in which the best action is the largest of the observation's first three entries; the fourth is noise.
  private func demonstrations(episodes: Int, length: Int) -> Demonstrations {
    var result = Demonstrations(observationSize: 4, actionCount: 3, policies: ["a", "b"], scenarios: ["s"])
    var stream = RandomStream(seed: 5, purpose: .bootstrap)
    for episode in 0..<episodes {
      // The second policy has a quarter of the samples.
      let policy = episode % 2
      result.beginEpisode(policy: policy, scenario: 0)
      for _ in 0..<(policy == 0 ? length : length / 4) {
        let observation = (0..<4).map { _ in Float(3 + 2 * stream.normal()) }
        let largest = max(observation[0], observation[1], observation[2])
        let best = observation[..<3].map { UInt8($0 == largest ? 1 : 0) }
        result.append(
          observation: observation, mask: [1, 1, 1], action: stream.bounded(3),
          target: Demonstrations.softTarget(best: best, mask: [1, 1, 1], smoothing: 0.05))
      }
    }
    return result
  }

  private func cloning(_ network: Network, _ demonstrations: Demonstrations, epochs: Int = 12, seed: UInt64 = 3) -> BehaviourCloning {
    BehaviourCloning(
      network, configuration: CloningConfiguration(epochs: epochs, batchSize: 32, sequenceLength: 8, learningRate: 5e-3),
      demonstrations: demonstrations, shape: StatisticsShape(observationSize: 4),
      normalizer: { FrozenStatistics($0.observations, NormalizerConfiguration()) }, seed: seed)
  }

  private func result(_ outcome: CloningOutcome) throws -> CloningResult {
    guard case .finished(let result) = outcome else {
      Issue.record("expected a result, got \(outcome)")
      throw CloningFailed()
    }
    return result
  }
  private struct CloningFailed: Error {}

  @Test("a target is uniform over ties, smoothed over what is allowed, and 0 elsewhere")
  func targets() {
    let target = Demonstrations.softTarget(best: [1, 0, 1, 0], mask: [1, 1, 1, 0], smoothing: 0.06)
    for (found, expected) in zip(target, [0.47 + 0.02, 0.02, 0.47 + 0.02, 0] as [Float]) { #expect(abs(found - expected) < 1e-7) }
    #expect(Demonstrations.softTarget(best: [0, 1], mask: [1, 1], smoothing: 0) == [0, 1])
  }

  @Test("the gradient of the loss agrees with central differences; a masked action has none")
  func gradient() {
    let (A, step) = (5, 1e-3 as Float)
    for index in 0..<20 {
      let logits = TestRollouts.uniform(A, -2...2, index: index)
      var stream = RandomStream(seed: 9, purpose: .bootstrap, index: index)
      var mask = (0..<A).map { _ in UInt8(stream.bounded(4) == 0 ? 0 : 1) }
      mask[index % A] = 1
      let best = (0..<A).map { UInt8($0 == index % A ? 1 : 0) }
      let target = Demonstrations.softTarget(best: best, mask: mask, smoothing: 0.1)
      var loss = SoftCrossEntropy(actionCount: A)
      func value(_ logits: [Float]) -> Double {
        loss.evaluate(logits: logits, row: 0, masks: mask, targets: target, sample: 0).loss
      }
      _ = value(logits)
      var gradients = [Float](repeating: 7, count: A)
      loss.gradient(targets: target, sample: 0, factor: 2, into: &gradients, row: 0)
      for a in 0..<A {
        var (up, down) = (logits, logits)
        up[a] += step
        down[a] -= step
        let expected = 2 * (value(up) - value(down)) / Double(up[a] - down[a])
        #expect(abs(Double(gradients[a]) - expected) < 2e-3, "index \(index), action \(a)")
        if mask[a] == 0 { #expect(gradients[a] == 0) }
      }
    }
  }

  @Test("a deterministic teacher is imitated, the critic keeps its bits", arguments: [network, recurrent])
  func learns(network: Network) throws {
    let parameters = network.initialParameters(seed: 1)
    var cloning = cloning(network, demonstrations(episodes: 40, length: 64))
    let result = try result(cloning.run(from: parameters))
    #expect(result.best.validation.accuracy > 0.93, "\(result.best)")
    #expect(result.best.validationByPolicy.allSatisfy { $0.count > 0 && $0.accuracy > 0.88 })
    #expect(result.epochs[0].validation.accuracy < 0.7)
    #expect(result.best.validation.weightedLoss == result.epochs.map(\.validation.weightedLoss).min())
    for tensor in network.layout.tensors {
      let same = network.layout.logical(of: tensor, from: result.parameters) == network.layout.logical(of: tensor, from: parameters)
      #expect(same == network.isCriticOnly(tensor), "\(tensor.name)")
    }
    #expect(!network.criticTensors.isEmpty && !network.actorTensors.isEmpty)
    #expect(network.layout.paddingIsZero(in: result.parameters))
  }

  @Test("equal seeds give equal bits, another seed other ones")
  func deterministic() throws {
    let data = demonstrations(episodes: 12, length: 32)
    let parameters = Self.recurrent.initialParameters(seed: 1)
    var (first, second) = (cloning(Self.recurrent, data, epochs: 3), cloning(Self.recurrent, data, epochs: 3))
    var other = cloning(Self.recurrent, data, epochs: 3, seed: 4)
    let a = try result(first.run(from: parameters))
    #expect(try result(second.run(from: parameters)) == a)
    #expect(try result(other.run(from: parameters)).parameters != a.parameters)
    // A value that has run once runs alike again.
    #expect(try result(first.run(from: parameters)) == a)
  }

  @Test("whole episodes are kept for validation, of every policy; statistics are those of the others")
  func division() {
    let data = demonstrations(episodes: 40, length: 16)
    let cloning = cloning(Self.network, data)
    #expect(cloning.validation.count == 4)
    #expect(cloning.validation.map { data.episodes[$0].policy }.sorted() == [0, 0, 1, 1])
    var statistics = RunningStatistics(dimension: 4)
    for (number, episode) in data.episodes.enumerated() where !cloning.validation.contains(number) {
      for sample in episode.start..<(episode.start + episode.count) {
        statistics.add(data.observations.span.extracting((sample * 4)..<(sample * 4 + 4)))
      }
    }
    #expect(cloning.statistics.observations == statistics)
  }

  @Test("it ends after `patience` epochs without a better one, and keeps the best")
  func patience() throws {
    // Targets without any relation to the observations: what is learned beyond the mean does not carry over.
    var data = Demonstrations(observationSize: 4, actionCount: 3, policies: ["a"], scenarios: ["s"])
    var stream = RandomStream(seed: 6, purpose: .bootstrap)
    for _ in 0..<8 {
      data.beginEpisode(policy: 0, scenario: 0)
      for _ in 0..<8 {
        var best: [UInt8] = [0, 0, 0]
        best[stream.bounded(3)] = 1
        data.append(
          observation: (0..<4).map { _ in Float(stream.normal()) }, mask: [1, 1, 1], action: 0,
          target: Demonstrations.softTarget(best: best, mask: [1, 1, 1], smoothing: 0.05))
      }
    }
    var cloning = BehaviourCloning(
      Self.network, configuration: CloningConfiguration(epochs: 200, batchSize: 16, sequenceLength: 4, learningRate: 2e-2, patience: 5),
      demonstrations: data, shape: StatisticsShape(observationSize: 4), normalizer: nil, seed: 1)
    let result = try result(cloning.run(from: Self.network.initialParameters(seed: 1)))
    #expect(result.epochs.count < 100)
    #expect(result.epochs.last?.epoch == result.best.epoch + 5)
  }

  @Test("a request to stop ends it")
  func interrupted() {
    var cloning = cloning(Self.network, demonstrations(episodes: 8, length: 32))
    var left = 20
    let outcome = cloning.run(
      from: Self.network.initialParameters(seed: 1),
      shouldStop: {
        left -= 1
        return left < 0
      })
    #expect(outcome == .interrupted)
  }

  @Test("a batch lies in time: first steps of all sequences, the longest first")
  func order() {
    var batch = SequenceBatch(sampleLimit: 9)
    batch.append(10..<12)
    batch.append(20..<24)
    #expect(batch.fits(30..<33) && !batch.fits(30..<34))
    batch.append(30..<32)
    let order = batch.order()
    #expect(order.rows == [20, 10, 30, 21, 11, 31, 22, 23])
    #expect(order.steps.counts == [3, 3, 1, 1])
  }

  @Test("a network with memory learns what only the decision before tells; one without cannot")
  func memory() throws {
    // The best action is the largest of the observation before.
    var data = Demonstrations(observationSize: 4, actionCount: 3, policies: ["a"], scenarios: ["s"])
    var stream = RandomStream(seed: 8, purpose: .bootstrap)
    for _ in 0..<60 {
      data.beginEpisode(policy: 0, scenario: 0)
      var best: [UInt8] = [1, 1, 1]
      for _ in 0..<33 {
        let observation = (0..<4).map { _ in Float(stream.normal()) }
        data.append(
          observation: observation, mask: [1, 1, 1], action: 0,
          target: Demonstrations.softTarget(best: best, mask: [1, 1, 1], smoothing: 0.05))
        let largest = max(observation[0], observation[1], observation[2])
        best = observation[..<3].map { UInt8($0 == largest ? 1 : 0) }
      }
    }
    func accuracy(_ network: Network) throws -> Double {
      var cloning = BehaviourCloning(
        network, configuration: CloningConfiguration(epochs: 30, batchSize: 64, sequenceLength: 8, learningRate: 5e-3, patience: 30),
        demonstrations: data, shape: StatisticsShape(observationSize: 4), normalizer: nil, seed: 1)
      return try result(cloning.run(from: network.initialParameters(seed: 1))).best.validation.accuracy
    }
    let (with, without) = (try accuracy(Self.recurrent), try accuracy(Self.network))
    #expect(with > 0.8 && without < 0.55, "\(with) and \(without)")
  }
}

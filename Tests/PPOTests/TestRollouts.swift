import PPO
import Randomness

/// Rollouts of random numbers.
enum TestRollouts {
  static func uniform(_ count: Int, _ range: ClosedRange<Double> = -1...1, index: Int) -> [Float] {
    var stream = RandomStream(seed: 11, purpose: .bootstrap, index: index)
    return (0..<count).map { _ in Float(range.lowerBound + (range.upperBound - range.lowerBound) * stream.uniform()) }
  }

  /// All log-probabilities of the acting policy `[T, A]`.
  static func logProbabilities(_ rollout: Rollout) -> [Float] {
    let width = rollout.shape.actionCount
    var all: [Float] = []
    for t in 0..<rollout.count {
      var row = [Float](repeating: 0, count: width)
      var span = row.mutableSpan
      ActionDistribution.logProbabilities(
        logits: rollout.logits.span.extracting((t * width)..<((t + 1) * width)),
        mask: rollout.masks.span.extracting((t * width)..<((t + 1) * width)), temperature: rollout.temperatures[t], into: &span)
      all += row
    }
    return all
  }

  /// Consistent in its log-probabilities; about one action in five masked out, temperatures from 0.7 to 1.5.
  static func random(_ shape: RolloutShape, lengths: [Int], index: Int = 0) -> Rollout {
    var rollout = Rollout(shape, segmentLengths: lengths)
    var stream = RandomStream(seed: 12, purpose: .bootstrap, index: index)
    for t in 0..<rollout.count {
      let observation = uniform(shape.observationSize, index: 1000 * index + 10 * t)
      let state = uniform(shape.stateSize, index: 1000 * index + 10 * t + 1)
      let logits = uniform(shape.actionCount, -2...2, index: 1000 * index + 10 * t + 2)
      let reference = uniform(shape.hasReference ? shape.actionCount : 0, -2...2, index: 1000 * index + 10 * t + 3)
      var mask = (0..<shape.actionCount).map { _ in UInt8(stream.bounded(5) == 0 ? 0 : 1) }
      mask[stream.bounded(shape.actionCount)] = 1
      var sampler = ActionSampler(actionCount: shape.actionCount)
      let temperature = Float(0.7 + 0.8 * stream.uniform())
      let choice = sampler.sample(logits: logits.span, mask: mask.span, temperature: temperature, uniform: stream.uniform())
      rollout.recordDecision(
        at: t, observation: observation.span, state: state.span, mask: mask.span, logits: logits.span, referenceLogits: reference.span,
        action: choice.action, logProbability: choice.logProbability, value: Float(stream.uniform()), temperature: temperature)
      rollout.recordOutcome(
        at: t, reward: Float(stream.normal()), terminal: stream.bounded(9) == 0, cut: stream.bounded(9) == 0,
        valueNext: Float(stream.uniform()))
    }
    return rollout
  }
}

import Glibc
import PPO
import Testing

/// The loss against a slow double-precision form written from the formulas, and its gradients against central differences of that form.
@Suite("loss")
struct PPOLossTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var configuration = LossConfiguration()
    var coefficients = LossCoefficients(entropy: 0.05, reference: 0.4)
    var testDescription: String { "\(configuration) \(coefficients)" }
  }

  static let cases = [
    Case(),
    Case(configuration: LossConfiguration(clipRangeValue: 0, klCoefficient: 0), coefficients: LossCoefficients(entropy: 0)),
    Case(configuration: LossConfiguration(klCoefficient: 2, entropyMinimum: 0.9, entropyPenaltyCoefficient: 0.7)),
  ]

  private static func logSoftmax(_ logits: [Double], _ mask: [UInt8], _ temperature: Double) -> [Double] {
    let allowed = logits.indices.filter { mask[$0] == 1 }
    let sum = allowed.reduce(0.0) { $0 + exp(logits[$1] / temperature) }
    return logits.indices.map { mask[$0] == 1 ? logits[$0] / temperature - log(sum) : -.infinity }
  }

  private static func kl(_ p: [Double], _ q: [Double]) -> Double {
    p.indices.reduce(0) { $0 + (p[$1] > -.infinity ? exp(p[$1]) * (p[$1] - q[$1]) : 0) }
  }

  /// Mean loss of the transitions `order` at these heads.
  private func reference(
    _ rollout: Rollout, _ order: [Int32], logits: [Double], values: [Double], advantages: [Float], returns: [Float], _ test: Case
  ) -> Double {
    let A = rollout.shape.actionCount
    let c = test.configuration
    func row(_ all: [Float], _ t: Int) -> [Double] { all[(t * A)..<((t + 1) * A)].map { Double($0) } }
    var sum = 0.0
    for (r, index) in order.enumerated() {
      let t = Int(index)
      let mask = Array(rollout.masks[(t * A)..<((t + 1) * A)])
      let current = Array(logits[(r * A)..<((r + 1) * A)])
      let T = Double(rollout.temperatures[t])
      let new = Self.logSoftmax(current, mask, T)
      let old = Self.logSoftmax(row(rollout.logits, t), mask, T)
      let ratio = exp(new[Int(rollout.actions[t])] - Double(rollout.logProbabilities[t]))
      let advantage = Double(advantages[t])
      let clip = Double(c.clipRatio)
      sum -= min(ratio * advantage, min(max(ratio, 1 - clip), 1 + clip) * advantage)
      let target = Double(returns[t])
      let v = values[r]
      let range = Double(c.clipRangeValue)
      let moved = Double(rollout.values[t]) + min(max(v - Double(rollout.values[t]), -range), range)
      let error = (v - target) * (v - target)
      sum += Double(c.valueCoefficient) * 0.5 * (range > 0 ? max(error, (moved - target) * (moved - target)) : error)
      sum += Double(c.klCoefficient) * Self.kl(old, new)
      if test.coefficients.reference > 0 {
        sum +=
          test.coefficients.reference
          * Self.kl(Self.logSoftmax(current, mask, 1), Self.logSoftmax(row(rollout.referenceLogits, t), mask, 1))
      }
      let entropy = -new.reduce(0) { $0 + ($1 > -.infinity ? exp($1) * $1 : 0) }
      let floor = Double(c.entropyMinimum ?? Float(0.1 * log(Double(A))))
      sum += -test.coefficients.entropy * entropy + Double(c.entropyPenaltyCoefficient) * max(0, floor - entropy)
    }
    return sum / Double(order.count)
  }

  @Test("loss and gradients agree with the reference and its central differences", arguments: cases)
  func gradients(test: Case) {
    let A = 4
    let rollout = TestRollouts.random(
      RolloutShape(observationSize: 1, actionCount: A, stateSize: 0, hasReference: true), lengths: [30], index: 3)
    let order = (0..<30).map { Int32(($0 * 7) % 30) }
    let range = 5..<25
    let picked = Array(order[range])
    // Heads near the old ones, so that some ratios and values are inside their ranges and some outside.
    let noise = TestRollouts.uniform(20 * A, -0.4...0.4, index: 1)
    var logits: [Float] = []
    for (r, t) in picked.enumerated() { for a in 0..<A { logits.append(rollout.logits[Int(t) * A + a] + noise[r * A + a]) } }
    let shift = TestRollouts.uniform(20, -0.4...0.4, index: 2)
    let values = picked.enumerated().map { rollout.values[Int($1)] + shift[$0] }
    let advantages = TestRollouts.uniform(30, -2...2, index: 4)
    let returns = TestRollouts.uniform(30, -1...2, index: 5)
    var loss = PPOLoss(test.configuration, actionCount: A)
    var logitGradients = [Float](repeating: 99, count: 20 * A)
    var valueGradients = [Float](repeating: 99, count: 20)
    let sums = loss.evaluate(
      rollout, order: order, range: range, logits: logits, values: values, oldLogP: TestRollouts.logProbabilities(rollout),
      advantages: advantages, returns: returns, coefficients: test.coefficients, logitGradients: &logitGradients,
      valueGradients: &valueGradients)
    #expect(sums.clipped > 0 && sums.clipped < 20)
    var x = logits.map { Double($0) }
    var v = values.map { Double($0) }
    func total() -> Double {
      reference(rollout, picked, logits: x, values: v, advantages: advantages, returns: returns, test)
    }
    #expect(abs(loss.total(sums, test.coefficients) - total()) < 1e-5)
    let step = 1e-6
    func slope(_ at: WritableKeyPath<(x: [Double], v: [Double]), Double>) -> Double {
      var heads = (x: x, v: v)
      heads[keyPath: at] += step
      let above = reference(rollout, picked, logits: heads.x, values: heads.v, advantages: advantages, returns: returns, test)
      heads[keyPath: at] -= 2 * step
      let below = reference(rollout, picked, logits: heads.x, values: heads.v, advantages: advantages, returns: returns, test)
      return (above - below) / (2 * step)
    }
    for i in logitGradients.indices { #expect(abs(Double(logitGradients[i]) - slope(\.x[i])) < 2e-6, "logit \(i)") }
    for i in valueGradients.indices { #expect(abs(Double(valueGradients[i]) - slope(\.v[i])) < 2e-6, "value \(i)") }
    x = []
    v = []
  }

  @Test("approximate divergence and clip fraction by hand: ratios 0.8 and 1.25", arguments: [(0.8, 0.023144), (1.25, 0.026856)])
  func approximateKL(ratio: Double, expected: Double) {
    var rollout = Rollout(RolloutShape(observationSize: 1, actionCount: 2, stateSize: 0), segmentLengths: [1])
    rollout.recordDecision(
      at: 0, observation: [0].span, state: Span(), mask: [1, 1].span, logits: [0, 0].span, action: 0,
      logProbability: Float(log(0.5) - log(ratio)), value: 0, temperature: 1)
    var loss = PPOLoss(LossConfiguration(clipRatio: 0.22), actionCount: 2)
    var (dLogits, dValues): ([Float], [Float]) = ([0, 0], [0])
    let sums = loss.evaluate(
      rollout, order: [0], range: 0..<1, logits: [0, 0], values: [0], oldLogP: TestRollouts.logProbabilities(rollout), advantages: [1],
      returns: [0], coefficients: LossCoefficients(entropy: 0), logitGradients: &dLogits, valueGradients: &dValues)
    #expect(abs(sums.approxKL - expected) < 1e-6)
    #expect(abs(sums.approxKLFirst + log(ratio)) < 1e-6)
    #expect(sums.clipped == (ratio > 1 ? 1 : 0))
  }
}

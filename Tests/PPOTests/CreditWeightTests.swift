import Testing

@testable import PPO

/// The weights of labelled and sampled transitions in the policy loss.
@Suite struct CreditWeightTests {
  /// Two transitions of three actions, the first with advantages of all actions.
  private static func rollout() -> Rollout {
    var rollout = Rollout(RolloutShape(observationSize: 1, actionCount: 3, stateSize: 0), segmentLengths: [2])
    let (observation, state, mask): ([Float], [Float], [UInt8]) = ([0], [], [1, 1, 1])
    for t in 0..<2 {
      let logits: [Float] = [0, 0, 0]
      rollout.recordDecision(
        at: t, observation: observation.span, state: state.span, mask: mask.span, logits: logits.span, action: t,
        logProbability: -1.0986123,
        value: 0, temperature: 1)
    }
    let advantages: [Float] = [3, -1, -2]
    rollout.setActionAdvantages(at: 0, advantages.span)
    return rollout
  }

  private static func evaluate(_ configuration: LossConfiguration) -> (sums: LossSums, gradients: [Float]) {
    let rollout = rollout()
    var loss = PPOLoss(configuration, actionCount: 3)
    let third: Float = -1.0986123
    var gradients = [Float](repeating: 9, count: 6)
    var values: [Float] = [9, 9]
    let sums = loss.evaluate(
      rollout, order: [0, 1], range: 0..<2, logits: [Float](repeating: 0, count: 6), values: [0, 0],
      oldLogP: [Float](repeating: third, count: 6), advantages: [5, 0.5], returns: [0, 0], coefficients: LossCoefficients(entropy: 0),
      logitGradients: &gradients, valueGradients: &values)
    return (sums, gradients)
  }

  @Test("a labelled transition weighs labelledWeight, a sampled one sampledWeight, and 1 changes nothing")
  func weights() {
    let plain = Self.evaluate(LossConfiguration(klCoefficient: 0, entropyMinimum: 0))
    // Labelled: -p_a (A_a - 0) / 2 with p = 1/3; sampled: action 1, advantage 0.5, ratio 1.
    let expected: [Float] = [-0.5, 1.0 / 6, 1.0 / 3, 1.0 / 12, -1.0 / 6, 1.0 / 12]
    for (gradient, wanted) in zip(plain.gradients, expected) { #expect(abs(gradient - wanted) < 1e-6) }
    #expect(plain.sums.labelled == 1 && abs(plain.sums.policy - -0.5) < 1e-6)
    let weighted = Self.evaluate(LossConfiguration(klCoefficient: 0, entropyMinimum: 0, labelledWeight: 25, sampledWeight: 0))
    for a in 0..<3 { #expect(abs(weighted.gradients[a] - 25 * expected[a]) < 1e-5) }
    for a in 3..<6 { #expect(weighted.gradients[a] == 0) }
    #expect(abs(weighted.sums.policy) < 1e-5)
    let same = Self.evaluate(LossConfiguration(klCoefficient: 0, entropyMinimum: 0, labelledWeight: 1, sampledWeight: 1))
    #expect(same.gradients == plain.gradients && same.sums == plain.sums)
  }
}

import ExactMath

/// Cross-entropy of a masked softmax to a target distribution.
///
///     loss = -sum_a target_a ln p_a        d loss / d logit_a = p_a - target_a
///
/// Holds the scratch space of one distribution.
struct SoftCrossEntropy {
  private var logP: [Float]

  init(actionCount: Int) { logP = [Float](repeating: 0, count: actionCount) }

  /// The loss of one sample, and whether its likeliest action is among the target's largest.
  ///
  /// - Parameters:
  ///   - logits: `[., A]`, raw; row `row` counts.
  ///   - masks: `[N, A]`, 1 = allowed; row `sample` counts.
  ///   - targets: `[N, A]`, 0 where the mask is; row `sample` counts.
  mutating func evaluate(
    logits: [Float], row: Int, masks: [UInt8], targets: [Float], sample: Int
  ) -> (loss: Double, isBest: Bool) {
    let A = logP.count
    var result = logP.mutableSpan
    ActionDistribution.logProbabilities(
      logits: logits.span.extracting((row * A)..<((row + 1) * A)), mask: masks.span.extracting((sample * A)..<((sample + 1) * A)),
      temperature: 1, into: &result)
    var loss = 0.0
    var highest: Float = 0
    for a in 0..<A where masks[sample * A + a] != 0 {
      let target = targets[sample * A + a]
      loss -= Double(target) * Double(logP[a])
      highest = max(highest, target)
    }
    return (loss, targets[sample * A + ActionDistribution.greedy(logProbabilities: logP.span)] == highest)
  }

  /// `factor` times the gradient of the sample evaluated last, into row `row` of `gradients` `[., A]`.
  func gradient(targets: [Float], sample: Int, factor: Float, into gradients: inout [Float], row: Int) {
    let A = logP.count
    // ln p of a masked action is -infinity, and exp of that 0, which is its target too.
    for a in 0..<A { gradients[row * A + a] = factor * (ExactMath.exp(logP[a]) - targets[sample * A + a]) }
  }
}

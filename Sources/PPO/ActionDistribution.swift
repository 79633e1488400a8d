import ExactMath

/// The categorical distribution of an action: softmax of masked logits over a temperature.
///
/// Acting and updating call the same functions on the same bits, so the importance ratio before the first optimizer step is exactly 1.
public enum ActionDistribution {
  /// ln p of every action into `result` `[A]`, in single precision with the largest logit subtracted; -infinity where masked out.
  ///
  /// - Parameters:
  ///   - logits: `[A]`, raw.
  ///   - mask: `[A]`, 1 = allowed; at least one is.
  ///   - temperature: > 0.
  public static func logProbabilities(
    logits: Span<Float>, mask: Span<UInt8>, temperature: Float, into result: inout MutableSpan<Float>
  ) {
    let count = logits.count
    precondition(mask.count == count && result.count == count, "extents of a distribution")
    precondition(temperature > 0, "temperature must be positive")
    var largest = -Float.infinity
    for a in 0..<count where mask[a] != 0 {
      let scaled = logits[a] / temperature
      result[a] = scaled
      // A NaN stays in the sum below and reaches the non-finite guard of the update.
      if scaled > largest || scaled.isNaN { largest = scaled }
    }
    var sum: Float = 0
    var allowed = 0
    for a in 0..<count where mask[a] != 0 {
      result[a] -= largest
      sum += ExactMath.exp(result[a])
      allowed += 1
    }
    precondition(allowed > 0, "no action is allowed")
    let logSum = ExactMath.log(sum)
    for a in 0..<count {
      if mask[a] != 0 { result[a] -= logSum } else { result[a] = -.infinity }
    }
  }

  /// p from ln p.
  public static func probability(_ logProbability: Float) -> Float { ExactMath.exp(logProbability) }

  /// The action at `uniform` in [0, 1) of the cumulative distribution, actions in ascending order.
  public static func sample(logProbabilities: Span<Float>, uniform: Double) -> Int {
    var total = 0.0
    for a in 0..<logProbabilities.count where logProbabilities[a] > -.infinity {
      total += Double(ExactMath.exp(logProbabilities[a]))
    }
    let threshold = uniform * total
    var cumulative = 0.0
    var last = 0
    for a in 0..<logProbabilities.count where logProbabilities[a] > -.infinity {
      cumulative += Double(ExactMath.exp(logProbabilities[a]))
      last = a
      if threshold < cumulative { return a }
    }
    return last
  }

  /// The likeliest action, the first of several.
  public static func greedy(logProbabilities: Span<Float>) -> Int {
    var best = 0
    for a in 1..<max(logProbabilities.count, 1) where logProbabilities[a] > logProbabilities[best] { best = a }
    return best
  }

  /// -sum p ln p in nats.
  public static func entropy(logProbabilities: Span<Float>) -> Double {
    var sum = 0.0
    for a in 0..<logProbabilities.count where logProbabilities[a] > -.infinity {
      sum -= Double(ExactMath.exp(logProbabilities[a])) * Double(logProbabilities[a])
    }
    return sum
  }

  /// KL(p || q) = sum p (ln p - ln q), both under one mask.
  public static func kl(_ p: Span<Float>, _ q: Span<Float>) -> Double {
    precondition(p.count == q.count, "distributions of two sizes")
    var sum = 0.0
    for a in 0..<p.count where p[a] > -.infinity {
      sum += Double(ExactMath.exp(p[a])) * (Double(p[a]) - Double(q[a]))
    }
    return sum
  }
}

/// Draws actions; holds the scratch space of one distribution so that a decision does not allocate.
public struct ActionSampler: Sendable {
  private var scratch: [Float]

  /// For `actionCount` actions.
  public init(actionCount: Int) { scratch = [Float](repeating: 0, count: actionCount) }

  /// A.
  public var actionCount: Int { scratch.count }

  /// The action at `uniform` of the distribution and its ln p. Shapes as in `ActionDistribution.logProbabilities`.
  public mutating func sample(
    logits: Span<Float>, mask: Span<UInt8>, temperature: Float, uniform: Double
  ) -> (action: Int, logProbability: Float) {
    var result = scratch.mutableSpan
    ActionDistribution.logProbabilities(logits: logits, mask: mask, temperature: temperature, into: &result)
    let action = ActionDistribution.sample(logProbabilities: scratch.span, uniform: uniform)
    return (action, scratch[action])
  }

  /// The likeliest action (temperature 1) and its ln p.
  public mutating func greedy(logits: Span<Float>, mask: Span<UInt8>) -> (action: Int, logProbability: Float) {
    var result = scratch.mutableSpan
    ActionDistribution.logProbabilities(logits: logits, mask: mask, temperature: 1, into: &result)
    let action = ActionDistribution.greedy(logProbabilities: scratch.span)
    return (action, scratch[action])
  }
}

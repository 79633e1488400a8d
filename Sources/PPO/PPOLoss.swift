import ExactMath

/// The loss of one minibatch and its gradients at the network's heads.
///
///     ratio  = exp(ln p_new - ln p_old)
///     L_pi   = -mean min(ratio A, clip(ratio, 1 - c, 1 + c) A)
///     L_vf   = 0.5 mean max((v - ret)^2, (v_old + clamp(v - v_old) - ret)^2)
///     L_kl   = kl_coef mean KL(p_old || p_new)
///     L_ref  = kl_ref_coef mean KL(p_new || p_ref), both at temperature 1
///     L_ent  = -ent_coef mean H + c_min mean max(0, H_min - H)
///     loss   = L_pi + value_coef L_vf + L_kl + L_ref + L_ent
///
/// For a transition with advantages A_a of all its actions (`Rollout.setActionAdvantages`) L_pi is the expectation
///
///     L_pi   = -sum over a of p_new(a) A_a        gradient at logit a: -p_a (A_a - sum_b p_b A_b) / temperature
///
/// which needs neither the sampled action nor a ratio and is not clipped; L_kl and the early stops hold it near the acting policy. Both kinds of
/// L_pi have a weight, `labelledWeight` and `sampledWeight`.
///
/// ln p is that of the masked logits over the transition's temperature, in single precision; everything after it is computed in double
/// precision, summed in the order of the minibatch.
public struct PPOLoss: Sendable {
  /// Ranges and constant weights.
  public let configuration: LossConfiguration
  private let actionCount: Int
  private let entropyFloor: Double
  private var logP: [Float]
  /// exp of `logP`.
  private var probabilities: [Double]
  private var referenceLogP: [Float]

  /// For `actionCount` actions.
  public init(_ configuration: LossConfiguration, actionCount: Int) {
    self.configuration = configuration
    self.actionCount = actionCount
    entropyFloor = configuration.entropyFloor(actionCount: actionCount)
    logP = [Float](repeating: 0, count: actionCount)
    probabilities = [Double](repeating: 0, count: actionCount)
    referenceLogP = [Float](repeating: 0, count: actionCount)
  }

  /// Evaluates the transitions `order[range]` of `rollout`, a minibatch or a block of one; arrays over it may be longer than it.
  ///
  /// - Parameters:
  ///   - samples: transitions of the whole minibatch, which the gradients' means are over; nil: those of `range`.
  ///   - logits: `[B, A]` of the parameters as they are now.
  ///   - values: `[B]`.
  ///   - oldLogP: `[T, A]`, all log-probabilities of the acting policy.
  ///   - advantages: `[T]`.
  ///   - returns: `[T]`.
  ///   - actionAdvantages: those of the rollout, standardised; nil: as the rollout has them.
  ///   - logitGradients: `[B, A]`, overwritten.
  ///   - valueGradients: `[B]`, overwritten.
  /// - Returns: sums over `range`.
  public mutating func evaluate(
    _ rollout: borrowing Rollout, order: [Int32], range: Range<Int>, samples: Int? = nil, logits: [Float], values: [Float],
    oldLogP: [Float], advantages: [Float], returns: [Float], actionAdvantages: [Float]? = nil, coefficients: LossCoefficients,
    logitGradients: inout [Float], valueGradients: inout [Float]
  ) -> LossSums {
    let rows = range.count
    let labels = actionAdvantages ?? rollout.actionAdvantages
    precondition(labels.count == rollout.actionAdvantages.count, "advantages of other transitions")
    precondition(logits.count >= rows * actionCount && logitGradients.count >= rows * actionCount, "logits do not hold the minibatch")
    precondition(values.count >= rows && valueGradients.count >= rows, "values do not hold the minibatch")
    var sums = LossSums()
    sums.count = rows
    let share = 1 / Double(samples ?? rows)
    let hasReference = coefficients.reference > 0 && rollout.shape.hasReference
    for row in 0..<rows {
      let t = Int(order[range.lowerBound + row])
      let mask = rollout.masks.span.extracting((t * actionCount)..<((t + 1) * actionCount))
      let rowLogits = logits.span.extracting((row * actionCount)..<((row + 1) * actionCount))
      let rowOld = oldLogP.span.extracting((t * actionCount)..<((t + 1) * actionCount))
      let temperature = rollout.temperatures[t]
      var rowLogP = logP.mutableSpan
      ActionDistribution.logProbabilities(logits: rowLogits, mask: mask, temperature: temperature, into: &rowLogP)
      let action = Int(rollout.actions[t])
      let ratio = observeRatio(log: Double(logP[action] - rollout.logProbabilities[t]), sums: &sums)
      let label = rollout.actionAdvantageRow(t)
      let policyWeight = label == nil ? surrogate(ratio: ratio, advantage: Double(advantages[t]), sums: &sums) : 0
      addPolicyGradient(
        action: action, policyWeight: policyWeight, oldLogP: rowOld, entropyCoefficient: coefficients.entropy,
        scale: share / Double(temperature), first: row * actionCount, logitGradients: &logitGradients, sums: &sums)
      if let label {
        addExpectedGradient(
          labels, from: label * actionCount, scale: share / Double(temperature), first: row * actionCount,
          logitGradients: &logitGradients, sums: &sums)
      }
      if hasReference {
        let reference = rollout.referenceLogits.span.extracting((t * actionCount)..<((t + 1) * actionCount))
        addReferenceGradient(
          logits: rowLogits, reference: reference, mask: mask, scale: share * coefficients.reference, first: row * actionCount,
          logitGradients: &logitGradients, sums: &sums)
      }
      valueGradients[row] = Float(
        share * valueGradient(Double(values[row]), old: Double(rollout.values[t]), target: Double(returns[t]), sums: &sums))
    }
    return sums
  }

  /// The weighted sum of the terms, per transition.
  public func total(_ sums: LossSums, _ coefficients: LossCoefficients) -> Double {
    let sum =
      sums.policy + Double(configuration.valueCoefficient) * sums.value + Double(configuration.klCoefficient) * sums.klOld
      + coefficients.reference * sums.klReference - coefficients.entropy * sums.entropy
      + Double(configuration.entropyPenaltyCoefficient) * sums.entropyHinge
    return sum / Double(sums.count)
  }

  /// Counts one ratio and returns it.
  private func observeRatio(log logRatio: Double, sums: inout LossSums) -> Double {
    let ratio = ExactMath.exp(logRatio)
    sums.approxKL += (ratio - 1) - logRatio
    sums.approxKLFirst -= logRatio
    if abs(ratio - 1) > Double(configuration.clipRatio) { sums.clipped += 1 }
    // Written so that a NaN is kept.
    if !sums.ratioDeviation.isNaN, !(abs(ratio - 1) <= sums.ratioDeviation) { sums.ratioDeviation = abs(ratio - 1) }
    return ratio
  }

  /// Adds the clipped surrogate of one transition; returns its derivative by ln p_new of the action.
  private func surrogate(ratio: Double, advantage: Double, sums: inout LossSums) -> Double {
    let clip = Double(configuration.clipRatio)
    let plain = ratio * advantage
    let clipped = min(max(ratio, 1 - clip), 1 + clip) * advantage
    let weight = Double(configuration.sampledWeight)
    sums.policy -= weight * min(plain, clipped)
    return plain <= clipped ? -weight * plain : 0
  }

  /// Adds the expected loss of one transition and its gradient. Reads `logP` and `probabilities`.
  private func addExpectedGradient(
    _ advantages: [Float], from row: Int, scale: Double, first: Int, logitGradients: inout [Float], sums: inout LossSums
  ) {
    var expected = 0.0
    for a in 0..<actionCount where logP[a] != -.infinity { expected += probabilities[a] * Double(advantages[row + a]) }
    let weight = Double(configuration.labelledWeight)
    sums.policy -= weight * expected
    sums.labelled += 1
    for a in 0..<actionCount where logP[a] != -.infinity {
      logitGradients[first + a] -= Float(scale * weight * probabilities[a] * (Double(advantages[row + a]) - expected))
    }
  }

  /// Overwrites the gradient at one row's logits with that of surrogate, divergence from the old policy and entropy. Reads `logP`.
  private mutating func addPolicyGradient(
    action: Int, policyWeight: Double, oldLogP: Span<Float>, entropyCoefficient: Double, scale: Double, first: Int,
    logitGradients: inout [Float], sums: inout LossSums
  ) {
    var entropy = 0.0
    for a in 0..<actionCount {
      probabilities[a] = Double(ExactMath.exp(logP[a]))
      if logP[a] != -.infinity { entropy -= probabilities[a] * Double(logP[a]) }
    }
    sums.entropy += entropy
    let hinge = entropyFloor - entropy
    if hinge > 0 { sums.entropyHinge += hinge }
    let entropyWeight = entropyCoefficient + (hinge > 0 ? Double(configuration.entropyPenaltyCoefficient) : 0)
    let klWeight = Double(configuration.klCoefficient)
    for a in 0..<actionCount {
      // A masked action has no probability whatever its logit.
      if logP[a] == -.infinity {
        logitGradients[first + a] = 0
        continue
      }
      let p = probabilities[a]
      let old = Double(ExactMath.exp(oldLogP[a]))
      sums.klOld += old * (Double(oldLogP[a]) - Double(logP[a]))
      let gradient =
        policyWeight * ((a == action ? 1 : 0) - p) + klWeight * (p - old) + entropyWeight * p * (Double(logP[a]) + entropy)
      logitGradients[first + a] = Float(scale * gradient)
    }
  }

  /// Adds the gradient of KL(p_new || p_ref) at temperature 1: p (ln p - ln p_ref - KL).
  private mutating func addReferenceGradient(
    logits: Span<Float>, reference: Span<Float>, mask: Span<UInt8>, scale: Double, first: Int, logitGradients: inout [Float],
    sums: inout LossSums
  ) {
    var current = logP.mutableSpan
    ActionDistribution.logProbabilities(logits: logits, mask: mask, temperature: 1, into: &current)
    var target = referenceLogP.mutableSpan
    ActionDistribution.logProbabilities(logits: reference, mask: mask, temperature: 1, into: &target)
    let kl = ActionDistribution.kl(logP.span, referenceLogP.span)
    sums.klReference += kl
    for a in 0..<actionCount where logP[a] > -.infinity {
      let gradient = Double(ExactMath.exp(logP[a])) * (Double(logP[a]) - Double(referenceLogP[a]) - kl)
      logitGradients[first + a] += Float(scale * gradient)
    }
  }

  /// Adds one value's loss; returns its derivative, weighted.
  private func valueGradient(_ value: Double, old: Double, target: Double, sums: inout LossSums) -> Double {
    let weight = Double(configuration.valueCoefficient)
    let range = Double(configuration.clipRangeValue)
    let error = value - target
    if range <= 0 {
      sums.value += 0.5 * error * error
      return weight * error
    }
    let moved = value - old
    let clippedError = old + min(max(moved, -range), range) - target
    // The clipped error is constant in the value outside the range, and inside it is the plain one.
    if abs(moved) <= range || error * error >= clippedError * clippedError || error.isNaN {
      sums.value += 0.5 * error * error
      return weight * error
    }
    sums.value += 0.5 * clippedError * clippedError
    return 0
  }
}

/// The weights of a minibatch that follow schedules.
public struct LossCoefficients: Sendable, Equatable {
  /// Of the entropy bonus.
  public var entropy: Double
  /// Of the divergence from the reference policy.
  public var reference: Double

  /// Both weights.
  public init(entropy: Double, reference: Double = 0) {
    self.entropy = entropy
    self.reference = reference
  }
}

/// Sums of a loss's terms over transitions; divide by `count` for means.
public struct LossSums: Sendable, Equatable {
  /// Transitions.
  public var count = 0
  /// Clipped surrogate, negated.
  public var policy = 0.0
  /// Value loss before its weight.
  public var value = 0.0
  /// Entropy in nats.
  public var entropy = 0.0
  /// max(0, floor - entropy).
  public var entropyHinge = 0.0
  /// KL(old || new), exact.
  public var klOld = 0.0
  /// KL(new || reference).
  public var klReference = 0.0
  /// (ratio - 1) - ln ratio.
  public var approxKL = 0.0
  /// -ln ratio.
  public var approxKLFirst = 0.0
  /// Ratios outside the clip range.
  public var clipped = 0.0
  /// Transitions with advantages of all actions.
  public var labelled = 0
  /// Largest |ratio - 1| (a maximum, not a sum).
  public var ratioDeviation = 0.0

  /// No transitions.
  public init() {}

  /// Adds another block or minibatch.
  public mutating func add(_ other: LossSums) {
    count += other.count
    policy += other.policy
    value += other.value
    entropy += other.entropy
    entropyHinge += other.entropyHinge
    klOld += other.klOld
    klReference += other.klReference
    approxKL += other.approxKL
    approxKLFirst += other.approxKLFirst
    clipped += other.clipped
    labelled += other.labelled
    // Written so that a NaN is kept.
    if !ratioDeviation.isNaN, !(other.ratioDeviation <= ratioDeviation) { ratioDeviation = other.ratioDeviation }
  }
}

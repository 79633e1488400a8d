/// Why an update ended before its last epoch.
public enum EarlyStop: Int, Sendable, Equatable {
  /// It did not.
  case none = 0
  /// An epoch's mean divergence exceeded 1.5 times the target.
  case afterEpoch = 1
  /// A minibatch's divergence exceeded the threshold.
  case atMinibatch = 2
}

/// Mean and spread of one quantity over a rollout.
public struct Summary: Sendable, Equatable {
  /// Mean.
  public var mean = 0.0
  /// Population standard deviation.
  public var standardDeviation = 0.0
  /// Smallest.
  public var minimum = 0.0
  /// Largest.
  public var maximum = 0.0

  /// Of `values`, in two passes in their order; all 0 if there are none.
  public init(_ values: Span<Float>) {
    guard values.count > 0 else { return }
    var sum = 0.0
    minimum = Double(values[0])
    maximum = minimum
    for i in 0..<values.count {
      let value = Double(values[i])
      sum += value
      minimum = min(minimum, value)
      maximum = max(maximum, value)
    }
    mean = sum / Double(values.count)
    var squares = 0.0
    for i in 0..<values.count {
      let difference = Double(values[i]) - mean
      squares += difference * difference
    }
    standardDeviation = (squares / Double(values.count)).squareRoot()
  }
}

/// What an update reports. Loss terms are means over all transitions of all minibatches seen.
public struct UpdateMetrics: Sendable, Equatable {
  /// Clipped surrogate loss.
  public var policyLoss = 0.0
  /// Value loss before its weight.
  public var valueLoss = 0.0
  /// Policy entropy in nats.
  public var entropy = 0.0
  /// Mean of (ratio - 1) - ln ratio; never negative.
  public var approxKL = 0.0
  /// Mean of -ln ratio.
  public var approxKLFirst = 0.0
  /// Exact KL(old || new).
  public var klOld = 0.0
  /// KL(new || reference).
  public var klReference = 0.0
  /// Weight of `klReference` at the last minibatch.
  public var klReferenceCoefficient = 0.0
  /// Share of ratios outside the clip range.
  public var clipFraction = 0.0
  /// Mean over minibatches of the global gradient norm before clipping.
  public var gradientNorm = 0.0
  /// 1 - var(return - value) / (var(return) + 1e-8) over the rollout, with the values of acting.
  public var explainedVariance = 0.0
  /// At the last minibatch.
  public var learningRate = 0.0
  /// At the last minibatch.
  public var entropyCoefficient = 0.0
  /// Epochs begun.
  public var epochsRun = 0
  /// Optimizer steps taken.
  public var optimizerSteps = 0
  /// Why it ended early.
  public var earlyStop = EarlyStop.none
  /// Minibatches skipped because loss or gradient was not finite.
  public var skippedSteps = 0
  /// Largest |ratio - 1| before the first optimizer step: 0 if acting and updating agree.
  public var ratioFirstMinibatchMaxDeviation = 0.0
  /// Scaled rewards.
  public var reward = Summary([Float]().span)
  /// Values when acting.
  public var value = Summary([Float]().span)
  /// Advantages plus values.
  public var returns = Summary([Float]().span)
  /// Advantages before standardisation.
  public var advantage = Summary([Float]().span)
  /// Target of the divergence that held in this update.
  public var targetKL = 0.0
  /// Share of transitions with advantages of all actions.
  public var labelledShare = 0.0
  /// Mean temperature of the decisions.
  public var temperatureMean = 0.0
  /// Decisions of each action `[A]`.
  public var actionCounts: [Int] = []

  /// Everything 0.
  public init() {}

  /// All scalars with their public names, in the order in which they are written.
  public var fields: [(name: String, value: Double)] {
    [
      ("pi_loss", policyLoss), ("vf_loss", valueLoss), ("entropy", entropy), ("approx_kl", approxKL), ("approx_kl_k1", approxKLFirst),
      ("kl_old_exact", klOld), ("kl_ref", klReference), ("kl_ref_coef", klReferenceCoefficient), ("clipfrac", clipFraction),
      ("pg_grad_norm", gradientNorm), ("explained_var", explainedVariance), ("lr", learningRate), ("entropy_coef", entropyCoefficient),
      ("epochs_run", Double(epochsRun)), ("opt_steps", Double(optimizerSteps)), ("early_stop", Double(earlyStop.rawValue)),
      ("skipped_steps", Double(skippedSteps)), ("ratio_first_minibatch_max_dev", ratioFirstMinibatchMaxDeviation),
      ("target_kl", targetKL), ("labelled_share", labelledShare), ("temperature_mean", temperatureMean), ("reward_mean", reward.mean),
      ("reward_std", reward.standardDeviation),
      ("reward_min", reward.minimum), ("reward_max", reward.maximum), ("value_mean", value.mean), ("value_std", value.standardDeviation),
      ("return_mean", returns.mean), ("return_std", returns.standardDeviation), ("advantage_mean", advantage.mean),
      ("advantage_std", advantage.standardDeviation), ("advantage_min", advantage.minimum), ("advantage_max", advantage.maximum),
    ]
  }
}

/// How an update ended.
public enum UpdateOutcome: Sendable, Equatable {
  /// The learner's state is the new one.
  case finished(UpdateMetrics)
  /// The rollout was not acted by these parameters although the caller says so; the learner's state is as before. A defect.
  case inconsistent(UpdateMetrics)
  /// It was asked to stop; the learner's state is as before.
  case interrupted
  /// Loss or gradient was not finite three times in a row; the learner's state is as before and training must end.
  case diverged(UpdateMetrics)
}

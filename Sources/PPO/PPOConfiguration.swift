import ExactMath
import Neural

/// Weights and ranges of the loss.
public struct LossConfiguration: Sendable, Equatable {
  /// c: the ratio is clipped to 1 - c ... 1 + c.
  public var clipRatio: Float
  /// Range in which a value may move from its old one; 0 does not clip.
  public var clipRangeValue: Float
  /// Weight of the value loss.
  public var valueCoefficient: Float
  /// Weight of the exact divergence from the acting policy.
  public var klCoefficient: Float
  /// Entropy in nats below which the hinge pushes; nil: 0.1 ln A.
  public var entropyMinimum: Float?
  /// Weight of the hinge.
  public var entropyPenaltyCoefficient: Float
  /// Weight of the policy loss of a transition with advantages of all its actions.
  public var labelledWeight: Float
  /// Weight of that of a transition without: the surrogate.
  public var sampledWeight: Float

  /// The defaults of rollouts of the recurrent network.
  public init(
    clipRatio: Float = 0.15, clipRangeValue: Float = 0.2, valueCoefficient: Float = 0.5, klCoefficient: Float = 0.15,
    entropyMinimum: Float? = nil, entropyPenaltyCoefficient: Float = 0.1, labelledWeight: Float = 1, sampledWeight: Float = 1
  ) {
    self.clipRatio = clipRatio
    self.clipRangeValue = clipRangeValue
    self.valueCoefficient = valueCoefficient
    self.klCoefficient = klCoefficient
    self.entropyMinimum = entropyMinimum
    self.entropyPenaltyCoefficient = entropyPenaltyCoefficient
    self.labelledWeight = labelledWeight
    self.sampledWeight = sampledWeight
  }

  /// The hinge's threshold for `actionCount` actions.
  func entropyFloor(actionCount: Int) -> Double {
    if let entropyMinimum { return Double(entropyMinimum) }
    return 0.1 * ExactMath.log(Double(actionCount))
  }
}

/// A target divergence that follows what updates do: after three updates in a row that stopped early it grows by the factor 1 + rate, after
/// one whose divergence stayed below half of it, it shrinks by 1 - rate; always inside its bounds.
public struct AdaptiveTargetKL: Sendable, Equatable {
  /// Updates in a row that stop early before the target grows.
  static let streak = 3

  /// Lower bound.
  public var minimum: Double
  /// Upper bound.
  public var maximum: Double
  /// Relative change.
  public var rate: Double

  /// The bounds of `docs/ppo-details.md`.
  public init(minimum: Double = 0.015, maximum: Double = 0.04, rate: Double = 0.015) {
    self.minimum = minimum
    self.maximum = maximum
    self.rate = rate
  }

  /// What an update with this mean divergence makes of the target and of the early stops in a row before it.
  func next(target: Double, streak: Int, stoppedEarly: Bool, divergence: Double) -> (target: Double, streak: Int) {
    let stops = stoppedEarly ? streak + 1 : 0
    if stops >= AdaptiveTargetKL.streak { return (min(max(target * (1 + rate), minimum), maximum), 0) }
    let shrinks = divergence < 0.5 * target
    return (min(max(shrinks ? target * (1 - rate) : target, minimum), maximum), stops)
  }
}

/// Everything an update is a function of, besides the rollout and the learner's state.
public struct PPOConfiguration: Sendable, Equatable {
  /// Epochs an update may have; the shuffle's stream index is update * epochsLimit + epoch.
  public static let epochsLimit = 1024
  /// Non-finite minibatches in a row that end training.
  public static let nonFiniteStreakLimit = 3

  /// Discount per decision.
  public var gamma: Float
  /// Decay of GAE.
  public var lambda: Float
  /// Loss weights.
  public var loss: LossConfiguration
  /// Passes over a rollout.
  public var epochs: Int
  /// Epochs before an early stop may end the update.
  public var minimumEpochs: Int
  /// Transitions per optimizer step; the last minibatch of an epoch may be shorter.
  public var minibatchSize: Int
  /// Blocks of a minibatch whose losses and gradients are added up in the order of a binary tree, a power of two; 1: one chain.
  public var shards: Int
  /// Decisions of one environment that the gradient flows back through; 1: each transition stands for itself.
  public var sequenceLength: Int
  /// Minibatches whose gradients make one optimizer step.
  public var accumulationSteps: Int
  /// Largest global gradient norm.
  public var maxGradientNorm: Float
  /// Whether advantages are standardised once per update.
  public var normalizeAdvantages: Bool
  /// An epoch's mean divergence above 1.5 times this ends the update; 0 switches it off.
  public var targetKL: Double
  /// Lets the target move; nil keeps it.
  public var adaptiveTargetKL: AdaptiveTargetKL?
  /// A minibatch's divergence above this ends the update at once; 0 switches it off.
  public var klThreshold: Double
  /// Moments and decay.
  public var optimizer: AdamW
  /// Learning rate.
  public var learningRate: LearningRateSchedule
  /// Entropy bonus.
  public var entropy: EntropySchedule
  /// Divergence from the reference policy; nil without one.
  public var referenceKL: ReferenceKLSchedule?

  /// The defaults of `docs/ppo-details.md`.
  public init(
    gamma: Float = 0.95, lambda: Float = 0.95, loss: LossConfiguration = LossConfiguration(), epochs: Int = 4, minimumEpochs: Int = 1,
    minibatchSize: Int = 64, shards: Int = 1, sequenceLength: Int = 1, accumulationSteps: Int = 1, maxGradientNorm: Float = 1,
    normalizeAdvantages: Bool = true, targetKL: Double = 0.02, adaptiveTargetKL: AdaptiveTargetKL? = nil, klThreshold: Double = 0.15,
    optimizer: AdamW = AdamW(), learningRate: LearningRateSchedule = .constant(3e-4),
    entropy: EntropySchedule = EntropySchedule(base: 0.01, warmUp: 0.01, warmUpSteps: 1000), referenceKL: ReferenceKLSchedule? = nil
  ) {
    precondition(epochs >= 1 && epochs <= PPOConfiguration.epochsLimit, "epochs outside 1...1024")
    precondition(minibatchSize >= 1, "minibatchSize must be positive")
    precondition(shards >= 1 && shards & (shards - 1) == 0, "shards must be a power of two")
    precondition(sequenceLength >= 1 && sequenceLength <= minibatchSize, "sequenceLength outside 1...minibatchSize")
    precondition(accumulationSteps >= 1, "accumulationSteps must be positive")
    precondition(maxGradientNorm > 0, "maxGradientNorm must be positive")
    self.gamma = gamma
    self.lambda = lambda
    self.loss = loss
    self.epochs = epochs
    self.minimumEpochs = minimumEpochs
    self.minibatchSize = minibatchSize
    self.shards = shards
    self.sequenceLength = sequenceLength
    self.accumulationSteps = accumulationSteps
    self.maxGradientNorm = maxGradientNorm
    self.normalizeAdvantages = normalizeAdvantages
    self.targetKL = targetKL
    self.adaptiveTargetKL = adaptiveTargetKL
    self.klThreshold = klThreshold
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.entropy = entropy
    self.referenceKL = referenceKL
  }
}

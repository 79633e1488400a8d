/// Course of the learning rate over optimizer steps.
public enum LearningRateSchedule: String, CaseIterable, Sendable {
  /// Level.
  case constant
  /// A straight line down.
  case linear
  /// Half a cosine wave down.
  case cosine
}

/// The update.
public struct PPOSection: Equatable, Sendable {
  /// Learning rate after warm-up.
  public var learningRate = 3e-4
  /// Its course.
  public var learningRateSchedule = LearningRateSchedule.cosine
  /// Optimizer steps of linear warm-up.
  public var learningRateWarmupOptSteps = 100
  /// Learning rate at the end over that at the start.
  public var learningRateMinRatio = 0.1
  /// Optimizer steps of one decay; 0 = all of the plan.
  public var learningRatePeriodOptSteps = 0
  /// Discount per decision.
  public var gamma = 0.95
  /// Lambda of GAE.
  public var gaeLambda = 0.95
  /// Clip range of the probability ratio.
  public var clipRatio = 0.15
  /// Clip range of the value; 0 = off.
  public var clipRangeVf = 0.2
  /// Weight of the value loss.
  public var valueCoef = 0.5
  /// Passes over a rollout.
  public var epochs = 4
  /// Samples of an optimizer step.
  public var minibatchSize = 64
  /// Decisions that the gradient flows back through.
  public var sequenceLength = 1
  /// Minibatches of an optimizer step.
  public var accumulationSteps = 1
  /// Limit of the gradient's norm.
  public var maxGradNorm = 1.0
  /// Weight of the entropy bonus.
  public var entropyCoef = 0.01
  /// Additional weight at the start.
  public var entropyWarmupCoef = 0.01
  /// Optimizer steps until it is gone.
  public var entropyWarmupOptSteps = 1000
  /// Weight at the end of its decay; negative = none.
  public var entropyFinalCoef = -1.0
  /// Optimizer steps of the decay.
  public var entropyDecayOptSteps = 0
  /// Entropy below which the penalty starts; negative = 0.1 ln A.
  public var entropyMin = -1.0
  /// Weight of the penalty.
  public var entropyPenaltyCoef = 0.1
  /// KL divergence at which an update stops between epochs, times 1.5; 0 = off.
  public var targetKl = 0.02
  /// Whether that target moves.
  public var adaptiveTargetKl = false
  /// Its lower bound.
  public var targetKlMin = 0.015
  /// Its upper bound.
  public var targetKlMax = 0.04
  /// Its relative change.
  public var targetKlRate = 0.015
  /// Epochs run before that.
  public var minEpochs = 1
  /// KL divergence at which an update stops inside an epoch; 0 = off.
  public var klThreshold = 0.15
  /// Weight of the KL divergence from the old policy.
  public var klCoef = 0.15
  /// Weight of the KL divergence from a reference policy at the start.
  public var klRefCoefInitial = 0.3
  /// The same at the end.
  public var klRefCoefFinal = 0.0
  /// Optimizer steps in between.
  public var klRefDecayOptSteps = 1500
  /// Decoupled weight decay of matrices.
  public var weightDecay = 0.0
  /// Decay of the first moment.
  public var adamBeta1 = 0.9
  /// Decay of the second moment.
  public var adamBeta2 = 0.999
  /// Added to the root of the second moment.
  public var adamEpsilon = 1e-5
  /// Whether advantages are standardised per update.
  public var normalizeAdvantages = true

  static let fields: [Field] = learningRateFields + lossFields + entropyFields + divergenceFields + optimizerFields

  private static let learningRateFields: [Field] = [
    .real("ppo.learning_rate", \.ppo.learningRate, .above(0, 1), .changeable, "Learning rate of AdamW after the warm-up."),
    .choice(
      "ppo.learning_rate_schedule", \.ppo.learningRateSchedule, .changeable,
      "Course of the learning rate after the warm-up: level, a straight line down, or half a cosine wave down."),
    .integer(
      "ppo.learning_rate_warmup_opt_steps", \.ppo.learningRateWarmupOptSteps, 0...1_000_000_000, unit: "optimizer steps", .changeable,
      "Optimizer steps over which the learning rate grows linearly at the start."),
    .real(
      "ppo.learning_rate_min_ratio", \.ppo.learningRateMinRatio, .closed(0, 1), .changeable,
      "Learning rate at the end of its course divided by the one at the start (schedules linear and cosine)."),
    .integer(
      "ppo.learning_rate_period_opt_steps", \.ppo.learningRatePeriodOptSteps, 0...1_000_000_000_000, unit: "optimizer steps", .changeable,
      "Optimizer steps of one course, after which it restarts; 0 is one course over the plan of the first start."),
  ]

  private static let lossFields: [Field] = [
    .real("ppo.gamma", \.ppo.gamma, .closed(0, 1), .frozen, "Discount per decision."),
    .real("ppo.gae_lambda", \.ppo.gaeLambda, .closed(0, 1), .changeable, "Lambda of generalised advantage estimation."),
    .boolean(
      "ppo.normalize_advantages", \.ppo.normalizeAdvantages, .changeable, "Standardises the advantages that enter the policy loss."),
    .real("ppo.clip_ratio", \.ppo.clipRatio, .above(0, 10), .changeable, "Clip range of the probability ratio around 1."),
    .real(
      "ppo.clip_range_vf", \.ppo.clipRangeVf, .closed(0, 1e6), .changeable,
      "Clip range of the value around its old prediction; 0 switches it off."),
    .real("ppo.value_coef", \.ppo.valueCoef, .closed(0, 1000), .changeable, "Weight of the value loss."),
    .integer("ppo.epochs", \.ppo.epochs, 1...1000, unit: "epochs", .changeable, "Passes over each rollout."),
    .integer(
      "ppo.minibatch_size", \.ppo.minibatchSize, 1...16_777_216, unit: "samples", .changeable,
      "Samples of one minibatch; the last one of an epoch may be smaller."),
    .integer(
      "ppo.sequence_length", \.ppo.sequenceLength, 1...4096, unit: "decisions", .changeable,
      "Decisions of one environment that the gradient flows back through, from the stored state of the first; 1 takes each by itself."),
    .integer(
      "ppo.accumulation_steps", \.ppo.accumulationSteps, 1...1024, unit: "minibatches", .changeable,
      "Minibatches whose gradients make one optimizer step."),
  ]

  private static let entropyFields: [Field] = [
    .real("ppo.entropy_coef", \.ppo.entropyCoef, .closed(0, 1000), .changeable, "Weight of the entropy bonus."),
    .real(
      "ppo.entropy_warmup_coef", \.ppo.entropyWarmupCoef, .closed(0, 1000), .changeable,
      "Weight added to it at the start, fading linearly to 0."),
    .integer(
      "ppo.entropy_warmup_opt_steps", \.ppo.entropyWarmupOptSteps, 0...1_000_000_000, unit: "optimizer steps", .changeable,
      "Optimizer steps over which that weight fades."),
    .real(
      "ppo.entropy_final_coef", \.ppo.entropyFinalCoef, .closed(-1, 1000), .changeable,
      "Weight that the entropy bonus moves to in a straight line; a negative value keeps it."),
    .integer(
      "ppo.entropy_decay_opt_steps", \.ppo.entropyDecayOptSteps, 0...1_000_000_000, unit: "optimizer steps", .changeable,
      "Optimizer steps until that weight; 0 has it from the start."),
    .real(
      "ppo.entropy_min", \.ppo.entropyMin, .closed(-1, 100), unit: "nat", .changeable,
      "Entropy below which a penalty starts; a negative value means 0.1 ln(number of actions)."),
    .real(
      "ppo.entropy_penalty_coef", \.ppo.entropyPenaltyCoef, .closed(0, 1000), .changeable,
      "Weight of that penalty; 0 switches it off."),
  ]

  private static let divergenceFields: [Field] = [
    .real(
      "ppo.target_kl", \.ppo.targetKl, .closed(0, 100), unit: "nat", .changeable,
      "An update stops after an epoch whose approximate KL divergence exceeds 1.5 times this; 0 switches it off."),
    .boolean(
      "ppo.adaptive_target_kl", \.ppo.adaptiveTargetKl, .changeable,
      "Lets target_kl grow after three updates in a row that stopped early, and shrink after one that stayed below half of it."),
    .real("ppo.target_kl_min", \.ppo.targetKlMin, .above(0, 100), unit: "nat", .changeable, "Lower bound of the adaptive target."),
    .real("ppo.target_kl_max", \.ppo.targetKlMax, .above(0, 100), unit: "nat", .changeable, "Upper bound of the adaptive target."),
    .real("ppo.target_kl_rate", \.ppo.targetKlRate, .below(0, 1), .changeable, "Relative change of the adaptive target."),
    .integer(
      "ppo.min_epochs", \.ppo.minEpochs, 1...1000, unit: "epochs", .changeable, "Epochs that run before target_kl may stop an update."),
    .real(
      "ppo.kl_threshold", \.ppo.klThreshold, .closed(0, 100), unit: "nat", .changeable,
      "An update stops at once at a minibatch whose approximate KL divergence exceeds this; 0 switches it off."),
    .real(
      "ppo.kl_coef", \.ppo.klCoef, .closed(0, 1000), .changeable, "Weight of the exact KL divergence of the new policy from the old one."),
    .real(
      "ppo.kl_ref_coef_initial", \.ppo.klRefCoefInitial, .closed(0, 1000), .changeable,
      "Weight of the KL divergence of the new policy from the reference policy of a warm start, at the first optimizer step."),
    .real(
      "ppo.kl_ref_coef_final", \.ppo.klRefCoefFinal, .closed(0, 1000), .changeable, "The same weight after its decay in a straight line."),
    .integer(
      "ppo.kl_ref_decay_opt_steps", \.ppo.klRefDecayOptSteps, 0...1_000_000_000, unit: "optimizer steps", .changeable,
      "Optimizer steps of that decay."),
  ]

  private static let optimizerFields: [Field] = [
    .real(
      "ppo.max_grad_norm", \.ppo.maxGradNorm, .above(0, 1e9), .changeable, "Limit of the gradient's norm over all parameters."),
    .real(
      "ppo.weight_decay", \.ppo.weightDecay, .closed(0, 1), .changeable, "Decoupled weight decay of matrices, not of biases and gains."),
    .real("ppo.adam_beta1", \.ppo.adamBeta1, .below(0, 1), .frozen, "Decay of the first moment of AdamW."),
    .real("ppo.adam_beta2", \.ppo.adamBeta2, .below(0, 1), .frozen, "Decay of the second moment of AdamW."),
    .real(
      "ppo.adam_epsilon", \.ppo.adamEpsilon, .above(0, 1), .changeable, "Added to the root of the second moment of AdamW."),
  ]
}

import Neural
import PPO
import RunConfig

/// What the training loop takes from the configuration, as plain values.
struct TrainingSettings: Sendable {
  let seed: UInt64
  let environmentCount: Int
  let rolloutLength: Int
  let stabilisationDecisions: Int
  let gamma: Double
  /// How observations are standardised; nil passes them through.
  let observationNormalizer: NormalizerConfiguration?
  /// How rewards are scaled; nil passes them through.
  let rewardScaling: NormalizerConfiguration?

  init(_ configuration: Configuration) {
    seed = UInt64(configuration.run.seed)
    environmentCount = configuration.run.numEnvs
    rolloutLength = configuration.rollout.length
    stabilisationDecisions = configuration.rollout.stabilizationDecisions
    gamma = configuration.ppo.gamma
    let observation = configuration.observation
    observationNormalizer =
      observation.normalize ? NormalizerConfiguration(epsilon: 1e-6, clip: observation.clip, minimumCount: observation.minCount) : nil
    rewardScaling =
      configuration.reward.normalize
      ? NormalizerConfiguration(epsilon: 1e-8, clip: configuration.reward.clip, minimumCount: observation.minCount) : nil
  }
}

extension NetworkConfiguration {
  /// The network that a configuration describes.
  init(_ section: NetworkSection) {
    self =
      switch section.architecture {
      case .recurrent:
        .recurrent(
          hidden: section.hidden, layers: section.gruLayers, projection: section.projection, inputLayerNorm: section.inputLayerNorm,
          boundedLogits: section.boundedLogits)
      case .mlp: .mlp(hidden: section.mlpHidden)
      }
  }
}

extension PPOConfiguration {
  /// The update that a configuration describes.
  init(_ configuration: Configuration) {
    let section = configuration.ppo
    let period = section.learningRatePeriodOptSteps
    let learningRate: PPO.LearningRateSchedule =
      switch section.learningRateSchedule {
      case .constant: .constant(section.learningRate)
      case .linear: .linear(base: section.learningRate, minimumRatio: section.learningRateMinRatio)
      case .cosine:
        .cosine(
          base: section.learningRate, warmUp: section.learningRateWarmupOptSteps, period: period > 0 ? period : nil,
          minimumRatio: section.learningRateMinRatio)
      }
    self.init(
      gamma: Float(section.gamma), lambda: Float(section.gaeLambda),
      loss: LossConfiguration(
        clipRatio: Float(section.clipRatio), clipRangeValue: Float(section.clipRangeVf), valueCoefficient: Float(section.valueCoef),
        klCoefficient: Float(section.klCoef), entropyMinimum: section.entropyMin < 0 ? nil : Float(section.entropyMin),
        entropyPenaltyCoefficient: Float(section.entropyPenaltyCoef)),
      epochs: section.epochs, minimumEpochs: section.minEpochs, minibatchSize: section.minibatchSize,
      shards: configuration.update.shards, maxGradientNorm: Float(section.maxGradNorm), normalizeAdvantages: section.normalizeAdvantages,
      targetKL: section.targetKl, klThreshold: section.klThreshold,
      optimizer: AdamW(
        beta1: Float(section.adamBeta1), beta2: Float(section.adamBeta2), epsilon: Float(section.adamEpsilon),
        weightDecay: Float(section.weightDecay)),
      learningRate: learningRate,
      entropy: EntropySchedule(
        base: section.entropyCoef, warmUp: section.entropyWarmupCoef, warmUpSteps: section.entropyWarmupOptSteps))
  }
}

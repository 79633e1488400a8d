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
  /// How decisions get credit.
  let credit: CreditSettings
  /// How observations are standardised; nil passes them through.
  let observationNormalizer: NormalizerConfiguration?
  /// How rewards are scaled; nil passes them through.
  let rewardScaling: NormalizerConfiguration?
  /// How temperatures are set; nil draws at 1.
  let temperature: TemperatureConfiguration?
  /// What is watched.
  let monitor: MonitorSection
  /// Actions that are ever allowed, where some are padding; nil: all.
  let choices: Int?

  init(_ configuration: Configuration) {
    seed = UInt64(configuration.run.seed)
    environmentCount = configuration.run.numEnvs
    rolloutLength = configuration.rollout.length
    stabilisationDecisions = configuration.rollout.stabilizationDecisions
    gamma = configuration.ppo.gamma
    credit = CreditSettings(configuration.credit)
    let observation = configuration.observation
    observationNormalizer =
      observation.normalize ? NormalizerConfiguration(epsilon: 1e-6, clip: observation.clip, minimumCount: observation.minCount) : nil
    temperature = configuration.temperature.enabled ? TemperatureConfiguration(configuration.temperature) : nil
    monitor = configuration.monitor
    choices = configuration.run.environment == .routing ? configuration.cluster.numReplicas : nil
    rewardScaling =
      configuration.reward.normalize
      ? NormalizerConfiguration(epsilon: 1e-8, clip: configuration.reward.clip, minimumCount: observation.minCount) : nil
  }
}

extension TemperatureConfiguration {
  /// The controller that a configuration describes.
  init(_ section: TemperatureSection) {
    self.init(
      base: section.base, minimum: section.min, maximum: section.max, rateSensitivity: section.qpsSensitivity,
      latencySensitivity: section.latencySensitivity, smoothing: section.pressureEmaAlpha,
      pulses: section.pulses
        ? Pulses(
          interval: section.pulseInterval, magnitude: section.pulseMagnitude, duration: section.pulseDuration,
          stagnationThreshold: section.stagnationThreshold, stagnationMemory: section.stagnationMemory) : nil)
  }
}

extension StatisticsShape {
  /// A set encoder's replicas share their statistics; other networks take the observation as a whole.
  init(_ network: Network) {
    if case .setEncoder(let sizes) = network.configuration {
      self.init(
        observationSize: network.observationSize, replicaCount: network.actionCount, replicaBlockSize: sizes.replicaBlockSize)
    } else {
      self.init(observationSize: network.observationSize)
    }
  }

  /// A normaliser frozen from `statistics`, which have this shape.
  func frozen(_ statistics: StatisticsSlot, _ configuration: NormalizerConfiguration) -> FrozenStatistics {
    guard let replicas = statistics.replicas else { return FrozenStatistics(statistics.observations, configuration) }
    return FrozenStatistics(replicas: replicas, replicaCount: replicaCount, cluster: statistics.observations, configuration)
  }
}

extension NetworkConfiguration {
  /// The network that a configuration describes.
  ///
  /// - Parameter replicaBlockSize: of the environment; read by the set encoder.
  init(_ section: NetworkSection, replicaBlockSize: Int) {
    self =
      switch section.architecture {
      case .recurrent:
        .recurrent(
          hidden: section.hidden, layers: section.gruLayers, projection: section.projection, inputLayerNorm: section.inputLayerNorm,
          boundedLogits: section.boundedLogits, form: section.coupled ? .coupled(sharedLayers: section.coupledLayers) : .decoupled,
          cell: section.gruCell == .plain ? .plain : .layerNorm)
      case .mlp: .mlp(hidden: section.mlpHidden)
      case .setEncoder:
        .setEncoder(
          width: section.setWidth, layers: section.setLayers, attention: section.setAttention, memory: section.setMemory,
          replicaBlockSize: replicaBlockSize)
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
        entropyPenaltyCoefficient: Float(section.entropyPenaltyCoef), labelledWeight: configuration.credit.labelledWeight,
        sampledWeight: configuration.credit.sampledWeight),
      epochs: section.epochs, minimumEpochs: section.minEpochs, minibatchSize: section.minibatchSize,
      shards: configuration.update.shards, sequenceLength: section.sequenceLength, accumulationSteps: section.accumulationSteps,
      maxGradientNorm: Float(section.maxGradNorm), normalizeAdvantages: section.normalizeAdvantages, targetKL: section.targetKl,
      adaptiveTargetKL: section.adaptiveTargetKl
        ? AdaptiveTargetKL(minimum: section.targetKlMin, maximum: section.targetKlMax, rate: section.targetKlRate) : nil,
      klThreshold: section.klThreshold,
      optimizer: AdamW(
        beta1: Float(section.adamBeta1), beta2: Float(section.adamBeta2), epsilon: Float(section.adamEpsilon),
        weightDecay: Float(section.weightDecay)),
      learningRate: learningRate,
      entropy: EntropySchedule(
        base: section.entropyCoef, warmUp: section.entropyWarmupCoef, warmUpSteps: section.entropyWarmupOptSteps,
        final: section.entropyFinalCoef < 0 ? nil : section.entropyFinalCoef, decaySteps: section.entropyDecayOptSteps),
      referenceKL: ReferenceKLSchedule(
        initial: section.klRefCoefInitial, final: section.klRefCoefFinal, decaySteps: section.klRefDecayOptSteps))
  }
}

import Checkpoint
import Environments
import Hashing
import Neural
import PPO
import RunConfig
import ServingEnv

/// Behaviour cloning for a configuration: from demonstrations to the file of a pretrained actor.
///
/// The file is a function of configuration and demonstrations; equal inputs give equal bytes.
public struct Pretraining {
  private let configuration: Configuration
  private let observationNames: [String]
  private let network: Network
  private let programVersion: String

  /// - Parameter prototype: the configured environment.
  public init<E: Environment>(_ configuration: Configuration, prototype: E, programVersion: String) {
    self.configuration = configuration
    observationNames = prototype.observationNames
    network = Network(
      NetworkConfiguration(configuration.network, replicaBlockSize: prototype.replicaBlockSize), observationSize: prototype.observationSize,
      actionCount: prototype.actionCount)
    self.programVersion = programVersion
  }

  /// Digest of all that determines the file.
  public func recipe(demonstrations: Digest, base: StartingModel?) -> Digest {
    let hasher = SHA256()
    let sections = ["warmstart", "network", "observation"]
    let keys = Schema.fields.filter { sections.contains($0.section) && $0.difference == .frozen }
    let text = keys.map { "\($0.path)=\($0.value(in: configuration).compactText())\n" }.joined()
    hasher.update(
      "pretraining \(determinismVersion)\nseed=\(configuration.run.seed)\n\(text)demonstrations=\(demonstrations.hex)\nbase="
        + (base?.contentDigest.hex ?? "none"))
    return hasher.finalize()
  }

  /// Clones.
  ///
  /// - Parameters:
  ///   - demonstrationsDigest: identifies the demonstrations in the recipe.
  ///   - base: a model to start from instead of drawn parameters.
  ///   - say: told a line per epoch.
  /// - Returns: the file; nil if it was asked to stop.
  /// - Throws: `TrainingError` with `.mismatch` for demonstrations of another observation, `.internalError` if cloning diverged.
  public func run(
    _ demonstrations: Demonstrations, observationNames names: Digest, demonstrationsDigest: Digest, base: StartingModel?, name: String,
    say: (String) -> Void, shouldStop: () -> Bool = { false }
  ) throws(TrainingError) -> EncodedCheckpoint? {
    guard demonstrations.observationSize == network.observationSize, demonstrations.actionCount == network.actionCount,
      names == RunRecord.digest(of: observationNames)
    else {
      throw TrainingError(
        .mismatch,
        "the demonstrations have \(demonstrations.observationSize) observed values and \(demonstrations.actionCount) actions; this configuration "
          + "has \(network.observationSize) and \(network.actionCount)"
          + (demonstrations.observationSize == network.observationSize ? ", with other features" : ""))
    }
    let seed = UInt64(configuration.run.seed)
    var parameters = network.initialParameters(seed: seed)
    if let base {
      let (report, _) = try base.load(
        into: &parameters, of: network, observationNames: RunRecord.slotNames(observationNames, StatisticsShape(network)),
        normalizerCountMax: configuration.warmstart.normalizerCountMax)
      for line in report.lines { say(line) }
    }
    let shape = StatisticsShape(network)
    let normalizer = TrainingSettings(configuration).observationNormalizer.map { configuration in
      { (statistics: StatisticsSlot) in shape.frozen(statistics, configuration) }
    }
    var cloning = BehaviourCloning(
      network, configuration: CloningConfiguration(configuration.warmstart), demonstrations: demonstrations,
      shape: shape, normalizer: normalizer, seed: seed)
    let outcome = cloning.run(
      from: parameters, progress: { say(Self.line($0, of: configuration.warmstart.epochs, policies: demonstrations.policies)) },
      shouldStop: shouldStop)
    switch outcome {
    case .interrupted: return nil
    case .diverged(let epoch):
      throw TrainingError(.internalError, "behaviour cloning diverged in epoch \(epoch): loss or gradient was not finite")
    case .finished(let result):
      let origin = PretrainedActorFile.Origin(
        policies: demonstrations.policies, samples: demonstrations.count,
        recipe: recipe(demonstrations: demonstrationsDigest, base: base), programVersion: programVersion)
      return try PretrainedActorFile.encode(
        result, network: network, configuration: configuration, observationNames: observationNames, origin: origin, name: name)
    }
  }

  private static func line(_ epoch: CloningEpoch, of epochs: Int, policies: [String]) -> String {
    func round(_ value: Double, _ scale: Double) -> String { "\((value * scale).rounded() / scale)" }
    var line = "[Pretrain] epoch=\(epoch.epoch)/\(epochs)"
    if let loss = epoch.trainLoss { line += " train_loss=\(round(loss, 1e4))" }
    line += " validation_loss=\(round(epoch.validation.weightedLoss, 1e4)) accuracy=\(round(epoch.validation.accuracy, 1e4))"
    for (name, score) in zip(policies, epoch.validationByPolicy) where score.count > 0 {
      line += " \(name)=\(round(score.loss, 1e4))/\(round(score.accuracy, 1e4))"
    }
    return line
  }
}

extension CloningConfiguration {
  /// What a configuration says about cloning.
  init(_ section: WarmStartSection) {
    self.init(
      epochs: section.epochs, batchSize: section.batchSize, sequenceLength: section.sequenceLength, learningRate: section.learningRate,
      optimizer: AdamW(weightDecay: Float(section.weightDecay)), maxGradientNorm: Float(section.maxGradNorm),
      validationShare: section.validationShare, patience: section.patience)
  }
}

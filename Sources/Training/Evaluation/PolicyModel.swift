import Checkpoint
import Neural
import PPO
import RunConfig
import TorchFormat

/// A policy as a file holds it: network, parameters and the frozen normaliser of its observations. Nothing of it changes.
public struct PolicyModel {
  /// What the parameters are for.
  public let network: Network
  /// Flat, in the network's layout.
  public let parameters: [Float]
  /// From observations as the environment gives them to what the network sees.
  public let normaliser: FrozenStatistics
  /// Decisions it was trained on.
  public let step: Int

  init(network: Network, parameters: [Float], normaliser: FrozenStatistics, step: Int) {
    self.network = network
    self.parameters = parameters
    self.normaliser = normaliser
    self.step = step
  }

  /// The policy of a verified checkpoint, written under `configuration`.
  ///
  /// - Throws: `TrainingError` with `.badData` naming what is missing, or has another shape than the configuration says.
  public init(_ loaded: LoadedCheckpoint, configuration: Configuration) throws(TrainingError) {
    let schema = try TorchReader(loaded.contents.tree, file: loaded.name).group("schema")
    let block = schema.names.contains("replica_block_size") ? try schema.int("replica_block_size") : 0
    let network = Network(
      NetworkConfiguration(configuration.network, replicaBlockSize: block), observationSize: try schema.int("observation_size"),
      actionCount: try schema.int("action_count"))
    let encoding = StateEncoding(network)
    let parameters: [Float]
    if loaded.contents.tree["kind"] == .string(PretrainedActorFile.kind) {
      // It has no critic, and nobody asks it for values.
      parameters = try encoding.actorParameters(
        from: loaded.contents.tree, of: network, over: [Float](repeating: 0, count: network.layout.storedCount), file: loaded.name)
    } else {
      parameters = try encoding.parameters(from: loaded.contents.tree, file: loaded.name)
    }
    let statistics = try encoding.observationStatistics(TorchReader(loaded.contents.tree, file: loaded.name).group("normalizer_state"))
    let normaliser =
      TrainingSettings(configuration).observationNormalizer.map { StatisticsShape(network).frozen(statistics, $0) }
      ?? FrozenStatistics(identity: network.observationSize)
    self.init(
      network: network, parameters: parameters, normaliser: normaliser, step: loaded.contents.step)
  }

  /// The same policy for a cluster with another number of replicas; nil if its network knows one number only, or the sizes do not fit.
  public func fitted(observationSize: Int, actionCount: Int) -> PolicyModel? {
    if observationSize == network.observationSize, actionCount == network.actionCount { return self }
    guard case .setEncoder(let sizes) = network.configuration else { return nil }
    let cluster = network.observationSize - network.actionCount * sizes.replicaBlockSize
    guard observationSize == actionCount * sizes.replicaBlockSize + cluster else { return nil }
    return PolicyModel(
      network: Network(network.configuration, observationSize: observationSize, actionCount: actionCount), parameters: parameters,
      normaliser: normaliser.refitted(
        blockSize: sizes.replicaBlockSize, from: network.actionCount, to: actionCount), step: step)
  }
}

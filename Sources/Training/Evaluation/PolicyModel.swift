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
    let network = Network(
      NetworkConfiguration(configuration.network), observationSize: try schema.int("observation_size"),
      actionCount: try schema.int("action_count"))
    let encoding = StateEncoding(
      layout: network.layout, observationSize: network.observationSize, actionCount: network.actionCount, stateSize: network.stateSize)
    let (parameters, statistics) = try encoding.policy(from: loaded.contents.tree, file: loaded.name)
    let normaliser =
      TrainingSettings(configuration).observationNormalizer.map { FrozenStatistics(statistics, $0) }
      ?? FrozenStatistics(identity: network.observationSize)
    self.init(network: network, parameters: parameters, normaliser: normaliser, step: loaded.contents.step)
  }
}

import Checkpoint
import Environments
import Neural
import PPO
import RunConfig
import TorchFormat

/// A policy out of a checkpoint, frozen: greedy, temperature 1, the checkpoint's own normaliser.
public struct TrainedPolicy {
  /// The configuration it was trained with.
  public let configuration: Configuration
  /// Network, parameters, normaliser.
  public private(set) var model: PolicyModel
  private var policy: GreedyPolicy

  /// Reads a verified checkpoint.
  ///
  /// - Throws: `TrainingError` with `.badData` naming what is missing, or has another shape than its configuration says.
  public init(_ loaded: LoadedCheckpoint) throws(TrainingError) {
    configuration = try Self.configuration(of: loaded)
    model = try PolicyModel(loaded, configuration: configuration)
    policy = GreedyPolicy(model.network, parameters: model.parameters, frozen: model.normaliser)
  }

  /// Decisions it was trained on.
  public var step: Int { model.step }
  private var network: Network { model.network }

  /// The configuration that a checkpoint was written under.
  public static func configuration(of loaded: LoadedCheckpoint) throws(TrainingError) -> Configuration {
    let text = try TorchReader(loaded.contents.tree, file: loaded.name).group("provenance").string("configuration")
    do throws(ConfigurationError) {
      return try Configuration(parsing: [UInt8](text.utf8), name: loaded.name)
    } catch {
      throw TrainingError(.badData, error.description)
    }
  }

  /// Length of the observations and number of the actions it was made for.
  public var shape: (observationSize: Int, actionCount: Int) { (network.observationSize, network.actionCount) }

  /// Prepares the policy for an environment of these sizes and forgets the past. False if its network does not fit.
  public mutating func fit(observationSize: Int, actionCount: Int) -> Bool {
    guard let fitted = model.fitted(observationSize: observationSize, actionCount: actionCount) else { return false }
    model = fitted
    policy = GreedyPolicy(fitted.network, parameters: fitted.parameters, frozen: fitted.normaliser)
    return true
  }

  /// Forgets the past, as at an episode's start.
  public mutating func reset() { policy.reset() }

  /// The likeliest action at the pending decision of `environment`, or the one at `uniform` of the distribution; the recurrent state moves on.
  public mutating func choose<E: Environment>(_ environment: E, uniform: Double? = nil) -> Int {
    policy.choose(environment, uniform: uniform)
  }
}

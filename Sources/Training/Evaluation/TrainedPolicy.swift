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
  /// Decisions it was trained on.
  public let step: Int
  private let network: Network
  private let parameters: [Float]
  private let frozen: FrozenStatistics
  private let activations: Activations
  private var sampler: ActionSampler
  private var state: [Float]

  /// Reads a verified checkpoint.
  ///
  /// - Throws: `TrainingError` with `.badData` naming what is missing, or has another shape than its configuration says.
  public init(_ loaded: LoadedCheckpoint) throws(TrainingError) {
    let root = TorchReader(loaded.contents.tree, file: loaded.name)
    configuration = try Self.configuration(of: loaded)
    let schema = try root.group("schema")
    network = Network(
      NetworkConfiguration(configuration.network), observationSize: try schema.int("observation_size"),
      actionCount: try schema.int("action_count"))
    let encoding = StateEncoding(
      layout: network.layout, observationSize: network.observationSize, actionCount: network.actionCount, stateSize: network.stateSize)
    let (parameters, statistics) = try encoding.policy(from: loaded.contents.tree, file: loaded.name)
    self.parameters = parameters
    frozen =
      TrainingSettings(configuration).observationNormalizer.map { FrozenStatistics(statistics, $0) }
      ?? FrozenStatistics(identity: network.observationSize)
    step = loaded.contents.step
    activations = network.makeActivations(rows: 1)
    sampler = ActionSampler(actionCount: network.actionCount)
    state = [Float](repeating: 0, count: network.stateSize)
  }

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

  /// Forgets the past, as at an episode's start.
  public mutating func reset() {
    for i in state.indices { state[i] = 0 }
  }

  /// The likeliest action at the pending decision of `environment`; the recurrent state moves on.
  public mutating func choose<E: Environment>(_ environment: E) -> Int {
    var observation = [Float](repeating: 0, count: network.observationSize)
    var observationSpan = observation.mutableSpan
    environment.observe(into: &observationSpan)
    var normalised = observation
    frozen.normalise(observation, row: 0, into: &normalised)
    var mask = [UInt8](repeating: 1, count: network.actionCount)
    var maskSpan = mask.mutableSpan
    environment.actionMask(into: &maskSpan)
    var logits = [Float](repeating: 0, count: network.actionCount)
    var next = state
    var unusedValues: [Float] = []
    network.forward(
      parameters: parameters, observations: normalised, states: state, rows: 1, outputs: .policy, activations: activations, logits: &logits,
      values: &unusedValues, nextStates: &next)
    state = next
    return sampler.greedy(logits: logits, masks: mask, row: 0).action
  }
}

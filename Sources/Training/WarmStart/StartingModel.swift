import Checkpoint
import Hashing
import Neural
import PPO
import TorchFormat

/// A policy out of a file, from which a run begins: a pretrained actor, a checkpoint of ours, or a file of the program that this one replaces.
///
/// Every tensor that the logits depend on must be there with the network's shape. The critic's may be absent, all of them, and are then drawn
/// as at a fresh start. Anything else is an error that lists every difference; nothing is loaded by half.
public struct StartingModel {
  /// Kinds of files.
  public enum Kind: String, Sendable {
    /// Written by `pretrain`.
    case pretrainedActor = "pretrained_actor"
    /// Written by `train`.
    case checkpoint
    /// Written by the reference, or by any PyTorch program that keeps a `model_state_dict` with its names.
    case reference
  }

  /// Path as given.
  public let path: String
  /// Kind.
  public let kind: Kind
  /// SHA-256 of the file.
  public let digest: Digest
  /// Digest of what the file holds, without paths, versions and settings that do not matter; of a foreign file that of its bytes.
  public let contentDigest: Digest
  private let root: TorchReader
  private let tensors: [(name: String, tensor: TorchTensor)]

  /// Reads and, for files of ours, verifies.
  ///
  /// - Throws: `TrainingError` with `.badData` naming what is wrong with the file.
  public init(bytes: [UInt8], path: String) throws(TrainingError) {
    self.path = path
    digest = SHA256.hash(bytes)
    let tree: TorchValue
    do throws(CheckpointError) {
      let loaded = try CheckpointFile.decode(bytes: bytes, name: path)
      tree = loaded.contents.tree
      contentDigest = loaded.stateDigest
      kind = tree["kind"] == nil ? .checkpoint : .pretrainedActor
    } catch {
      guard error.code == .foreign else { throw TrainingError(.badData, error.description) }
      tree = try Self.foreign(bytes, path)
      contentDigest = digest
      kind = .reference
    }
    root = TorchReader(tree, file: path)
    if kind == .pretrainedActor { try root.expect(kind: PretrainedActorFile.kind, formatVersion: PretrainedActorFile.formatVersion) }
    guard let entries = tree["model_state_dict"]?.entries else {
      throw root.error("model_state_dict", "is missing or no dictionary: this file holds no model")
    }
    var tensors: [(name: String, tensor: TorchTensor)] = []
    for (name, value) in entries {
      guard let tensor = value.tensor else { throw root.error("model_state_dict." + name, "is \(value.kind), expected a tensor") }
      tensors.append((name, tensor))
    }
    self.tensors = tensors
  }

  private static func foreign(_ bytes: [UInt8], _ path: String) throws(TrainingError) -> TorchValue {
    do throws(TorchFormatError) {
      return try TorchFile.decode(bytes)
    } catch {
      throw TrainingError(.badData, "\(path): \(error)")
    }
  }

  /// Puts the file's tensors in the place of `parameters`' and returns what was taken, with the statistics capped at `normalizerCountMax` samples.
  ///
  /// - Parameters:
  ///   - slotNames: `RunRecord.slotNames` of the present observation, compared with the file's if it states one.
  ///   - parameters: flat, as drawn; changed only if everything fits.
  /// - Throws: `TrainingError` with `.mismatch` listing every tensor that is missing, unknown or of another shape, with both shapes.
  func load(
    into parameters: inout [Float], of network: Network, observationNames slotNames: [String], normalizerCountMax: Int
  ) throws(TrainingError) -> (report: ModelReport, statistics: StatisticsSlot?) {
    try checkSchema(network, slotNames)
    let fresh = try tensorsLeftOut(network)
    let statistics = try statistics(network)
    var changed = parameters
    for tensor in network.layout.tensors where !fresh.contains(tensor.name) {
      guard let values = tensors.first(where: { $0.name == tensor.name })?.tensor.floats else {
        throw root.error("model_state_dict." + tensor.name, "is not of single precision")
      }
      guard values.allSatisfy(\.isFinite) else { throw root.error("model_state_dict." + tensor.name, "holds a value that is not finite") }
      network.layout.store(values, of: tensor, into: &changed)
    }
    parameters = changed
    var adopted = statistics
    if let statistics {
      adopted?.observations = statistics.observations.capped(at: normalizerCountMax)
      adopted?.replicas = statistics.replicas?.capped(at: normalizerCountMax)
    }
    let report = ModelReport(
      path: path, kind: kind, digest: digest,
      tensors: network.layout.tensors.map {
        ModelReport.Tensor(name: $0.name, shape: $0.shape, isLoaded: !fresh.contains($0.name))
      }, normalizerCount: adopted?.observations.count, normalizerCountInFile: statistics?.observations.count)
    return (report, adopted)
  }

  /// Begins of names, and the keys that such tensors hang on.
  private static let switches = [
    ("feature_proj.0.", "network.input_layer_norm"), ("actor_head.1.", "network.bounded_logits"),
    ("gru.weight_ih_l", "network.hidden and network.gru_layers"), ("feature_proj.1.", "network.projection and the section observation"),
  ]

  /// Names of the tensors that the file may leave out and does.
  private func tensorsLeftOut(_ network: Network) throws(TrainingError) -> [String] {
    var problems: [String] = []
    var missingCritic: [String] = []
    for tensor in network.layout.tensors {
      if let found = tensors.first(where: { $0.name == tensor.name })?.tensor {
        if found.shape != tensor.shape { problems.append("\(tensor.name): the file has \(found.shape), this network has \(tensor.shape)") }
      } else if network.isCriticOnly(tensor) {
        missingCritic.append(tensor.name)
      } else {
        problems.append("\(tensor.name) \(tensor.shape) is missing in the file")
      }
    }
    if !missingCritic.isEmpty, missingCritic.count < network.criticTensors.count {
      problems.append("the critic is there in part only, without " + missingCritic.joined(separator: ", "))
    }
    for (name, tensor) in tensors where network.layout.tensor(named: name) == nil {
      problems.append("\(name) \(tensor.shape) is no tensor of this network")
    }
    guard problems.isEmpty else {
      for (name, key) in Self.switches where problems.contains(where: { $0.hasPrefix(name) }) {
        problems.append("\(name)* hangs on \(key)")
      }
      throw TrainingError(
        .mismatch,
        "\(path) does not fit the configured network (D = \(network.observationSize), A = \(network.actionCount)), nothing was loaded:\n  "
          + problems.joined(separator: "\n  "))
    }
    return missingCritic
  }

  private func checkSchema(_ network: Network, _ slotNames: [String]) throws(TrainingError) {
    guard kind != .reference else { return }
    let schema = try root.group("schema")
    let (size, actions) = (try schema.int("observation_size"), try schema.int("action_count"))
    let block = schema.names.contains("replica_block_size") ? try schema.int("replica_block_size") : 0
    let shape = StatisticsShape(network)
    // A set encoder knows no number of replicas.
    let fits =
      shape.replicaBlockSize > 0
      ? block == shape.replicaBlockSize && size - actions * block == shape.clusterSize
      : block == 0 && size == network.observationSize && actions == network.actionCount
    guard fits else {
      throw TrainingError(
        .mismatch,
        "\(path): made for \(size) observed values and \(actions) actions\(block > 0 ? ", \(block) values a replica" : ""); this configuration "
          + "has \(network.observationSize) and \(network.actionCount)"
          + (shape.replicaBlockSize > 0 ? ", \(shape.replicaBlockSize) values a replica" : ""))
    }
    guard try schema.string("observation_names_sha256") == RunRecord.digest(of: slotNames).hex else {
      throw TrainingError(.mismatch, "\(path): made for an observation of equal size with other features")
    }
  }

  private func statistics(_ network: Network) throws(TrainingError) -> StatisticsSlot? {
    let dimensions = network.observationSize
    guard root.names.contains("normalizer_state") else { return nil }
    let group = try root.group("normalizer_state")
    if kind != .reference { return try StateEncoding(network).observationStatistics(group) }
    let (mean, m2) = (try group.numbers("mean"), try group.numbers("m2"))
    guard mean.count == dimensions, m2.count == dimensions else {
      throw TrainingError(
        .mismatch, "\(path): normalizer_state.mean has \(mean.count) values and m2 \(m2.count), this observation has \(dimensions)")
    }
    guard let statistics = RunningStatistics(count: try group.int("count"), mean: mean, m2: m2) else {
      throw group.error("m2", "is no sum of squares")
    }
    guard StatisticsShape(network).replicaBlockSize == 0 else { return nil }
    var slot = StatisticsSlot(StatisticsShape(network))
    slot.observations = statistics
    return slot
  }
}

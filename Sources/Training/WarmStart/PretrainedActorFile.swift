import Checkpoint
import Hashing
import Neural
import PPO
import RunConfig
import TorchFormat

/// An actor that behaviour cloning made, as a file: the container of a checkpoint with the tensors that the logits depend on, the statistics of
/// the observations they were trained with, and how cloning went. Layout: `docs/formats/pretrained_actor.md`.
public enum PretrainedActorFile {
  /// Value of the entry `kind`.
  static let kind = "pretrained_actor"
  /// Layout of the groups.
  static let formatVersion = 1

  /// What the file says besides the actor.
  public struct Origin: Equatable, Sendable {
    /// Names of the behaviour policies, in the order of the scores.
    public var policies: [String]
    /// Samples and episodes it was cloned from.
    public var samples: Int
    /// Digest of demonstrations and settings; equal recipes give equal files.
    public var recipe: Digest
    /// Version of the program.
    public var programVersion: String
  }

  /// The file's bytes.
  static func encode(
    _ result: CloningResult, network: Network, configuration: Configuration, observationNames: [String], origin: Origin, name: String
  ) throws(TrainingError) -> EncodedCheckpoint {
    let encoding = StateEncoding(network)
    let block = encoding.shape.replicaBlockSize
    let groups: [(String, TorchValue)] = [
      ("kind", .string(kind)), ("format_version", .int(formatVersion)),
      (
        "schema",
        .dictionary(
          [
            ("observation_size", .int(network.observationSize)), ("action_count", .int(network.actionCount)),
            ("observation_names_sha256", .string(RunRecord.digest(of: RunRecord.slotNames(observationNames, encoding.shape)).hex)),
          ] + (block > 0 ? [("replica_block_size", .int(block))] : []))
      ),
      (
        "network",
        .dictionary(Schema.fields(of: "network").map { ($0.key, .string($0.value(in: configuration).compactText())) })
      ),
      ("model_state_dict", .orderedDictionary(encoding.tensors(result.parameters, only: network.actorTensors))),
      (
        "normalizer_state",
        .dictionary(
          [("observation", encoding.statistics(result.statistics.observations))]
            + (result.statistics.replicas.map { [("observation_replica", encoding.statistics($0))] } ?? []))
      ),
      ("cloning", scores(result, origin)), ("recipe_sha256", .string(origin.recipe.hex)),
    ]
    let contents = CheckpointContents(
      step: 0, runID: kind, groups: groups,
      provenance: [("program_version", .string(origin.programVersion)), ("configuration", .string(configuration.resolvedText()))])
    return try CheckpointFailure.wrap { () throws(CheckpointError) in try CheckpointFile.encode(contents, name: name) }
  }

  private static func scores(_ result: CloningResult, _ origin: Origin) -> TorchValue {
    func score(_ score: CloningScore) -> [(String, TorchValue)] {
      [("samples", .int(score.count)), ("loss", .float(score.loss)), ("accuracy", .float(score.accuracy))]
    }
    return .dictionary([
      ("samples", .int(origin.samples)), ("best_epoch", .int(result.best.epoch)),
      ("validation", .dictionary(score(result.best.validation) + [("weighted_loss", .float(result.best.validation.weightedLoss))])),
      (
        "validation_by_policy",
        .dictionary(zip(origin.policies, result.best.validationByPolicy).map { ($0, .dictionary(score($1))) })
      ),
      ("validation_losses", .tensor(TorchTensor(result.epochs.map(\.validation.weightedLoss)))),
      ("validation_accuracies", .tensor(TorchTensor(result.epochs.map(\.validation.accuracy)))),
      ("train_losses", .tensor(TorchTensor(result.epochs.compactMap(\.trainLoss)))),
    ])
  }

  /// The recipe that a file was made by; nil if it is no such file or damaged.
  static func recipe(of bytes: [UInt8], name: String) -> Digest? {
    guard let loaded = try? CheckpointFile.decode(bytes: bytes, name: name), case .string(let text)? = loaded.contents.tree["recipe_sha256"]
    else { return nil }
    return Digest(hex: text)
  }
}

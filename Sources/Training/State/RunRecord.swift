import Checkpoint
import Environments
import Hashing
import Neural
import PPO
import RunConfig
import TorchFormat

/// The version of everything that makes bits: streams, kernels, simulator, order of sums. Raised by any change that alters a result.
public let determinismVersion = 2

/// What a checkpoint says about the run besides its boundary state, and the checks that a resume makes against it.
struct RunRecord: Sendable {
  /// Layout of the groups in a checkpoint. All versions from 1 on are read.
  static let formatVersion = 2

  let configuration: Configuration
  /// Digests of the input files by the key that names them.
  let inputs: [(key: String, digest: Digest)]
  let environmentKind: String
  let observationNames: [String]
  let observationLayout: ObservationLayout
  let encoding: StateEncoding

  /// Contents of a checkpoint of `state`.
  func contents(
    of state: BoundaryState, plan: ChunkPlan, chunkSize: Int, planTotalAtStart: Int, runID: String, offsets: MetricsFiles.Offsets,
    provenance: [(String, TorchValue)]
  ) -> CheckpointContents {
    let groups: [(String, TorchValue)] = [
      ("format_version", .int(Self.formatVersion)), ("determinism_version", .int(determinismVersion)),
      (
        "configuration",
        .dictionary([
          ("frozen", .string(configuration.canonicalText(of: [.frozen]))),
          ("changeable", .string(configuration.canonicalText(of: [.changeable]))),
        ])
      ),
      ("inputs", .dictionary(inputs.map { ($0.key, .string($0.digest.hex)) })),
      ("schema", .dictionary(schema)),
      (
        "plan",
        .dictionary([
          ("chunks", .tensor(TorchTensor(plan.chunkDecisions.map { Int64($0) }))), ("chunk_size", .int(chunkSize)),
          ("num_envs", .int(plan.environmentCount)), ("total_at_start", .int(planTotalAtStart)),
        ])
      ),
    ]
    let notes: [(String, TorchValue)] = [
      ("configuration", .string(configuration.resolvedText())),
      (
        "metrics_offsets",
        .dictionary([
          ("rollouts", .int(offsets.rollouts)), ("updates", .int(offsets.updates)), ("episodes", .int(offsets.episodes)),
          ("evaluations", .int(offsets.evaluations)),
        ])
      ),
    ]
    return CheckpointContents(
      step: state.global.step, runID: runID,
      groups: groups + encoding.groups(of: state, optimizer: hyperparameters(at: state.global, planTotalAtStart: planTotalAtStart)),
      provenance: notes + provenance)
  }

  /// Sizes and names of the observation. The names of a set encoder are those of one replica and of the cluster: they do not say how many
  /// replicas there are.
  private var schema: [(String, TorchValue)] {
    let sizes: [(String, TorchValue)] = [
      ("environment", .string(environmentKind)), ("observation_size", .int(observationNames.count)),
      ("action_count", .int(encoding.actionCount)), ("observation_names_sha256", .string(Self.digest(of: slotNames).hex)),
      ("observation_layout", .string(observationLayout.signature)), ("observation_layout_sha256", .string(layoutDigest.hex)),
    ]
    let block = encoding.shape.replicaBlockSize
    return block > 0 ? sizes + [("replica_block_size", .int(block))] : sizes
  }

  /// Names of the entries that have statistics of their own.
  var slotNames: [String] { Self.slotNames(observationNames, encoding.shape) }

  /// Names of one replica's entries and the cluster's; all names where the observation is taken as a whole.
  static func slotNames(_ names: [String], _ shape: StatisticsShape) -> [String] {
    Array(names[..<shape.replicaBlockSize] + names[(shape.replicaCount * shape.replicaBlockSize)...])
  }

  /// The optimizer's settings at a boundary, with the learning rate of its next step.
  private func hyperparameters(at state: GlobalState, planTotalAtStart: Int) -> OptimizerEncoding.Hyperparameters {
    let ppo = PPOConfiguration(configuration)
    let rate = ppo.learningRate.rate(optimizerStep: state.learner.optimizerStep, step: state.step, planTotal: planTotalAtStart)
    return OptimizerEncoding.Hyperparameters(learningRate: Float(rate), optimizer: ppo.optimizer)
  }

  /// What a checkpoint holds for a resume.
  struct Recorded {
    var state: BoundaryState
    var plan: ChunkPlan
    var planTotalAtStart: Int
    var offsets: MetricsFiles.Offsets
    var determinismVersion: Int
  }

  /// Reads a verified checkpoint. Everything is read before anything is used.
  func read(_ contents: CheckpointContents, file: String) throws(TrainingError) -> Recorded {
    let root = TorchReader(contents.tree, file: file)
    let version = try root.int("format_version")
    guard (1...Self.formatVersion).contains(version) else {
      throw root.error("format_version", "is \(version), this program reads 1 to \(Self.formatVersion)")
    }
    let schema = try root.group("schema")
    let size = try schema.int("observation_size")
    let actions = try schema.int("action_count")
    guard size == encoding.observationSize, actions == encoding.actionCount else {
      let named = try layoutDifferences(schema).map { "\n  " + $0 }.joined()
      throw TrainingError(
        .mismatch,
        "\(file): made for \(size) observed values and \(actions) actions; this configuration has \(encoding.observationSize) and "
          + "\(encoding.actionCount)" + named)
    }
    let block = schema.names.contains("replica_block_size") ? try schema.int("replica_block_size") : 0
    guard block == encoding.shape.replicaBlockSize else {
      throw TrainingError(
        .mismatch, "\(file): made for \(block) observed values a replica, this configuration has \(encoding.shape.replicaBlockSize)")
    }
    let plan = try root.group("plan")
    let environments = try plan.int("num_envs")
    let offsets = try root.group("provenance").group("metrics_offsets")
    let chunks = ChunkPlan(chunkDecisions: try plan.integers("chunks"), environmentCount: environments)
    let state = try encoding.state(from: contents.tree, step: contents.step, environmentCount: environments, file: file, version: version)
    guard environments == configuration.run.numEnvs, state.global.lies(in: chunks) else {
      throw root.error("training_state", "is no position in the plan: chunk \(state.global.chunk), step \(contents.step)")
    }
    return Recorded(
      state: state, plan: chunks,
      planTotalAtStart: try plan.int("total_at_start"),
      offsets: MetricsFiles.Offsets(
        rollouts: try offsets.int("rollouts"), updates: try offsets.int("updates"), episodes: try offsets.int("episodes"),
        evaluations: offsets.names.contains("evaluations") ? try offsets.int("evaluations") : 0),
      determinismVersion: try root.int("determinism_version"))
  }

  /// Compares configuration and inputs with those of a checkpoint. All differences are reported, not the first.
  ///
  /// - Returns: the changes that a start may make, to be logged and recorded.
  /// - Throws: `TrainingError` with `.mismatch` listing every refused difference.
  func check(against contents: CheckpointContents, file: String) throws(TrainingError) -> [ConfigurationDifference] {
    let root = TorchReader(contents.tree, file: file)
    let text = try root.group("provenance").string("configuration")
    let recorded: JSONValue
    do throws(JSONError) {
      recorded = try JSONValue(parsing: text, name: file)
    } catch {
      throw TrainingError(.badData, error.description)
    }
    let differences = configuration.differences(fromRecorded: recorded)
    var refused = differences.filter(\.isRefused).map(\.description)
    let inputGroup = try root.group("inputs")
    for name in inputGroup.names where !inputs.contains(where: { $0.key == name }) { refused.append("\(name): recorded, now not used") }
    for input in inputs {
      let old = inputGroup.names.contains(input.key) ? try inputGroup.string(input.key) : "nothing"
      if old != input.digest.hex { refused.append("\(input.key): content differs: recorded sha256 \(old), now \(input.digest.hex)") }
    }
    let schema = try root.group("schema")
    let different = try layoutDifferences(schema)
    refused += different.map { "observation: " + $0 }
    let names = try schema.string("observation_names_sha256")
    if different.isEmpty, names != Self.digest(of: slotNames).hex {
      refused.append("the observation has other features than the recorded one")
    }
    if !refused.isEmpty {
      throw TrainingError(
        .mismatch, "\(file) belongs to another configuration:\n  " + refused.joined(separator: "\n  "))
    }
    return differences.filter { $0.difference == .changeable || $0.difference == .growing }
  }

  /// What distinguishes the observation from the recorded one; files of before know its names' digest alone.
  private func layoutDifferences(_ schema: TorchReader) throws(TrainingError) -> [String] {
    guard schema.names.contains("observation_layout") else { return [] }
    return observationLayout.differences(fromSignature: try schema.string("observation_layout"))
  }

  /// Identity of the observation without the number of replicas.
  private var layoutDigest: Digest { SHA256.hash([UInt8](observationLayout.signature.utf8)) }

  /// Identity of an observation's layout.
  static func digest(of names: [String]) -> Digest { SHA256.hash([UInt8](names.joined(separator: "\n").utf8)) }
}

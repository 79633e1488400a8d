import Hashing
import Neural
import PPO
import TorchFormat

/// The parts of a checkpoint that hold a `BoundaryState`, as values of a `.pt` file and back.
///
/// Tensors carry the names of the network's modules in logical order, so that any PyTorch program can read them; the panels that the kernels
/// compute on never leave the process.
struct StateEncoding: Sendable {
  let layout: ParameterLayout
  let observationSize: Int
  let actionCount: Int
  let stateSize: Int
  let shape: StatisticsShape

  /// For states of `network`.
  init(_ network: Network) {
    layout = network.layout
    observationSize = network.observationSize
    actionCount = network.actionCount
    stateSize = network.stateSize
    shape = StatisticsShape(network)
  }

  // MARK: Writing

  /// `model_state_dict`, `optimizer_state`, `normalizer_state`, `training_state` and `environments` of a boundary, and `reference_policy`,
  /// `tail_latency` and `collapse` if it has them.
  ///
  /// - Parameter optimizer: told to PyTorch users beside the moments; a function of the configuration and the counters of `state`.
  func groups(of state: BoundaryState, optimizer: OptimizerEncoding.Hyperparameters) -> [(String, TorchValue)] {
    let global = state.global
    var normalizers: [(String, TorchValue)] = [
      ("observation", statistics(global.statistics.observations)), ("return", statistics(global.statistics.returns)),
    ]
    if let replicas = global.statistics.replicas { normalizers.append(("observation_replica", statistics(replicas))) }
    var training: [(String, TorchValue)] = [
      ("chunk", .int(global.chunk)), ("chunk_complete", .bool(global.chunkComplete)), ("iteration", .int(global.iteration)),
      ("episode_count", .int(global.episodeCount)), ("update_count", .int(global.learner.updateCount)),
      ("optimizer_steps", .int(global.learner.optimizerStep)),
      ("non_finite_streak", .int(global.learner.nonFiniteStreak)), ("recent_returns", .tensor(TorchTensor(global.recentReturns))),
    ]
    if global.beganWithStatistics { training.append(("began_with_statistics", .bool(true))) }
    if let target = global.learner.targetKL {
      training += [("target_kl", .float(target)), ("early_stop_streak", .int(global.learner.earlyStopStreak))]
    }
    let groups: [(String, TorchValue)] = [
      ("model_state_dict", .orderedDictionary(tensors(global.learner.parameters))),
      ("optimizer_state", OptimizerEncoding(layout: layout).value(of: global.learner, optimizer)),
      ("normalizer_state", .dictionary(normalizers)), ("training_state", .dictionary(training)),
      ("environments", .list(state.environments.map(environment))),
    ]
    return groups + monitors(of: global)
      + (global.reference.map {
        [("reference_policy", .dictionary([("origin", .string($0.origin)), ("state_dict", .orderedDictionary(tensors($0.parameters)))]))]
      } ?? [])
      + (global.bestEvaluation.map { best in
        [("evaluation_state", .dictionary([("best_objective", .float(best.objective)), ("best_step", .int(best.step))]))]
      } ?? [])
  }

  /// `tensors` (nil: all) of a flat buffer by name.
  func tensors(_ buffer: [Float], only tensors: [ParameterTensor]? = nil) -> [(String, TorchValue)] {
    (tensors ?? layout.tensors).map { ($0.name, .tensor(TorchTensor(layout.logical(of: $0, from: buffer), shape: $0.shape))) }
  }

  /// Count, mean and sum of squares.
  func statistics(_ statistics: RunningStatistics) -> TorchValue {
    .dictionary([
      ("count", .int(statistics.count)), ("mean", .tensor(TorchTensor(statistics.mean))), ("m2", .tensor(TorchTensor(statistics.m2))),
    ])
  }

  private func environment(_ state: EnvironmentState) -> TorchValue {
    let actions = actionCount <= 256 ? state.actions.map { UInt8($0) } : state.actions.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    var members: [(String, TorchValue)] = [
      ("actions", .tensor(TorchTensor(actions, shape: [state.actions.count, actionBytes]))),
      ("digests", .tensor(TorchTensor(state.digests.flatMap(\.bytes), shape: [state.digests.count, Digest.byteCount]))),
      ("policy_state", .tensor(TorchTensor(state.policyState))), ("discounted_return", .float(state.discountedReturn)),
    ]
    // Without recurrence a reference policy has no state to tell its presence by.
    if !state.referenceState.isEmpty { members.append(("reference_state", .tensor(TorchTensor(state.referenceState)))) }
    if let temperature = state.temperature { members.append(("temperature", self.temperature(temperature))) }
    return .dictionary(members)
  }

  /// Bytes of one action in the log.
  private var actionBytes: Int { actionCount <= 256 ? 1 : 2 }

  // MARK: Reading

  /// The boundary in `root`, whose integrity was checked before; a part that is missing or has another shape is refused by name.
  ///
  /// - Parameter version: `format_version` of the file. Version 1 kept the optimizer as `step`, `exp_avg` and `exp_avg_sq` of tensors by name.
  func state(
    from root: TorchValue, step: Int, environmentCount: Int, file: String, version: Int = RunRecord.formatVersion
  ) throws(TrainingError) -> BoundaryState {
    let reader = TorchReader(root, file: file)
    let training = try reader.group("training_state")
    let optimizer = try reader.group("optimizer_state")
    let normalizers = try reader.group("normalizer_state")
    let optimizerStep = version == 1 ? try optimizer.int("step") : try training.int("optimizer_steps")
    let (first, second) =
      version == 1
      ? (try buffer(try optimizer.group("exp_avg")), try buffer(try optimizer.group("exp_avg_sq")))
      : try OptimizerEncoding(layout: layout).moments(optimizer, steps: optimizerStep)
    let hasTarget = training.names.contains("target_kl")
    let learner = LearnerState(
      parameters: try buffer(try reader.group("model_state_dict")), firstMoments: first, secondMoments: second,
      optimizerStep: optimizerStep, updateCount: try training.int("update_count"), nonFiniteStreak: try training.int("non_finite_streak"),
      targetKL: hasTarget ? try training.float("target_kl") : nil,
      earlyStopStreak: hasTarget ? try training.int("early_stop_streak") : 0)
    var slot = try observationStatistics(normalizers)
    slot.returns = try statistics(try normalizers.group("return"), dimensions: 1)
    var global = GlobalState(learner: learner, statistics: slot)
    if training.names.contains("began_with_statistics") { global.beganWithStatistics = try training.bool("began_with_statistics") }
    global.step = step
    global.chunk = try training.int("chunk")
    global.chunkComplete = try training.bool("chunk_complete")
    global.iteration = try training.int("iteration")
    global.episodeCount = try training.int("episode_count")
    global.recentReturns = try training.doubles("recent_returns")
    if reader.names.contains("reference_policy") {
      let reference = try reader.group("reference_policy")
      global.reference = ReferencePolicy(
        parameters: try buffer(try reference.group("state_dict")), origin: try reference.string("origin"))
    }
    try readMonitors(from: reader, into: &global)
    if reader.names.contains("evaluation_state") {
      let evaluation = try reader.group("evaluation_state")
      global.bestEvaluation = BestEvaluation(
        objective: try evaluation.float("best_objective"), step: try evaluation.int("best_step"))
    }
    let environments = try reader.list("environments")
    guard environments.count == environmentCount else {
      throw reader.error("environments", "holds \(environments.count) environments, expected \(environmentCount)")
    }
    var states: [EnvironmentState] = []
    for group in environments { states.append(try environment(group, hasReference: global.reference != nil)) }
    return BoundaryState(global: global, environments: states)
  }

  /// Everything but the returns.
  func observationStatistics(_ normalizers: TorchReader) throws(TrainingError) -> StatisticsSlot {
    var slot = StatisticsSlot(shape)
    slot.observations = try statistics(try normalizers.group("observation"), dimensions: shape.clusterSize)
    if shape.replicaBlockSize > 0 {
      slot.replicas = try statistics(try normalizers.group("observation_replica"), dimensions: shape.replicaBlockSize)
    }
    return slot
  }

  /// The parameters alone, of any file with a `model_state_dict` of this network.
  func parameters(from root: TorchValue, file: String) throws(TrainingError) -> [Float] {
    try buffer(try TorchReader(root, file: file).group("model_state_dict"))
  }

  /// The parameters of a file that may lack the critic's, which are those of `others` then.
  func actorParameters(
    from root: TorchValue, of network: Network, over others: [Float], file: String
  ) throws(TrainingError) -> [Float] {
    let group = try TorchReader(root, file: file).group("model_state_dict")
    var buffer = others
    for tensor in network.actorTensors { layout.store(try group.floats(tensor.name, shape: tensor.shape), of: tensor, into: &buffer) }
    return buffer
  }

  private func buffer(_ group: TorchReader) throws(TrainingError) -> [Float] {
    var buffer = [Float](repeating: 0, count: layout.storedCount)
    let known = Set(layout.tensors.map(\.name))
    for name in group.names where !known.contains(name) { throw group.error(name, "is not a tensor of this network") }
    for tensor in layout.tensors { layout.store(try group.floats(tensor.name, shape: tensor.shape), of: tensor, into: &buffer) }
    return buffer
  }

  /// Reads `statistics(_:)` back.
  func statistics(_ group: TorchReader, dimensions: Int) throws(TrainingError) -> RunningStatistics {
    let mean = try group.doubles("mean")
    let m2 = try group.doubles("m2")
    guard mean.count == dimensions, m2.count == dimensions else {
      throw group.error("mean", "has \(mean.count) dimensions, expected \(dimensions)")
    }
    guard let statistics = RunningStatistics(count: try group.int("count"), mean: mean, m2: m2) else {
      throw group.error("m2", "is no sum of squares")
    }
    return statistics
  }

  private func environment(_ group: TorchReader, hasReference: Bool) throws(TrainingError) -> EnvironmentState {
    let bytes = try group.bytes("actions")
    let actions =
      actionBytes == 1
      ? bytes.map { UInt16($0) } : stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
    let digestBytes = try group.bytes("digests")
    let digests = stride(from: 0, to: digestBytes.count, by: Digest.byteCount).compactMap {
      Digest(bytes: Array(digestBytes[$0..<($0 + Digest.byteCount)]))
    }
    let policyState = try group.floats("policy_state", shape: [stateSize])
    guard actions.allSatisfy({ $0 < actionCount }) else { throw group.error("actions", "holds an action outside 0 ..< \(actionCount)") }
    return EnvironmentState(
      actions: actions, digests: digests, policyState: policyState, discountedReturn: try group.float("discounted_return"),
      referenceState: hasReference && stateSize > 0 ? try group.floats("reference_state", shape: [stateSize]) : [],
      temperature: group.names.contains("temperature") ? try temperature(try group.group("temperature")) : nil)
  }
}

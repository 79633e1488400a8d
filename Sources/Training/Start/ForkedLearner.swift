import Checkpoint
import Neural
import PPO

/// What a new run takes over of a checkpoint of another one.
///
/// Taken over: parameters, both moments and the optimizer's step count (so schedules over optimizer steps go on), statistics of observations and
/// returns, the reference policy. Begun anew: step, plan, chunks, episodes, updates, whatever belongs to environments.
struct ForkedLearner {
  let record: RunRecord
  let network: Network

  /// The first global state of the new run.
  ///
  /// - Throws: `TrainingError` with `.badData` for a file that is no whole checkpoint, `.mismatch` for one of another network or observation.
  func global(of source: StartSource) throws(TrainingError) -> GlobalState {
    let loaded = try CheckpointFailure.wrap { () throws(CheckpointError) in
      try CheckpointFile.decode(bytes: source.bytes, name: source.path)
    }
    let root = TorchReader(loaded.contents.tree, file: source.path)
    guard !root.names.contains("kind") else {
      throw TrainingError(.badData, "\(source.path) is no checkpoint of a run; --external-pretrain begins with a model alone")
    }
    // Names every tensor that does not fit, with both shapes.
    var unused = network.initialParameters(seed: 0)
    _ = try StartingModel(bytes: source.bytes, path: source.path).load(
      into: &unused, of: network, observationNames: record.slotNames, normalizerCountMax: Int.max)
    let recorded = try record.encoding.state(
      from: loaded.contents.tree, step: loaded.contents.step, environmentCount: try root.group("plan").int("num_envs"), file: source.path,
      version: try root.int("format_version")
    ).global
    var learner = recorded.learner
    learner.updateCount = 0
    learner.nonFiniteStreak = 0
    return GlobalState(learner: learner, statistics: recorded.statistics, reference: recorded.reference)
  }
}

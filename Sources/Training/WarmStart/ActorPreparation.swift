import Checkpoint
import FileStore
import Hashing
import PPO
import RunConfig

/// The actor that a run begins with, made by behaviour cloning and kept in the run directory as `pretrained_actor.pt`.
///
/// A job that is killed on the way makes it again, with equal bytes; one that is killed later finds it and does not.
struct ActorPreparation {
  let configuration: Configuration
  let directory: RunDirectory
  let publisher: AtomicPublish
  let collector: DemonstrationCollector?
  let pretraining: Pretraining
  let observationNames: [String]

  /// Collects or reads demonstrations and clones them.
  ///
  /// - Parameters:
  ///   - base: a model that is tuned; nil for drawn parameters.
  ///   - shouldStop: asked often; true ends it with `.stopped`.
  func actor(tuning base: StartSource?, say: (String) -> Void, shouldStop: () -> Bool) throws(TrainingError) -> StartSource {
    let path = directory.pretrainedActor
    let (demonstrations, names) = try demonstrations(shouldStop: shouldStop)
    let digest = DemonstrationFile.digest(demonstrations, names)
    let model = try base.map { base throws(TrainingError) in try StartingModel(bytes: base.bytes, path: base.path) }
    let recipe = pretraining.recipe(demonstrations: digest, base: model)
    if let bytes = try? publisher.files.read(path, limit: CheckpointStore.sizeLimit),
      PretrainedActorFile.recipe(of: bytes, name: path) == recipe
    {
      say("[Pretrain] \(path) is there already, made by the same recipe")
      return StartSource(path: path, isFork: false, bytes: bytes)
    }
    say(
      "[Pretrain] samples=\(demonstrations.count) episodes=\(demonstrations.episodes.count) teacher=\(configuration.warmstart.teacher.rawValue)"
    )
    let encoded = try pretraining.run(
      demonstrations, observationNames: names, demonstrationsDigest: digest, base: model, name: PathName.name(of: path), say: say,
      shouldStop: shouldStop)
    guard let encoded else { throw Self.stopped }
    try FileFailure.wrap { () throws(FileError) in try publisher.replace(path, encoded.bytes) }
    return StartSource(path: path, isFork: false, bytes: encoded.bytes)
  }

  private func demonstrations(shouldStop: () -> Bool) throws(TrainingError) -> (Demonstrations, names: Digest) {
    let file = configuration.warmstart.demonstrations
    if !file.isEmpty {
      let bytes = try FileFailure.wrap { () throws(FileError) in try publisher.files.read(file, limit: CheckpointStore.sizeLimit) }
      let (demonstrations, origin) = try DemonstrationFile.decode(bytes: bytes, name: file)
      return (demonstrations, origin.observationNames)
    }
    guard let collector else {
      throw TrainingError(.usage, "only the environment routing has teachers: give warmstart.model or --external-pretrain")
    }
    guard let demonstrations = try collector.collect(shouldStop: shouldStop) else { throw Self.stopped }
    return (demonstrations, RunRecord.digest(of: observationNames))
  }

  private static let stopped = TrainingError(
    .stopped, "stopped during behaviour cloning, before step 0: the same command begins it again")
}

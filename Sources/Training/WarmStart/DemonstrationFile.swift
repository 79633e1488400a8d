import Checkpoint
import Hashing
import PPO
import TorchFormat

/// What a file of demonstrations says besides the samples.
public struct DemonstrationOrigin: Equatable, Sendable {
  /// Names of the observation's entries under one digest.
  public var observationNames: Digest
  /// Rule that labelled.
  public var teacher: String
  /// Share of the uniform distribution in the targets.
  public var labelSmoothing: Double
  /// Seed of workloads and behaviour.
  public var seed: Int
  /// The configuration in force, every key written out.
  public var configuration: String
  /// Version of the program that collected.
  public var programVersion: String
}

/// Demonstrations as a file: the container of a checkpoint, checksums included, so `inspect`, `diff` and PyTorch read it.
/// Layout: `docs/formats/demonstrations.md`.
public enum DemonstrationFile {
  /// Value of the entry `kind`.
  static let kind = "demonstrations"
  /// Layout of the groups.
  static let formatVersion = 1

  /// The file's bytes.
  ///
  /// - Parameter name: file name.
  public static func encode(_ demonstrations: Demonstrations, origin: DemonstrationOrigin, name: String) throws(TrainingError)
    -> EncodedCheckpoint
  {
    let (N, D, A) = (demonstrations.count, demonstrations.observationSize, demonstrations.actionCount)
    let episodes = demonstrations.episodes
    var (episodeOfSample, timeOfSample): ([Int32], [Int32]) = ([], [])
    var (policyOfSample, scenarioOfSample): ([UInt8], [UInt8]) = ([], [])
    for (number, episode) in episodes.enumerated() {
      for t in 0..<episode.count {
        episodeOfSample.append(Int32(number))
        timeOfSample.append(Int32(t))
        policyOfSample.append(UInt8(episode.policy))
        scenarioOfSample.append(UInt8(episode.scenario))
      }
    }
    let counts = demonstrations.policyCounts
    let groups: [(String, TorchValue)] = [
      ("kind", .string(kind)), ("format_version", .int(formatVersion)),
      (
        "schema",
        .dictionary([
          ("observation_size", .int(D)), ("action_count", .int(A)), ("observation_names_sha256", .string(origin.observationNames.hex)),
        ])
      ),
      (
        "collection",
        .dictionary([
          ("teacher", .string(origin.teacher)), ("label_smoothing", .float(origin.labelSmoothing)), ("seed", .int(origin.seed)),
          ("policies", .list(demonstrations.policies.map { .string($0) })),
          ("scenarios", .list(demonstrations.scenarios.map { .string($0) })), ("samples", .int(N)), ("episodes", .int(episodes.count)),
          ("samples_by_policy", .tensor(TorchTensor(counts.map { Int64($0) }))),
          ("samples_by_action", .tensor(TorchTensor(demonstrations.actionCounts.map { Int64($0) }))),
        ])
      ),
      (
        "samples",
        .dictionary([
          ("obs", .tensor(TorchTensor(demonstrations.observations, shape: [N, D]))),
          ("action", .tensor(TorchTensor(demonstrations.actions.map { Int32($0) }))),
          ("target", .tensor(TorchTensor(demonstrations.targets, shape: [N, A]))),
          ("mask", .tensor(TorchTensor(demonstrations.masks, shape: [N, A]))), ("policy", .tensor(TorchTensor(policyOfSample))),
          ("scenario", .tensor(TorchTensor(scenarioOfSample))), ("episode", .tensor(TorchTensor(episodeOfSample))),
          ("t", .tensor(TorchTensor(timeOfSample))),
        ])
      ),
    ]
    let contents = CheckpointContents(
      step: N, runID: kind, groups: groups,
      provenance: [("program_version", .string(origin.programVersion)), ("configuration", .string(origin.configuration))])
    return try CheckpointFailure.wrap { () throws(CheckpointError) in try CheckpointFile.encode(contents, name: name) }
  }

  /// Digest of what cloning depends on: samples, episodes, layout of the observation.
  public static func digest(_ demonstrations: Demonstrations, _ observationNames: Digest) -> Digest {
    let hasher = SHA256()
    hasher.update(observationNames.bytes)
    for size in [demonstrations.observationSize, demonstrations.actionCount] { hasher.update(Int64(size)) }
    for name in demonstrations.policies { hasher.update(name + "\n") }
    for episode in demonstrations.episodes { for field in [episode.policy, episode.count] { hasher.update(Int64(field)) } }
    hasher.update(demonstrations.observations.span)
    hasher.update(demonstrations.masks)
    hasher.update(demonstrations.targets.span)
    return hasher.finalize()
  }

  /// Reads and verifies.
  ///
  /// - Throws: `TrainingError` with `.badData` naming file, entry and what is wrong with it.
  public static func decode(bytes: [UInt8], name: String) throws(TrainingError) -> (
    demonstrations: Demonstrations, origin: DemonstrationOrigin
  ) {
    let loaded = try CheckpointFailure.wrap { () throws(CheckpointError) in try CheckpointFile.decode(bytes: bytes, name: name) }
    let root = TorchReader(loaded.contents.tree, file: name)
    try root.expect(kind: kind, formatVersion: formatVersion)
    let schema = try root.group("schema")
    let collection = try root.group("collection")
    let provenance = try root.group("provenance")
    guard let names = Digest(hex: try schema.string("observation_names_sha256")) else {
      throw schema.error("observation_names_sha256", "is no SHA-256")
    }
    let origin = DemonstrationOrigin(
      observationNames: names, teacher: try collection.string("teacher"), labelSmoothing: try collection.float("label_smoothing"),
      seed: try collection.int("seed"), configuration: try provenance.string("configuration"),
      programVersion: try provenance.string("program_version"))
    return (try samples(root, schema: schema, collection: collection), origin)
  }

  private static func samples(_ root: TorchReader, schema: TorchReader, collection: TorchReader) throws(TrainingError) -> Demonstrations {
    let (D, A, N) = (try schema.int("observation_size"), try schema.int("action_count"), try collection.int("samples"))
    guard D > 0, A > 0, N > 0 else { throw collection.error("samples", "is \(N), with sizes \(D) and \(A): nothing to learn from") }
    let (policies, scenarios) = (try collection.strings("policies"), try collection.strings("scenarios"))
    let group = try root.group("samples")
    let observations = try group.floats("obs", shape: [N, D])
    let targets = try group.floats("target", shape: [N, A])
    let masks = try group.bytes("mask")
    let actions = try group.int32s("action")
    let policy = try group.bytes("policy")
    let scenario = try group.bytes("scenario")
    let episode = try group.int32s("episode")
    for (name, count) in [
      ("mask", masks.count / A), ("action", actions.count), ("policy", policy.count), ("scenario", scenario.count),
      ("episode", episode.count),
    ] where count != N { throw group.error(name, "has \(count) samples, expected \(N)") }
    var demonstrations = Demonstrations(observationSize: D, actionCount: A, policies: policies, scenarios: scenarios)
    for sample in 0..<N {
      let first = sample == 0 || episode[sample] != episode[sample - 1]
      guard policy[sample] < policies.count, scenario[sample] < scenarios.count else {
        throw group.error("policy", "or scenario of sample \(sample) is not in its list")
      }
      if first { demonstrations.beginEpisode(policy: Int(policy[sample]), scenario: Int(scenario[sample])) }
      let observation = Array(observations[(sample * D)..<((sample + 1) * D)])
      let target = Array(targets[(sample * A)..<((sample + 1) * A)])
      let mask = Array(masks[(sample * A)..<((sample + 1) * A)])
      guard observation.allSatisfy(\.isFinite) else { throw group.error("obs", "of sample \(sample) is not finite") }
      let sum = target.reduce(0, +)
      guard zip(target, mask).allSatisfy({ $0.0 >= 0 && ($0.1 != 0 || $0.0 == 0) }), abs(sum - 1) < 1e-4 else {
        throw group.error("target", "of sample \(sample) is no distribution over the allowed actions: \(target), mask \(mask)")
      }
      guard actions[sample] >= 0, actions[sample] < A else {
        throw group.error("action", "of sample \(sample) is \(actions[sample]), allowed 0 ..< \(A)")
      }
      demonstrations.append(observation: observation, mask: mask, action: Int(actions[sample]), target: target)
    }
    guard demonstrations.episodes.count >= 2 else {
      throw group.error("episode", "has one episode; training and validation need one each")
    }
    return demonstrations
  }
}

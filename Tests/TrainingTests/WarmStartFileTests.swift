import Checkpoint
import Hashing
import Neural
import PPO
import RunConfig
import ServingEnv
import Testing
import TorchFormat

@testable import Training

/// Files of demonstrations, of pretrained actors, and what a run that begins takes out of a model.
@Suite("Files of a warm start")
struct WarmStartFileTests {
  private static let overrides = [
    "warmstart.episodes=2", "warmstart.episode_decisions=40", "warmstart.epochs=2", "warmstart.batch_size=64", "warmstart.patience=2",
  ]

  private func harness(_ overrides: [String] = []) throws -> TrainingHarness { try TrainingHarness(Self.overrides + overrides) }

  private func collect(_ harness: TrainingHarness) throws -> (Demonstrations, DemonstrationOrigin) {
    let environment = try harness.routing()
    let collector = DemonstrationCollector(harness.configuration, routing: environment.configuration)
    return (
      try #require(try collector.collect()),
      collector.origin(harness.configuration, names: environment.observationNames, programVersion: "test")
    )
  }

  private func pretrain(_ harness: TrainingHarness) throws -> EncodedCheckpoint {
    let (demonstrations, origin) = try collect(harness)
    return try #require(
      try Pretraining(harness.configuration, prototype: try harness.routing(), programVersion: "test").run(
        demonstrations, observationNames: origin.observationNames,
        demonstrationsDigest: DemonstrationFile.digest(demonstrations, origin.observationNames),
        base: nil, name: "pretrained_actor.pt", say: { _ in }))
  }

  private func network(_ harness: TrainingHarness) throws -> Network {
    let environment = try harness.routing()
    return Network(
      NetworkConfiguration(harness.configuration.network, replicaBlockSize: environment.replicaBlockSize),
      observationSize: environment.observationSize,
      actionCount: environment.actionCount)
  }

  private func load(_ bytes: [UInt8], into harness: TrainingHarness) throws -> (
    parameters: [Float], report: ModelReport, StatisticsSlot?
  ) {
    let network = try network(harness)
    var parameters = network.initialParameters(seed: 1)
    let (report, statistics) = try StartingModel(bytes: bytes, path: "m.pt").load(
      into: &parameters, of: network,
      observationNames: RunRecord.slotNames(try harness.routing().observationNames, StatisticsShape(network)),
      normalizerCountMax: 100)
    return (parameters, report, statistics)
  }

  /// A file of ours with another tree.
  private func changed(_ encoded: EncodedCheckpoint, _ change: (inout [(String, TorchValue)]) -> Void) throws -> [UInt8] {
    let contents = try CheckpointFile.decode(bytes: encoded.bytes, name: encoded.name).contents
    var groups = contents.groups
    let index = try #require(groups.firstIndex { $0.0 == "model_state_dict" })
    var tensors = try #require(groups[index].1.entries)
    change(&tensors)
    groups[index].1 = .orderedDictionary(tensors)
    return try CheckpointFile.encode(
      CheckpointContents(step: contents.step, runID: contents.runID, groups: groups, provenance: contents.provenance), name: "m.pt"
    ).bytes
  }

  private func refusal(_ bytes: [UInt8], into harness: TrainingHarness) throws -> TrainingError {
    do {
      _ = try load(bytes, into: harness)
    } catch let error as TrainingError {
      return error
    }
    Issue.record("expected a refusal")
    return TrainingError(.finished, "")
  }

  @Test("demonstrations are a function of configuration and seed; their file reads back as they were")
  func demonstrationFile() throws {
    let (demonstrations, origin) = try collect(try harness())
    let scenarios = DemonstrationScenario.table.count
    #expect(demonstrations.count == 3 * scenarios * 2 * 40)
    #expect(demonstrations.policyCounts == [Int](repeating: scenarios * 2 * 40, count: 3))
    let encoded = try DemonstrationFile.encode(demonstrations, origin: origin, name: "d.pt")
    let (read, readOrigin) = try DemonstrationFile.decode(bytes: encoded.bytes, name: "d.pt")
    #expect(read == demonstrations && readOrigin == origin)
    #expect(try DemonstrationFile.encode(try collect(try harness()).0, origin: origin, name: "d.pt") == encoded)
    #expect(try collect(try harness(["run.seed=2"])).0 != demonstrations)
  }

  @Test("the teacher's own actions are among its best, others often are not; a burst burdens one replica")
  func labels() throws {
    let (demonstrations, _) = try collect(try harness())
    var best = [0, 0, 0]
    for episode in demonstrations.episodes {
      for sample in episode.start..<(episode.start + episode.count)
      where demonstrations.isBest(Int(demonstrations.actions[sample]), sample: sample) { best[episode.policy] += 1 }
    }
    let counts = demonstrations.policyCounts
    #expect(best[0] == counts[0])
    #expect(best[1] < counts[1] * 9 / 10)
    let burst = try #require(DemonstrationScenario.table.firstIndex { $0.burstRequests == 8 })
    for episode in demonstrations.episodes where episode.scenario == burst {
      #expect(Set(demonstrations.targets[(episode.start * 2)..<(episode.start * 2 + 2)]).count == 2, "one replica is better at the start")
    }
  }

  @Test("a file of another kind is refused by name, a damaged one too")
  func kinds() throws {
    let actor = try pretrain(try harness())
    #expect(throws: TrainingError.self) { try DemonstrationFile.decode(bytes: actor.bytes, name: "p.pt") }
    var bytes = actor.bytes
    bytes[bytes.count / 2] ^= 1
    let error = try refusal(bytes, into: try harness())
    #expect(error.code == .badData && error.message.contains("m.pt"))
    let (demonstrations, origin) = try collect(try harness())
    let wrong = try refusal(try DemonstrationFile.encode(demonstrations, origin: origin, name: "d.pt").bytes, into: try harness())
    #expect(wrong.code == .badData && wrong.message.contains("demonstrations"))
  }

  @Test("equal seeds give equal files; the actor is loaded tensor by tensor, the critic stays drawn, the normaliser is capped")
  func pretrainedActor() throws {
    let harness = try harness()
    let encoded = try pretrain(harness)
    #expect(try pretrain(harness).bytes == encoded.bytes)
    let network = try network(harness)
    let (parameters, report, statistics) = try load(encoded.bytes, into: harness)
    #expect(report.kind == .pretrainedActor)
    #expect(report.tensors.filter(\.isLoaded).map(\.name) == network.actorTensors.map(\.name))
    #expect(!network.actorTensors.isEmpty && report.tensors.count == network.layout.tensors.count)
    let fresh = network.initialParameters(seed: 1)
    for tensor in network.layout.tensors {
      let same = network.layout.logical(of: tensor, from: parameters) == network.layout.logical(of: tensor, from: fresh)
      #expect(same == network.isCriticOnly(tensor), "\(tensor.name)")
    }
    let adopted = try #require(statistics)
    #expect(adopted.observations.count == 100 && (report.normalizerCountInFile ?? 0) > 100)
    #expect(report.lines.count == 1 + network.layout.tensors.count)
  }

  @Test("a network of another width is refused with both shapes of every tensor, nothing is loaded")
  func shapes() throws {
    let encoded = try pretrain(try harness())
    let error = try refusal(encoded.bytes, into: try harness(["network.hidden=32"]))
    #expect(error.code == .mismatch)
    for part in ["gru.weight_ih_l0", "[48, 16]", "[96, 32]", "actor_head.0.weight"] { #expect(error.message.contains(part), "\(error)") }
    #expect(try refusal(encoded.bytes, into: try harness(["observation.queue_slots=2"])).code == .mismatch)
    let features = try refusal(encoded.bytes, into: try harness(["cluster.num_replicas=3"]))
    #expect(features.code == .mismatch && features.message.contains("3"))
  }

  @Test("a missing actor tensor, half a critic, and a tensor that nobody knows are refused by name")
  func parts() throws {
    let harness = try harness()
    let encoded = try pretrain(harness)
    let missing = try refusal(try changed(encoded) { $0.removeAll { $0.0 == "actor_head.0.bias" } }, into: harness)
    #expect(missing.code == .mismatch && missing.message.contains("actor_head.0.bias [2] is missing"))
    let partial = try refusal(
      try changed(encoded) { $0.append(("critic_head.bias", .tensor(TorchTensor([0 as Float])))) }, into: harness)
    #expect(partial.code == .mismatch && partial.message.contains("critic_head.weight"))
    let unknown = try refusal(try changed(encoded) { $0.append(("extra", .tensor(TorchTensor([0 as Float])))) }, into: harness)
    #expect(unknown.code == .mismatch && unknown.message.contains("extra [1] is no tensor"))
    let nothing = try refusal(try changed(encoded) { $0 = [] }, into: harness)
    #expect(nothing.code == .mismatch)
    let infinite = try refusal(
      try changed(encoded) {
        for index in $0.indices where $0[index].0 == "actor_head.0.bias" {
          $0[index].1 = .tensor(TorchTensor([Float.nan, 0]))
        }
      }, into: harness)
    #expect(infinite.message.contains("actor_head.0.bias") && infinite.message.contains("not finite"))
  }

  @Test("a checkpoint of a run is a model too: actor, critic and normaliser")
  func checkpoint() throws {
    let harness = try harness()
    #expect(try harness.run(ranks: 1, options: JobOptions(outputDirectory: "run", maxChunks: 1)) == .success(.stopped))
    let loaded = try harness.checkpoint()
    let (_, report, statistics) = try load(loaded.bytes, into: harness)
    #expect(report.kind == .checkpoint && report.tensors.allSatisfy(\.isLoaded))
    #expect(statistics?.observations.count == 100)
  }

  @Test("an actor of a set encoder serves another number of replicas")
  func setEncoder() throws {
    let overrides = ["network.architecture=set_encoder", "network.set_width=16"]
    let encoded = try pretrain(try harness(overrides))
    let (_, report, statistics) = try load(encoded.bytes, into: try harness(overrides + ["cluster.num_replicas=3"]))
    #expect(report.tensors.contains { $0.isLoaded } && report.tensors.contains { !$0.isLoaded && $0.name.hasPrefix("value") })
    #expect(statistics?.replicas?.count == 100)
    let other = try refusal(encoded.bytes, into: try harness(overrides + ["observation.queue_slots=2"]))
    #expect(other.code == .mismatch && other.message.contains("values a replica"))
  }
}

import Checkpoint
import Neural
import PPO
import RunConfig
import Testing

@testable import Training

/// Runs that begin with a model: exact, recorded, and never by half.
@Suite("Beginnings")
struct BeginningTests {
  private static let warm = [
    "warmstart.episodes=2", "warmstart.episode_decisions=30", "warmstart.epochs=2", "warmstart.batch_size=64",
  ]

  private func failure(_ result: Result<ExitCode, TrainingError>) throws -> TrainingError {
    guard case .failure(let error) = result else {
      Issue.record("expected a failure, got \(result)")
      throw TrainingError(.finished, "")
    }
    return error
  }

  private func options(_ request: StartRequest, directory: String = "run", maxChunks: Int? = nil) -> JobOptions {
    JobOptions(outputDirectory: directory, request: request, maxChunks: maxChunks)
  }

  private func origin(_ harness: TrainingHarness) throws -> RunOrigin {
    let text = String(decoding: try harness.files.read("run/run.json", limit: 1 << 20), as: UTF8.self)
    return try #require(RunOrigin(identity: try JSONValue(parsing: text)))
  }

  /// A harness on whose disk `/model.pt` is the end of another run.
  private func withModel(_ overrides: [String] = []) throws -> (harness: TrainingHarness, bytes: [UInt8]) {
    let other = try TrainingHarness()
    #expect(try other.run(ranks: 1) == .success(.finished))
    let bytes = try other.checkpoint().bytes
    let harness = try TrainingHarness(overrides)
    try harness.files.createDirectory("models")
    let file = try harness.files.open("models/model.pt", create: true)
    try file.append(bytes)
    return (harness, bytes)
  }

  @Test("a warm-started run has the same bits on one rank, on three, and however often it is stopped")
  func warmStartIsExact() throws {
    let request = StartRequest()
    let overrides = Self.warm + ["warmstart.enabled=true"]
    let whole = try TrainingHarness(overrides)
    #expect(try whole.run(ranks: 1, options: options(request)) == .success(.finished))
    #expect(try origin(whole).kind == .warmstart)
    let cold = try TrainingHarness(Self.warm)
    #expect(try cold.run(ranks: 1) == .success(.finished))
    #expect(try cold.fingerprint != whole.fingerprint)
    let parallel = try TrainingHarness(overrides)
    #expect(try parallel.run(ranks: 3, options: options(request)) == .success(.finished))
    #expect(try parallel.fingerprint == whole.fingerprint)
    let stopped = try TrainingHarness(overrides)
    #expect(try stopped.runToEnd(ranks: [2, 1, 3], polls: 170, options: options(request)) > 2)
    #expect(try stopped.fingerprint == whole.fingerprint)
  }

  @Test("paths and save settings do not reach the state of a warm-started run")
  func freeKeys() throws {
    let overrides = Self.warm + ["warmstart.enabled=true"]
    let one = try TrainingHarness(overrides)
    let other = try TrainingHarness(overrides + ["checkpoint.interval=70", "checkpoint.max_checkpoints=9"])
    #expect(try one.run(ranks: 1) == .success(.finished))
    #expect(try other.run(ranks: 1) == .success(.finished))
    #expect(try one.checkpoint().contents["reference_policy", "origin"] != nil)
    #expect(try other.fingerprint == one.fingerprint)
  }

  @Test("a job stopped while it clones says so, writes no run, and the next one begins again with the same bits")
  func stoppedWhileCloning() throws {
    let overrides = Self.warm + ["warmstart.enabled=true"]
    let harness = try TrainingHarness(overrides)
    let error = try failure(try harness.run(ranks: 2, stop: StopAfter(polls: 3)))
    #expect(error.code == .stopped && error.message.contains("behaviour cloning"))
    #expect(try !harness.files.exists("run/training_progress.json"))
    #expect(try harness.run(ranks: 2) == .success(.finished))
    let whole = try TrainingHarness(overrides)
    #expect(try whole.run(ranks: 1) == .success(.finished))
    #expect(try harness.fingerprint == whole.fingerprint)
    #expect(
      try harness.files.read("run/pretrained_actor.pt", limit: 1 << 30) == whole.files.read("run/pretrained_actor.pt", limit: 1 << 30))
  }

  @Test("step 0 of a warm-started run holds the pretrained actor, a drawn critic and capped statistics")
  func stepZero() throws {
    let harness = try TrainingHarness(Self.warm + ["warmstart.normalizer_count_max=50", "checkpoint.max_checkpoints=20"])
    #expect(try harness.run(ranks: 1, options: options(StartRequest(mode: .warmstart))) == .success(.finished))
    let zero = try harness.checkpoint(step: 0).contents
    let actor = try CheckpointFile.decode(bytes: try harness.files.read("run/pretrained_actor.pt", limit: 1 << 30), name: "p.pt").contents
    let tensors = try #require(actor["model_state_dict"]?.entries)
    #expect(!tensors.isEmpty)
    for (name, value) in tensors { #expect(zero["model_state_dict", name] == value, "\(name)") }
    #expect(zero["normalizer_state", "observation", "count"] == .int(50))
    #expect(zero["normalizer_state", "observation", "mean"] == actor["normalizer_state", "observation", "mean"])
    let cold = try TrainingHarness(["checkpoint.max_checkpoints=20"])
    #expect(try cold.run(ranks: 1) == .success(.finished))
    let coldZero = try cold.checkpoint(step: 0).contents
    #expect(zero["model_state_dict", "critic_head.weight"] == coldZero["model_state_dict", "critic_head.weight"])
  }

  @Test("a model from elsewhere: actor, critic and statistics are taken, the optimizer is not")
  func external() throws {
    let (harness, bytes) = try withModel(["checkpoint.max_checkpoints=20"])
    let request = StartRequest(externalModel: "models/model.pt")
    #expect(try harness.run(ranks: 2, options: options(request, maxChunks: 1)) == .success(.stopped))
    let zero = try harness.checkpoint(step: 0).contents
    let model = try CheckpointFile.decode(bytes: bytes, name: "m.pt").contents
    #expect(zero["model_state_dict"] == model["model_state_dict"])
    #expect(zero["normalizer_state", "observation"] == model["normalizer_state", "observation"])
    #expect(zero["training_state", "optimizer_steps"] == .int(0))
    #expect(try origin(harness).kind == .external)
    // The same command goes on, with the file gone, too.
    try harness.files.unlink("models/model.pt")
    #expect(try harness.run(ranks: 1, options: options(request)) == .success(.finished))
    #expect(try harness.progress.attempts == 2)
    // Another model on the same directory is ambiguous, and nothing is touched.
    let before = harness.files.allNames
    let error = try failure(try harness.run(ranks: 1, options: options(StartRequest(externalModel: "models/other.pt"))))
    #expect(error.code == .usage && error.message.contains("--start resume"))
    #expect(harness.files.allNames == before)
  }

  @Test("a run that begins with statistics out of a file takes no random actions first, and a resume inside the first chunk knows")
  func stabilisation() throws {
    func first(_ harness: TrainingHarness, _ request: StartRequest) throws -> [Int?] {
      #expect(try harness.runToEnd(ranks: [2, 1], polls: 120, options: options(request)) > 2)
      let line = try #require(try harness.lines("rollouts").first)
      #expect(try harness.lines("rollouts").dropFirst().allSatisfy { $0["stabilization"]?.intValue == 0 })
      return [line["stabilization"]?.intValue, line["decisions"]?.intValue]
    }
    let overrides = ["checkpoint.interval=60"]
    #expect(try first(try TrainingHarness(Self.warm + overrides), StartRequest()) == [1, 20])
    #expect(try first(try TrainingHarness(Self.warm + overrides + ["warmstart.enabled=true"]), StartRequest()) == [0, 75])
    #expect(try first(try withModel(overrides).harness, StartRequest(externalModel: "models/model.pt")) == [0, 75])
    let (fork, _) = try withModel(overrides)
    #expect(try first(fork, StartRequest(forkFrom: "models/model.pt")) == [0, 75])
    #expect(try fork.checkpoint().contents["training_state", "began_with_statistics"] == .bool(true))
    let fresh = try TrainingHarness()
    #expect(try fresh.run(ranks: 1) == .success(.finished))
    #expect(try fresh.checkpoint().contents["training_state", "began_with_statistics"] == nil)
  }

  @Test("a model that is tuned first ends elsewhere than one that is not")
  func finetune() throws {
    let (direct, _) = try withModel(Self.warm)
    #expect(try direct.run(ranks: 1, options: options(StartRequest(externalModel: "models/model.pt"))) == .success(.finished))
    let (tuned, _) = try withModel(Self.warm)
    let request = StartRequest(externalModel: "models/model.pt", externalMode: .finetune)
    #expect(try tuned.run(ranks: 1, options: options(request)) == .success(.finished))
    #expect(try tuned.fingerprint != direct.fingerprint)
    #expect(try tuned.files.exists("run/pretrained_actor.pt"))
    #expect(try origin(tuned).externalMode == .finetune)
  }

  @Test("a model that does not fit ends the job before anything is moved; --allow-fresh-start begins fresh and says so")
  func doesNotFit() throws {
    let (harness, _) = try withModel(["network.hidden=32"])
    #expect(try harness.run(ranks: 1, options: JobOptions(outputDirectory: "run", maxChunks: 1)) == .success(.stopped))
    let before = harness.files.allNames
    var request = StartRequest(mode: .external, externalModel: "models/model.pt")
    let error = try failure(try harness.run(ranks: 2, options: options(request)))
    #expect(error.code == .mismatch && error.message.contains("[48, 16]") && error.message.contains("[96, 32]"))
    #expect(harness.files.allNames.filter { !$0.contains("run.lock") } == before.filter { !$0.contains("run.lock") })
    request.allowsFreshStart = true
    #expect(try harness.run(ranks: 2, options: options(request)) == .success(.finished))
    #expect(try origin(harness).kind == .fresh)
    let fresh = try TrainingHarness(["network.hidden=32"])
    #expect(try fresh.run(ranks: 1) == .success(.finished))
    #expect(try harness.fingerprint == fresh.fingerprint)
    let log = String(decoding: try harness.files.read("run/logs/ppo_training.log", limit: 1 << 20), as: UTF8.self)
    #expect(log.contains("[Warning]") && log.contains("drawn parameters"))
  }

  @Test("a missing model is exit 66, a damaged one 65")
  func unreadable() throws {
    let (harness, _) = try withModel()
    #expect(try failure(try harness.run(ranks: 1, options: options(StartRequest(externalModel: "models/none.pt")))).code == .missingInput)
    harness.files.corrupt("models/model.pt") { $0[$0.count / 2] ^= 1 }
    #expect(try failure(try harness.run(ranks: 1, options: options(StartRequest(externalModel: "models/model.pt")))).code == .badData)
  }

  @Test("a fork takes learner and statistics over, counts from 0, and may have other chunks and environments")
  func fork() throws {
    let overrides = ["run.chunk_size=200", "run.num_envs=4", "checkpoint.max_checkpoints=20", "ppo.learning_rate=0.0001"]
    let (harness, bytes) = try withModel(overrides)
    let request = StartRequest(forkFrom: "models/model.pt")
    #expect(try harness.run(ranks: 2, options: options(request)) == .success(.finished))
    let zero = try harness.checkpoint(step: 0).contents
    let source = try CheckpointFile.decode(bytes: bytes, name: "m.pt").contents
    for group in ["model_state_dict", "normalizer_state"] { #expect(zero[group] == source[group], "\(group)") }
    #expect(zero["optimizer_state", "state"] == source["optimizer_state", "state"])
    #expect(zero["training_state", "optimizer_steps"] == source["training_state", "optimizer_steps"])
    #expect(zero["training_state", "update_count"] == .int(0))
    #expect(zero.step == 0 && source.step == 600)
    let origin = try origin(harness)
    #expect(origin.kind == .fork && origin.forkedRunID == source.runID && origin.forkedStep == 600)
    #expect(try harness.progress.plan.chunkDecisions == [200, 200, 200])
    // Exact like any other run.
    let (again, _) = try withModel(overrides)
    #expect(try again.runToEnd(ranks: [1, 4], polls: 150, options: options(request)) > 2)
    #expect(try again.fingerprint == harness.fingerprint)
  }

  @Test("--resume with an older checkpoint puts newer ones aside and ends with the same bits")
  func olderCheckpoint() throws {
    let harness = try TrainingHarness(["checkpoint.max_checkpoints=20"])
    #expect(try harness.run(ranks: 1) == .success(.finished))
    let expected = try harness.fingerprint
    let steps = try harness.checkpointSteps
    let middle = try #require(steps.first { $0 > 100 && $0 < 500 })
    let request = StartRequest(mode: .resume, resumeFrom: CheckpointFile.name(step: middle))
    #expect(try harness.run(ranks: 2, options: options(request)) == .success(.finished))
    #expect(try harness.fingerprint == expected)
    #expect(harness.files.allNames.contains { $0.contains("superseded-run-1-after-\(middle)/") })
  }

  @Test("a question at the terminal is asked until it is answered by name")
  func question() throws {
    let (prepared, _) = try withModel()
    #expect(try prepared.run(ranks: 1, options: JobOptions(outputDirectory: "run", maxChunks: 1)) == .success(.stopped))
    let request = options(StartRequest(externalModel: "models/model.pt"))
    let before = prepared.files.allNames

    var harness = TrainingHarness(prepared)
    harness.answers = ["maybe", "quit"]
    #expect(try harness.run(ranks: 1, options: request) == .success(.finished))
    #expect(harness.files.allNames.filter { !$0.contains("run.lock") } == before.filter { !$0.contains("run.lock") })

    harness = TrainingHarness(prepared)
    harness.answers = ["resume"]
    #expect(try harness.run(ranks: 1, options: request) == .success(.finished))
    #expect(try harness.progress.attempts == 2)
    #expect(try origin(harness).kind == .fresh)

    harness = TrainingHarness(prepared)
    harness.answers = ["direct"]
    #expect(try harness.run(ranks: 1, options: request) == .success(.finished))
    #expect(try origin(harness).kind == .external)

    harness = TrainingHarness(prepared)
    harness.answers = []
    #expect(try failure(try harness.run(ranks: 1, options: request)).code == .usage)
    // Two ranks are never asked.
    harness.answers = ["resume", "resume"]
    #expect(try failure(try harness.run(ranks: 2, options: request)).code == .usage)
  }
}

import Checkpoint
import FileStore
import RunConfig
import Testing

@testable import Training

/// What a start makes of what it finds. Nothing begins from scratch by accident, and a refusal changes nothing.
@Suite("Start")
struct StartTests {
  private func half() throws -> TrainingHarness {
    let harness = try TrainingHarness()
    #expect(try harness.run(ranks: 1, options: JobOptions(outputDirectory: "run", maxChunks: 1)) == .success(.stopped))
    return harness
  }

  private func failure(_ result: Result<ExitCode, TrainingError>) throws -> TrainingError {
    guard case .failure(let error) = result else {
      Issue.record("expected a failure, got \(result)")
      throw TrainingError(.finished, "")
    }
    return error
  }

  @Test("a finished run started again does nothing and writes nothing")
  func finished() throws {
    let harness = try TrainingHarness()
    #expect(try harness.run(ranks: 2) == .success(.finished))
    harness.files.arm(nil)
    #expect(try harness.run(ranks: 2) == .success(.finished))
    let operations = harness.files.log.map { $0.split(separator: " ")[1] }
    #expect(!operations.isEmpty && operations.allSatisfy { $0 == "read" || $0 == "list" }, "\(harness.files.log)")
  }

  @Test("resume in an empty directory is refused")
  func nothingToResume() throws {
    let harness = try TrainingHarness()
    let error = try failure(try harness.run(ranks: 2, options: JobOptions(outputDirectory: "run", start: .resume)))
    #expect(error.code == .missingInput)
  }

  @Test("a corrupt progress file is refused and stays as it is", arguments: ["", "{", "{\"format_version\": 2}", "[]"])
  func corruptProgress(text: String) throws {
    let harness = try half()
    harness.files.corrupt("run/training_progress.json") { $0 = [UInt8](text.utf8) }
    let error = try failure(try harness.run(ranks: 1))
    #expect(error.code == .badData)
    #expect(error.message.contains("training_progress.json"))
    #expect(try harness.files.read("run/training_progress.json", limit: 1000) == [UInt8](text.utf8))
  }

  @Test("a lost progress file beside checkpoints is refused, not begun over")
  func lostProgress() throws {
    let harness = try half()
    try harness.files.unlink("run/training_progress.json")
    #expect(try failure(try harness.run(ranks: 1)).code == .badData)
  }

  @Test("a damaged newest checkpoint falls back to the one before, and the end is the same")
  func fallback() throws {
    let whole = try TrainingHarness()
    #expect(try whole.run(ranks: 1) == .success(.finished))
    let harness = try half()
    let newest = try harness.files.readLink("run/checkpoints/latest.pt")
    harness.files.corrupt("run/checkpoints/" + newest) { $0[$0.count / 2] ^= 4 }
    #expect(try harness.run(ranks: 1) == .success(.finished))
    #expect(try harness.fingerprint == whole.fingerprint)
  }

  @Test("a checkpoint newer than the record is where a run goes on, also with a changed key")
  func newerThanRecord() throws {
    var harness = try TrainingHarness()
    #expect(try harness.run(ranks: 1, stop: StopAfter(polls: 260)) == .success(.stopped))
    let before = try harness.files.read("run/training_progress.json", limit: 1 << 20)
    let step = try harness.progress.latestStep
    #expect(try harness.run(ranks: 1, options: JobOptions(outputDirectory: "run", maxChunks: 1)) == .success(.stopped))
    // As if the job had been killed between publishing the chunk's end and recording it.
    harness.files.corrupt("run/training_progress.json") { $0 = before }
    harness.configuration.ppo.learningRate = 1e-4
    #expect(try harness.run(ranks: 1) == .success(.finished))
    #expect(step < 300)
    #expect(try harness.progress.changes.first?.step == 300)
    #expect(try harness.progress.record(1)?.status == .completed)
  }

  @Test("a finished run whose last checkpoint is damaged is not finished: it repeats the end")
  func finishedButDamaged() throws {
    let harness = try TrainingHarness()
    #expect(try harness.run(ranks: 1) == .success(.finished))
    let expected = try harness.fingerprint
    harness.files.corrupt("run/checkpoints/checkpoint_step_00000600.pt") { $0[100] ^= 1 }
    #expect(try harness.run(ranks: 2) == .success(.finished))
    #expect(try harness.fingerprint == expected)
  }

  @Test("a finished run with another configuration is refused")
  func finishedButDifferent() throws {
    var harness = try TrainingHarness()
    #expect(try harness.run(ranks: 1) == .success(.finished))
    harness.configuration.reward.alpha = 0.5
    #expect(try failure(try harness.run(ranks: 1)).code == .mismatch)
  }

  @Test("a metrics file that lost its tail is refused with its name")
  func lostMetrics() throws {
    let harness = try half()
    harness.files.corrupt("run/metrics/updates.jsonl") { $0.removeLast(10) }
    let error = try failure(try harness.run(ranks: 1))
    #expect(error.code == .badData && error.message.contains("updates.jsonl"))
  }

  @Test("no whole checkpoint left: exit 65, nothing touched")
  func noneLeft() throws {
    let harness = try half()
    for name in try harness.files.list("run/checkpoints") where name.hasPrefix("checkpoint_step") {
      harness.files.corrupt("run/checkpoints/" + name) { $0.removeLast() }
    }
    let before = harness.files.allNames
    let error = try failure(try harness.run(ranks: 2))
    #expect(error.code == .badData)
    #expect(error.message.contains("nothing was changed"))
    #expect(harness.files.allNames == before)
  }

  @Test("frozen keys that differ are refused, all of them named; changeable ones are applied and recorded")
  func differences() throws {
    var harness = try half()
    let original = harness.configuration
    harness.configuration.run.seed = 9
    harness.configuration.rollout.length = 8
    let error = try failure(try harness.run(ranks: 1))
    #expect(error.code == .mismatch)
    #expect(error.message.contains("run.seed") && error.message.contains("rollout.length"))

    harness.configuration = original
    harness.configuration.ppo.learningRate = 1e-4
    #expect(try harness.run(ranks: 1) == .success(.finished))
    let change = try #require(try harness.progress.changes.first)
    #expect(change.key == "ppo.learning_rate" && change.step == 300 && change.new.doubleValue == 1e-4)
  }

  @Test("a greater total appends chunks")
  func extending() throws {
    var harness = try TrainingHarness()
    #expect(try harness.run(ranks: 1) == .success(.finished))
    harness.configuration.run.totalRequests = 900
    #expect(try harness.run(ranks: 2) == .success(.finished))
    #expect(try harness.progress.plan.chunkDecisions == [300, 300, 300])
    #expect(try harness.progress.latestStep == 900)
  }

  @Test("more ranks than environments: exit 64 with both numbers")
  func tooManyRanks() throws {
    let error = try failure(try TrainingHarness().run(ranks: 6))
    #expect(error.code == .usage)
    #expect(error.message.contains("6 ranks") && error.message.contains("5 environments"))
  }

  @Test("a full disk ends every rank with 74 and the run goes on afterwards")
  func diskFull() throws {
    let whole = try TrainingHarness()
    #expect(try whole.run(ranks: 1) == .success(.finished))
    let harness = try TrainingHarness()
    harness.files.arm(.failFrom(at: 60, code: ErrorCode.noSpace))
    #expect(try failure(try harness.run(ranks: 3)).code == .inputOutput)
    harness.files.arm(nil)
    #expect(try harness.run(ranks: 2) == .success(.finished))
    #expect(try harness.fingerprint == whole.fingerprint)
  }

  @Test("a replay that does not repeat the recorded digests is refused with environment and iteration")
  func replayMismatch() throws {
    let harness = try TrainingHarness()
    #expect(try harness.run(ranks: 1, stop: StopAfter(polls: 200)) == .success(.stopped))
    // The same checkpoint with one recorded action changed, and resealed: what a changed simulator would look like.
    let name = try harness.files.readLink("run/checkpoints/latest.pt")
    let loaded = try CheckpointFile.decode(bytes: try harness.files.read("run/checkpoints/" + name, limit: 1 << 30), name: name)
    let changed = try CheckpointFile.encode(loaded.contents.changingFirstAction())
    harness.files.corrupt("run/checkpoints/" + name) { $0 = changed.bytes }
    let error = try failure(try harness.run(ranks: 2))
    #expect(error.code == .mismatch)
    #expect(error.message.contains("environment 0, iteration 0"))
  }
}

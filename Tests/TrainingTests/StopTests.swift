import FileStore
import Synchronization
import Testing

@testable import Training

/// Ways to stop a job besides a signal, and saving on request.
@Suite("Stops")
struct StopTests {
  private func options(_ deadlines: [StopDeadline] = []) -> JobOptions { JobOptions(outputDirectory: "run", deadlines: deadlines) }

  private func log(_ harness: TrainingHarness) throws -> String {
    String(decoding: try harness.files.read("run/logs/ppo_training.log", limit: 1 << 20), as: UTF8.self)
  }

  @Test("every reason survives the way between ranks, and has a name of its own")
  func words() {
    let reasons: [StopReason] = [
      .signal(10), .signal(12), .signal(15), .signal(2), .signal(-1), .maxChunks, .stopFile, .timeBudget, .jobEnd,
    ]
    for reason in reasons { #expect(StopReason(word: reason.word) == reason) }
    #expect(StopReason(word: 0) == nil)
    let names = reasons.map(\.name)
    #expect(Set(names).count == names.count && names.prefix(4) == ["signal USR1", "signal USR2", "signal TERM", "signal INT"])
  }

  @Test("a file named STOP stops one job and is gone then; the next one goes on to the same end", arguments: [1, 3])
  func stopFile(ranks: Int) throws {
    let harness = try TrainingHarness()
    _ = try harness.run(ranks: 1, stop: StopAfter(polls: 200))
    try harness.files.createFile("run/STOP", [])
    #expect(try harness.run(ranks: ranks) == .success(.stopped))
    #expect(try harness.progress.stopReason == "stop_file")
    #expect(try !harness.files.exists("run/STOP"))
    #expect(try harness.run(ranks: ranks) == .success(.finished))
    let whole = try TrainingHarness()
    _ = try whole.run(ranks: 1)
    #expect(try harness.fingerprint == whole.fingerprint)
  }

  @Test("a STOP that comes too late does not stop the extension of a complete run")
  func lateStopFile() throws {
    let harness = try TrainingHarness()
    let result = try harness.run(
      ranks: 1,
      duringRun: { line, files in
        if line.hasPrefix("[Chunk] 2 of 2") { try? files.createFile("run/STOP", []) }
      })
    #expect(result == .success(.finished))
    #expect(try !harness.files.exists("run/STOP"))
  }

  @Test("a deadline stops with its own reason; one that lies ahead does not", arguments: [StopReason.timeBudget, .jobEnd])
  func deadline(reason: StopReason) throws {
    let harness = try TrainingHarness()
    // The clock of the harness stands at 0.
    #expect(try harness.run(ranks: 2, options: options([StopDeadline(at: 0, reason: reason)])) == .success(.stopped))
    #expect(try harness.progress.stopReason == reason.name)
    #expect(try log(harness).contains("[Stop] reason=\(reason.name)"))
    #expect(try harness.run(ranks: 2, options: options([StopDeadline(at: 1, reason: reason)])) == .success(.finished))
  }

  @Test("a stop during the replay of a chunk's begin ends at once, changes nothing, and is the reason on every rank", arguments: [1, 2, 5])
  func duringReplay(ranks: Int) throws {
    let harness = try TrainingHarness()
    #expect(try harness.run(ranks: 1, stop: StopAfter(polls: 250)) == .success(.stopped))
    let before = try harness.checkpoint()
    #expect(before.contents["training_state", "chunk_complete"] == .bool(false))
    let files = try harness.files.list("run/checkpoints")
    #expect(try harness.run(ranks: ranks, stop: StopAfter(polls: 1)) == .success(.stopped))
    #expect(try harness.checkpoint().stateDigest == before.stateDigest)
    #expect(try harness.files.list("run/checkpoints") == files)
    #expect(try harness.progress.stopReason == "signal USR1" && harness.progress.latestStep == before.contents.step)
    #expect(try harness.run(ranks: ranks) == .success(.finished))
    let whole = try TrainingHarness()
    _ = try whole.run(ranks: 1)
    #expect(try harness.fingerprint == whole.fingerprint)
  }

  @Test("a request to save publishes the last boundary before it is due and changes no result", arguments: [1, 2])
  func early(ranks: Int) throws {
    let whole = try TrainingHarness(["checkpoint.interval=5000"])
    _ = try whole.run(ranks: 1)
    let harness = try TrainingHarness(["checkpoint.interval=5000", "checkpoint.max_checkpoints=100"])
    let polls = Atomic(0)
    // Rank 0 drives five environments or two: 160 or 64 polls lead into the third iteration.
    let moment = ranks == 1 ? 160 : 64
    #expect(
      try harness.run(ranks: ranks, saveRequested: { polls.add(1, ordering: .relaxed).newValue == moment }) == .success(.finished))
    #expect(try harness.fingerprint == whole.fingerprint)
    let steps = try harness.checkpointSteps
    #expect(steps.count == 4, "\(steps): the start, two chunk ends and one on request")
  }
}

import FileStore
import TestSupport
import Testing

@testable import Training

/// Saves beside training, and on a disk that is full for a while.
@Suite("Saves")
struct SaveTests {
  static let forms: [[String]] = [
    ["checkpoint.interval=40", "checkpoint.asynchronous=true"], ["checkpoint.interval=40", "checkpoint.asynchronous=false"],
  ]

  private func tree(_ harness: TrainingHarness) -> [String] { harness.files.allNames }

  @Test("saves on the writer and in place leave the same bits and the same files", arguments: [1, 3])
  func places(ranks: Int) throws {
    let beside = try TrainingHarness(Self.forms[0])
    let inPlace = try TrainingHarness(Self.forms[1])
    #expect(try beside.run(ranks: ranks) == .success(.finished))
    #expect(try inPlace.run(ranks: 1) == .success(.finished))
    #expect(try beside.fingerprint == inPlace.fingerprint)
    #expect(tree(beside) == tree(inPlace))
    #expect(
      try beside.checkpointSteps.map { try beside.checkpoint(step: $0).stateDigest }
        == inPlace.checkpointSteps.map {
          try inPlace.checkpoint(step: $0).stateDigest
        })
    #expect(try beside.progress.chunks.map(\.stateSHA256) == inPlace.progress.chunks.map(\.stateSHA256))
  }

  @Test("a disk that is full for a while costs nothing: training goes on, the save is tried again, the end is the same", arguments: forms)
  func fullForAWhile(overrides: [String]) throws {
    let whole = try TrainingHarness(overrides)
    #expect(try whole.run(ranks: 1) == .success(.finished))
    var harness = try TrainingHarness(overrides)
    // A few iterations pass between two tries.
    harness.clock = TickingClock(secondsPerTick: 0.02)
    let full = FaultAfterFirstSave(.failWithin(1...30, code: ErrorCode.quota))
    #expect(try harness.run(ranks: 2, duringRun: full.look) == .success(.finished))
    #expect(try harness.fingerprint == whole.fingerprint)
    let warnings = harness.said.all.filter { $0.hasPrefix("[Warning] checkpoint") }
    #expect(!warnings.isEmpty && warnings.allSatisfy { $0.contains("EDQUOT (disk quota exceeded)") && $0.contains("run/") }, "\(warnings)")
    #expect(warnings.contains { $0.contains(" bytes at step ") }, "\(warnings)")
    // A full disk may cost lines and files of the log, which nothing is read from.
    func result(_ harness: TrainingHarness) -> [String] { tree(harness).filter { !$0.hasPrefix("run/logs/") } }
    #expect(result(harness) == result(whole))
  }

  @Test("a chunk end that cannot be saved ends every rank with 74 after several tries")
  func chunkEnd() throws {
    let harness = try TrainingHarness(["checkpoint.interval=100000"])
    let full = FaultAfterFirstSave(.failFrom(at: 1, code: ErrorCode.noSpace))
    guard case .failure(let error) = try harness.run(ranks: 3, duringRun: full.look) else { return #expect(Bool(false), "it ended well") }
    #expect(error.code == .inputOutput)
    #expect(error.message.contains("the end of chunk 1") && error.message.contains("in 10 tries"), "\(error.message)")
    #expect(error.message.contains("ENOSPC") && error.message.contains("run/"))
  }

  @Test("a full disk does not hold up a stop; the next job goes on from the newest checkpoint")
  func stop() throws {
    let whole = try TrainingHarness()
    #expect(try whole.run(ranks: 1) == .success(.finished))
    let harness = try TrainingHarness()
    let full = FaultAfterFirstSave(.failFrom(at: 1, code: ErrorCode.noSpace))
    #expect(try harness.run(ranks: 2, stop: StopAfter(polls: 200), duringRun: full.look) == .success(.stopped))
    harness.files.arm(nil)
    #expect(try harness.run(ranks: 2) == .success(.finished))
    #expect(try harness.fingerprint == whole.fingerprint)
  }

  @Test("a lock that was lost ends the job with 73 at the next save and the progress file is left alone", arguments: forms)
  func lost(overrides: [String]) throws {
    let harness = try TrainingHarness(overrides)
    let files = harness.files
    #expect(try harness.run(ranks: 1, options: JobOptions(outputDirectory: "run", maxChunks: 1)) == .success(.stopped))
    let other = LockRecord(
      owner: ProcessIdentity(host: "other", bootID: "b", pidNamespace: "", pid: 7, startTicks: 7), jobID: "", since: "", fencing: 9)
    let polls = StopAfter(polls: nil)
    // One rank: then this poll is rank 0's, inside its first rollout, and no write that the check of ownership let through is under way.
    polls.atPoll(20) {
      files.corrupt("run/run.lock") { $0 = other.bytes }
      files.corrupt("run/training_progress.json") { $0 = Array("theirs".utf8) }
    }
    guard case .failure(let error) = try harness.run(ranks: 1, stop: polls) else { return #expect(Bool(false), "it ended well") }
    #expect(error.code == .outputUnusable && error.message.contains("other"), "\(error)")
    #expect(try files.read("run/training_progress.json", limit: 100) == Array("theirs".utf8))
  }
}

/// Arms a fault once a job has said that the state of step 0 is saved: from then on training must not depend on the disk.
private final class FaultAfterFirstSave: Sendable {
  private let fault: InMemoryFileSystem.Fault

  init(_ fault: InMemoryFileSystem.Fault) { self.fault = fault }

  var look: @Sendable (String, InMemoryFileSystem) -> Void {
    { [fault] line, files in if line.hasPrefix("[Checkpoint] saved") && line.contains(" step=0 ") { files.arm(fault) } }
  }
}

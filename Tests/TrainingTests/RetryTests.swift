import Checkpoint
import FileStore
import TestSupport
import Testing

@testable import Training

/// What a start refuses before it begins, and what a dry run says.
@Suite("Before a job begins")
struct RetryTests {
  private static let oneChunk = JobOptions(outputDirectory: "run", maxChunks: 1)

  private func options(retry: Bool = false, dryRun: Bool = false) -> JobOptions {
    var options = JobOptions(outputDirectory: "run")
    options.retry = retry
    options.isDryRun = dryRun
    return options
  }

  private func failure(_ result: Result<ExitCode, TrainingError>) throws -> TrainingError {
    guard case .failure(let error) = result else {
      Issue.record("expected a failure, got \(result)")
      throw TrainingError(.finished, "")
    }
    return error
  }

  /// A run with one chunk done whose further checkpoints do not fit on the disk.
  private func stuck() throws -> TrainingHarness {
    let harness = try TrainingHarness(["checkpoint.interval=100000"])
    #expect(try harness.run(ranks: 1, options: Self.oneChunk) == .success(.stopped))
    harness.files.arm(.failPath(containing: "checkpoint_step", code: ErrorCode.noSpace))
    return harness
  }

  @Test("three failed starts without a new durable step: the fourth is refused with 70, the reason is in the progress file, --retry clears")
  func fruitless() throws {
    let harness = try stuck()
    for starts in 1...3 {
      #expect(try failure(try harness.run(ranks: 2)).code == .inputOutput)
      #expect(try harness.progress.fruitlessStarts == starts)
    }
    harness.files.arm(nil)
    let attempts = try harness.progress.attempts
    for _ in 1...2 {
      let error = try failure(try harness.run(ranks: 2))
      #expect(error.code == .internalError && error.message.contains("3 starts") && error.message.contains("--retry"))
      #expect(try harness.progress.errorMessage == error.message && error.message.contains("ENOSPC"))
      #expect(try harness.progress.attempts == attempts)
    }
    #expect(try harness.run(ranks: 2, options: options(retry: true)) == .success(.finished))
    #expect(try harness.progress.fruitlessStarts == 0 && harness.progress.errorMessage == nil)
  }

  @Test("starts that were stopped do not count, and a new durable step begins the count again")
  func counted() throws {
    let harness = try stuck()
    for _ in 1...2 { #expect(try failure(try harness.run(ranks: 1)).code == .inputOutput) }
    for _ in 1...3 { #expect(try harness.run(ranks: 1, stop: StopAfter(polls: 60)) == .success(.stopped)) }
    #expect(try harness.progress.fruitlessStarts == 2)
    harness.files.arm(nil)
    #expect(try harness.run(ranks: 1, stop: StopAfter(polls: 120)) == .success(.stopped))
    #expect(try harness.progress.fruitlessStarts == 0)
  }

  @Test("a dry run reads and prints decision, plan and disk, and writes nothing")
  func dryRun() throws {
    let harness = try TrainingHarness()
    #expect(try harness.run(ranks: 3, options: options(dryRun: true)) == .success(.finished))
    #expect(harness.files.allNames.isEmpty)
    #expect(harness.said.all.map { $0.prefix { $0 != " " } } == ["[Fresh]", "[Plan]", "[Disk]"], "\(harness.said.all)")
    #expect(try harness.run(ranks: 1, options: Self.oneChunk) == .success(.stopped))
    harness.files.arm(nil)
    #expect(try harness.run(ranks: 2, options: options(dryRun: true)) == .success(.finished))
    let kinds = harness.files.log.map { $0.split(separator: " ")[1] }
    #expect(!kinds.isEmpty && kinds.allSatisfy { ["read", "list", "size"].contains($0) }, "\(kinds)")
    #expect(harness.said.all.contains { $0.hasPrefix("[Resume]") && $0.contains("step=300 ") })
  }

  @Test("the estimate covers every checkpoint of the run and is no more than half above")
  func estimate() throws {
    let harness = try TrainingHarness(["checkpoint.interval=20", "checkpoint.max_checkpoints=100"])
    #expect(try harness.run(ranks: 1) == .success(.finished))
    let sizes = try harness.checkpointSteps.map { try #require(try harness.files.size("run/checkpoints/" + CheckpointFile.name(step: $0))) }
    let line = try #require(harness.said.all.first { $0.hasPrefix("[Disk]") })
    let largest = try #require(sizes.max())
    let field = try #require(line.split(separator: " ").first { $0.hasPrefix("checkpoint=") })
    let kilobytes = try #require(Double(field.dropFirst("checkpoint=".count).dropLast("kB".count)))
    #expect(kilobytes * 1000 >= Double(largest) - 100 && kilobytes * 1000 <= 1.5 * Double(largest), "\(line), largest \(largest)")
  }

  @Test("a disk without room for two checkpoints is refused with 74 and both figures before anything is begun")
  func noRoom() throws {
    let harness = try TrainingHarness()
    harness.files.setAvailable(10_000)
    let error = try failure(try harness.run(ranks: 2))
    #expect(
      error.code == .inputOutput && error.message.contains("10000 bytes available") && error.message.contains("2 checkpoints"), "\(error)")
    #expect(harness.files.allNames == ["run/run.lock"])
    harness.files.setAvailable(1 << 30)
    #expect(try harness.run(ranks: 2) == .success(.finished))
  }

  @Test("time stamps that stand still, go back, or jump by a day change no choice and no bit", arguments: [0.0, 86_400])
  func clocks(secondsPerTick: Double) throws {
    let whole = try TrainingHarness()
    #expect(try whole.run(ranks: 1) == .success(.finished))
    var harness = try TrainingHarness()
    harness.clock = TickingClock(secondsPerTick: secondsPerTick)
    for day in ["2030-01-02", "2030-01-01", "1999-12-31", "1999-12-31"] {
      harness.timestamp = { "\(day)T00:00:00Z" }
      _ = try harness.run(ranks: 2, stop: StopAfter(polls: 200))
    }
    while try harness.run(ranks: 1, stop: StopAfter(polls: 400)) != .success(.finished) {}
    #expect(try harness.fingerprint == whole.fingerprint)
  }

  @Test("rotation leaves checkpoints of other runs, damaged ones and other files alone and does not count them")
  func foreign() throws {
    let harness = try TrainingHarness(["checkpoint.interval=40"])
    let other = try TrainingHarness(["run.seed=5"])
    #expect(try other.run(ranks: 1) == .success(.finished))
    #expect(try harness.run(ranks: 1, options: Self.oneChunk) == .success(.stopped))
    // Of another run, and with a later step than this run will ever have.
    var contents = try other.checkpoint().contents
    contents = CheckpointContents(step: 9000, runID: "another", groups: contents.groups, provenance: contents.provenance)
    try harness.files.createFile("run/checkpoints/" + CheckpointFile.name(step: 9000), CheckpointFile.encode(contents).bytes)
    try harness.files.createFile("run/checkpoints/" + CheckpointFile.name(step: 7), Array("damaged".utf8))
    try harness.files.createFile("run/checkpoints/notes.txt", [])
    #expect(try harness.run(ranks: 1) == .success(.finished))
    #expect(try harness.checkpointSteps.contains(9000) && harness.checkpointSteps.contains(7))
    #expect(try harness.files.exists("run/checkpoints/notes.txt"))
    let ours = try harness.checkpointSteps.filter { $0 != 9000 && $0 != 7 }
    #expect(ours.count == 2 && ours.last == 600, "\(ours)")
  }

  @Test("with one checkpoint kept, latest.pt leads to a whole file after every operation of a job")
  func one() throws {
    let harness = try TrainingHarness(CrashSweepTests.configuration + ["checkpoint.max_checkpoints=1"])
    #expect(try harness.run(ranks: 1, options: Self.oneChunk) == .success(.stopped))
    let probe = TrainingHarness(harness)
    #expect(try probe.run(ranks: 1) == .success(.finished))
    for k in 1...probe.files.operationCount {
      let crashed = TrainingHarness(harness)
      crashed.files.arm(.crash(at: k))
      _ = try crashed.run(ranks: 1)
      crashed.files.recover(.everything)
      #expect(throws: Never.self, "crash at \(k)") { _ = try crashed.checkpoint() }
    }
    #expect(try probe.checkpointSteps == [30])
  }
}

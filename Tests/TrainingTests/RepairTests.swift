import Checkpoint
import FileStore
import RunConfig
import Testing

@testable import Training

/// `verify`, `repair` and `--on-resume-error`: what is damaged is named, what is lost comes back, nothing is overwritten.
@Suite("Verification and repair")
struct RepairTests {
  /// A run inside its second chunk.
  private func half() throws -> TrainingHarness {
    let harness = try TrainingHarness()
    #expect(try harness.run(ranks: 1, options: JobOptions(outputDirectory: "run", maxChunks: 1)) == .success(.stopped))
    #expect(try harness.run(ranks: 1, stop: StopAfter(polls: 250)) == .success(.stopped))
    #expect(try harness.progress.latestStep > 300)
    return harness
  }

  private func publisher(_ harness: TrainingHarness) -> AtomicPublish { AtomicPublish(files: harness.files, host: "h", pid: 9) }

  private func verify(_ harness: TrainingHarness) throws -> RunVerification {
    try RunVerification(run: RunDirectory(root: "run"), publisher: publisher(harness))
  }

  private func problems(_ verification: RunVerification) -> [String] {
    verification.items.compactMap { item in item.problem.map { "\(item.file): \($0)" } }
  }

  private func repair(_ harness: TrainingHarness, runID: String? = nil) throws -> RunRepair.Outcome {
    let services = RunServices(
      monotonicSeconds: { 0 }, wait: { _ in true }, timestamp: { "2000-01-02T00:00:00Z" }, stopRequested: { nil }, log: { _ in },
      process: ProcessIdentity(host: "host", bootID: "boot", pidNamespace: "", pid: 4_000_001, startTicks: 1), job: nil,
      programVersion: "test", newRunID: { "run-2" })
    return try RunRepair(directory: RunDirectory(root: "run"), publisher: publisher(harness), services: services).run(runID: runID)
  }

  @Test("a whole run is whole, and the checkpoint a resume takes is the one it takes")
  func whole() throws {
    let harness = try half()
    let before = harness.files.allNames
    let verification = try verify(harness)
    #expect(problems(verification) == [] && verification.resumeNote == nil)
    #expect(try verification.resumesFrom == harness.progress.latestCheckpoint)
    #expect(
      verification.items.map(\.file).suffix(7) == [
        "checkpoints/latest.pt", "training_progress.json", "run.json", "metrics/rollouts.jsonl", "metrics/updates.jsonl",
        "metrics/episodes.jsonl", "metrics/evaluations.jsonl",
      ])
    #expect(harness.files.allNames == before)
  }

  @Test("each damaged file is named with what is wrong")
  func damaged() throws {
    let harness = try half()
    let newest = try #require(try harness.checkpointSteps.last)
    let older = try #require(try harness.checkpointSteps.first)
    harness.files.corrupt("run/checkpoints/" + CheckpointFile.name(step: newest)) { $0[$0.count / 2] ^= 1 }
    harness.files.corrupt("run/metrics/updates.jsonl") { $0 = Array($0.prefix(5)) }
    let verification = try verify(harness)
    let found = problems(verification)
    #expect(found.count == 3, "\(found)")
    #expect(found[0].hasPrefix("checkpoints/\(CheckpointFile.name(step: newest)): ") && found[0].contains("SHA-256 differs"))
    #expect(found[1].hasPrefix("checkpoints/latest.pt: points to \(CheckpointFile.name(step: newest)), which is not whole"))
    #expect(found[2].hasPrefix("metrics/updates.jsonl: has 5 bytes"))
    #expect(verification.resumesFrom == "checkpoints/" + CheckpointFile.name(step: older))
    #expect(verification.resumeNote?.contains(CheckpointFile.name(step: newest)) == true)
  }

  @Test("a whole checkpoint under another's name and one with another state than recorded are named")
  func misplaced() throws {
    let harness = try half()
    let steps = try harness.checkpointSteps
    let other = try harness.files.read("run/checkpoints/" + CheckpointFile.name(step: steps[0]), limit: 1 << 30)
    harness.files.corrupt("run/checkpoints/" + CheckpointFile.name(step: steps[1])) { $0 = other }
    #expect(try problems(verify(harness)) == ["checkpoints/\(CheckpointFile.name(step: steps[1])): holds step \(steps[0])"])
  }

  @Test("damaged newer and recorded checkpoints are both named when a start falls back")
  func bothNamed() throws {
    let harness = try half()
    let steps = try harness.checkpointSteps
    let record = try harness.files.read("run/training_progress.json", limit: 1 << 20)
    harness.files.corrupt("run/checkpoints/" + CheckpointFile.name(step: steps[1])) { $0.removeLast(1) }
    try harness.files.createFile("run/checkpoints/" + CheckpointFile.name(step: 599), Array("torn".utf8))
    let note = try #require(try verify(harness).resumeNote)
    for name in [
      CheckpointFile.name(step: 599), CheckpointFile.name(step: steps[1]), "resuming from \(CheckpointFile.name(step: steps[0]))",
    ] {
      #expect(note.contains(name), "\(note)")
    }
    #expect(try harness.files.read("run/training_progress.json", limit: 1 << 20) == record)
  }

  @Test("repair of a whole run does nothing")
  func nothingToDo() throws {
    let harness = try half()
    let before = try harness.files.read("run/training_progress.json", limit: 1 << 20)
    #expect(try repair(harness) == .nothingToDo)
    #expect(try harness.files.read("run/training_progress.json", limit: 1 << 20) == before)
  }

  @Test("a lost and a damaged progress file are made anew, and the run ends with the same bits", arguments: ["lost", "damaged"])
  func repaired(how: String) throws {
    let undisturbed = try TrainingHarness()
    #expect(try undisturbed.run(ranks: 2) == .success(.finished))
    let harness = try half()
    let progress = try harness.progress
    if how == "lost" {
      try harness.files.unlink("run/training_progress.json")
    } else {
      harness.files.corrupt("run/training_progress.json") { $0[40] ^= 1 }
    }
    #expect(try verify(harness).resumeNote?.contains("repair") == true)
    guard case .rebuilt(let rebuilt, _, let kept) = try repair(harness) else {
      Issue.record("not repaired")
      return
    }
    #expect(kept == (how == "lost" ? nil : "run/training_progress.json.damaged"))
    #expect(rebuilt.runID == progress.runID && rebuilt.plan == progress.plan && rebuilt.latestStep == progress.latestStep)
    #expect(rebuilt.latestStateSHA256 == progress.latestStateSHA256 && rebuilt.attempts == progress.attempts)
    #expect(rebuilt.completedChunks == 1 && rebuilt.nextChunk == 2 && rebuilt.chunks.map(\.status) == [.completed, .interrupted])
    #expect(problems(try verify(harness)) == [])
    #expect(try harness.run(ranks: 2) == .success(.finished))
    #expect(try harness.fingerprint == undisturbed.fingerprint)
  }

  @Test("repair without one whole checkpoint is refused and changes nothing")
  func noneWhole() throws {
    let harness = try half()
    try harness.files.unlink("run/training_progress.json")
    for step in try harness.checkpointSteps {
      harness.files.corrupt("run/checkpoints/" + CheckpointFile.name(step: step)) { $0[77] ^= 1 }
    }
    let before = harness.files.allNames
    #expect {
      try repair(harness)
    } throws: {
      ($0 as? TrainingError)?.code == .badData
    }
    #expect(harness.files.allNames == before)
  }

  @Test("checkpoints of two runs without an identity: the run must be named")
  func twoRuns() throws {
    let harness = try half()
    let steps = try harness.checkpointSteps
    let contents = try harness.checkpoint(step: steps[0]).contents
    let other = CheckpointContents(
      step: steps[0], runID: "other", groups: contents.groups, provenance: contents.provenance)
    let bytes = try CheckpointFile.encode(other).bytes
    harness.files.corrupt("run/checkpoints/" + CheckpointFile.name(step: steps[0])) { $0 = bytes }
    try harness.files.unlink("run/training_progress.json")
    try harness.files.unlink("run/run.json")
    #expect {
      try repair(harness)
    } throws: {
      "\($0)".contains("--run-id") && "\($0)".contains("other") && "\($0)".contains("run-1")
    }
    guard case .rebuilt(let progress, _, _) = try repair(harness, runID: "run-1") else {
      Issue.record("not repaired")
      return
    }
    #expect(progress.latestStep == steps[1])
  }

  @Test(
    "a run that cannot be gone on with is moved aside by --on-resume-error fresh, and kept", arguments: ["checkpoints", "progress", "key"])
  func onResumeError(what: String) throws {
    var harness = try half()
    let fresh = try TrainingHarness(what == "key" ? ["reward.alpha=0.5"] : [])
    switch what {
    case "checkpoints":
      for step in try harness.checkpointSteps {
        harness.files.corrupt("run/checkpoints/" + CheckpointFile.name(step: step)) { $0[77] ^= 1 }
      }
    case "progress": harness.files.corrupt("run/training_progress.json") { $0[40] ^= 1 }
    default: harness.configuration = fresh.configuration
    }
    let before = harness.files.allNames
    let contents = try before.filter { $0.hasSuffix(".pt") && !$0.hasSuffix("latest.pt") }.map {
      try harness.files.read($0, limit: 1 << 30)
    }
    guard case .failure(let error) = try harness.run(ranks: 2) else {
      Issue.record("the resume was to fail")
      return
    }
    #expect(error.code == (what == "key" ? .mismatch : .badData) && harness.files.allNames == before)
    #expect(try harness.run(ranks: 2, options: JobOptions(outputDirectory: "run", onResumeError: .fresh)) == .success(.finished))
    #expect(try fresh.run(ranks: 1) == .success(.finished))
    #expect(try harness.fingerprint == fresh.fingerprint)
    let folder = "run/checkpoints/superseded-" + (what == "progress" ? "unknown" : "run-1")
    let moved = harness.files.allNames.filter { $0.hasPrefix(folder + "/") }
    #expect(
      try moved.filter { $0.hasSuffix(".pt") && !$0.hasSuffix("latest.pt") }.map { try harness.files.read($0, limit: 1 << 30) } == contents)
    #expect(moved.contains(folder + "/training_progress.json") && moved.contains(folder + "/metrics/updates.jsonl"))
    let log = String(decoding: try harness.files.read("run/logs/ppo_training.log", limit: 1 << 20), as: UTF8.self)
    #expect(
      log.contains("[PPO:checkpoint] Failed to load checkpoint: ") && log.contains("[PPO:checkpoint] Continuing with fresh training state"))
  }

  @Test("a crash while a run is moved aside loses no checkpoint, and the next fresh start goes through")
  func crashWhileMoving() throws {
    let base = try half()
    func checkpoints(_ harness: TrainingHarness) throws -> [[UInt8]] {
      try harness.files.allNames.filter { $0.contains("/checkpoint_step_") }.map { try harness.files.read($0, limit: 1 << 30) }
    }
    let old = try checkpoints(base)
    let options = JobOptions(outputDirectory: "run", start: .fresh)
    var crashes = 0
    for operation in 1...60 {
      let harness = TrainingHarness(base)
      harness.files.arm(.crash(at: operation))
      guard case .failure = try harness.run(ranks: 1, options: options, stop: StopAfter(polls: 0)) else { continue }
      crashes += 1
      harness.files.recover(operation % 2 == 0 ? .everything : .syncedOnly)
      let left = try checkpoints(harness)
      #expect(old.allSatisfy { left.contains($0) }, "a checkpoint is gone after a crash at \(operation)")
      guard operation % 10 == 0 else { continue }
      #expect(try harness.run(ranks: 1, options: options) == .success(.finished), "operation \(operation)")
      let kept = try checkpoints(harness)
      #expect(old.allSatisfy { kept.contains($0) })
    }
    #expect(crashes > 30)
  }
}

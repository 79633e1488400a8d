import FileStore
import TestSupport
import Testing

@testable import Training

/// A job that is cut off at every single file operation, from taking the lock to releasing it: metrics, checkpoint, link, progress, rotation.
@Suite("Crash sweep")
struct CrashSweepTests {
  /// What the power cut leaves of what was not synced.
  enum Loss: CaseIterable {
    case nothing
    case everythingUnsynced
    case contentsOnly
    case anySubset
  }

  static let configuration = [
    "run.environment=cartpole", "network.architecture=mlp", "network.mlp_hidden=[8]", "run.total_requests=30", "run.chunk_size=10",
    "run.num_envs=2", "rollout.length=5", "rollout.stabilization_decisions=0", "ppo.epochs=1", "ppo.minibatch_size=8",
    "checkpoint.interval=1000000", "checkpoint.max_checkpoints=2", "checkpoint.asynchronous=false",
  ]
  static let oneChunk = JobOptions(outputDirectory: "run", maxChunks: 1)

  @Test(
    "crash after operation k, for every k, whatever subset of the unsynced changes survives: the run ends as an undisturbed one",
    arguments: Loss.allCases)
  func everyOperation(loss: Loss) throws {
    let base = try TrainingHarness(Self.configuration)
    #expect(try base.run(ranks: 1, options: Self.oneChunk) == .success(.stopped))
    let whole = TrainingHarness(base)
    #expect(try whole.run(ranks: 1) == .success(.finished))
    let expected = try whole.fingerprint
    let probe = TrainingHarness(base)
    #expect(try probe.run(ranks: 1, options: Self.oneChunk) == .success(.stopped))
    let count = probe.files.operationCount
    #expect(count > 60)
    for k in 1...count {
      for seed in 0..<(loss == .anySubset ? 4 : 1) {
        var harness = TrainingHarness(base)
        // Torn locks are waited for: the clock must go on.
        harness.clock = TickingClock(secondsPerTick: 1)
        harness.files.arm(.crash(at: k))
        _ = try harness.run(ranks: 1, options: Self.oneChunk)
        let log = harness.files.log.suffix(3)
        switch loss {
        case .nothing: harness.files.recover(.everything)
        case .everythingUnsynced: harness.files.recover(.syncedOnly)
        case .contentsOnly: harness.files.recover(.namesWithoutContent)
        case .anySubset: harness.files.recover(subset: UInt64(k * 16 + seed))
        }
        let result = try harness.run(ranks: 1)
        #expect(result == .success(.finished), "\(loss), seed \(seed), crash at \(k) of \(count): \(log)")
        guard result == .success(.finished) else { continue }
        #expect(try harness.fingerprint == expected, "\(loss), seed \(seed), crash at \(k) of \(count): \(log)")
        #expect(try harness.checkpointSteps == [20, 30], "\(loss), seed \(seed), crash at \(k)")
        #expect(harness.files.allNames.allSatisfy { !$0.contains(".tmp-") && !$0.contains(".claim-") }, "\(harness.files.allNames)")
      }
    }
  }
}

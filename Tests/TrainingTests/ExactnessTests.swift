import Checkpoint
import FileStore
import Testing

@testable import Training

/// One result for every number of ranks and every history of stops: state digests and metrics files are compared bit for bit.
@Suite("Exactness")
struct ExactnessTests {
  static let environments = [
    [], ["run.environment=cartpole", "network.architecture=mlp", "network.mlp_hidden=[16,16]"],
    ["run.environment=cartpole", "observation.normalize=false", "reward.normalize=false", "rollout.stabilization_decisions=0"],
  ]

  @Test("1, 2, 3 and 5 ranks end with the same bits", arguments: environments)
  func ranks(overrides: [String]) throws {
    let single = try TrainingHarness(overrides)
    #expect(try single.run(ranks: 1) == .success(.finished))
    let expected = try single.fingerprint
    for ranks in [2, 3, 5] {
      let harness = try TrainingHarness(overrides)
      #expect(try harness.run(ranks: ranks) == .success(.finished))
      #expect(try harness.fingerprint == expected, "\(ranks) ranks")
    }
  }

  @Test("with the update's sums in four shards, 1 and 3 ranks end with the same bits, others than with one shard")
  func shards() throws {
    let plain = try TrainingHarness()
    let single = try TrainingHarness(["update.shards=4"])
    let ranks = try TrainingHarness(["update.shards=4"])
    #expect(try plain.run(ranks: 1) == .success(.finished))
    #expect(try single.run(ranks: 1) == .success(.finished))
    #expect(try ranks.run(ranks: 3) == .success(.finished))
    #expect(try ranks.fingerprint == single.fingerprint)
    // The digest holds the key itself; the metrics hold results alone.
    #expect(try single.fingerprint[2] != plain.fingerprint[2])
  }

  @Test("a run stopped every so many polls, on changing numbers of ranks, ends as an undisturbed one", arguments: environments)
  func stops(overrides: [String]) throws {
    let whole = try TrainingHarness(overrides)
    #expect(try whole.run(ranks: 1) == .success(.finished))
    let expected = try whole.fingerprint
    for polls in [150, 233, 421] {
      let harness = try TrainingHarness(overrides)
      let jobs = try harness.runToEnd(ranks: [1, 3, 2], polls: polls)
      #expect(jobs > 1, "the stop never came")
      #expect(try harness.fingerprint == expected, "stopped every \(polls) polls, \(jobs) jobs")
    }
  }

  @Test("one job of all chunks equals one job a chunk")
  func chunks() throws {
    let whole = try TrainingHarness()
    #expect(try whole.run(ranks: 1) == .success(.finished))
    let harness = try TrainingHarness()
    let options = JobOptions(outputDirectory: "run", maxChunks: 1)
    #expect(try harness.run(ranks: 2, options: options) == .success(.stopped))
    #expect(try harness.progress.stopReason == "max_chunks")
    #expect(try harness.run(ranks: 1, options: options) == .success(.finished))
    #expect(try harness.fingerprint == whole.fingerprint)
  }

  @Test("a crash after any file operation leaves a run that ends as an undisturbed one")
  func crashes() throws {
    let whole = try TrainingHarness()
    #expect(try whole.run(ranks: 1) == .success(.finished))
    let expected = try whole.fingerprint
    let operations = whole.files.operationCount
    // Every operation is crashed at in turn over the strides of several test runs; the offset spreads them over the kinds of operations.
    for k in stride(from: 3, to: operations, by: max(1, operations / 23)) {
      let harness = try TrainingHarness()
      harness.files.arm(.crash(at: k))
      _ = try harness.run(ranks: 1)
      harness.files.recover(k % 2 == 0 ? .everything : .syncedOnly)
      let result = try harness.run(ranks: 1)
      #expect(result == .success(.finished), "crash after operation \(k)")
      guard result == .success(.finished) else { continue }
      #expect(try harness.fingerprint == expected, "crash after operation \(k) of \(operations)")
    }
  }

  @Test("another seed is another result")
  func seeds() throws {
    let first = try TrainingHarness()
    let second = try TrainingHarness(["run.seed=2"])
    #expect(try first.run(ranks: 1) == .success(.finished))
    #expect(try second.run(ranks: 1) == .success(.finished))
    #expect(try first.fingerprint[0] != second.fingerprint[0])
  }
}

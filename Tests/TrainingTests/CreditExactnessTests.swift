import Checkpoint
import Environments
import PPO
import RunConfig
import ServingEnv
import Testing

@testable import Training

/// Credit by copies and evaluation in whole runs: the same bits for any number of ranks and any interruption.
@Suite struct CreditExactnessTests {
  static let cases: [[String]] = [
    [
      "credit.assignment=counterfactual", "credit.label_every=4", "credit.horizon=30", "evaluation.interval=70", "evaluation.workloads=3",
      "evaluation.requests=40", "objective.reference_requests=50",
    ],
    ["credit.assignment=own", "reward.mode=latency", "objective.reference_requests=50"],
    [
      "credit.assignment=interval", "reward.mode=latency", "objective.reference_requests=50", "evaluation.interval=100",
      "evaluation.workloads=2", "evaluation.requests=30", "observation.replicas_max=3",
    ],
  ]

  @Test("1, 2 and 4 ranks and a chain of stopped jobs end with equal state and metrics", arguments: cases)
  func equal(_ overrides: [String]) throws {
    let single = try TrainingHarness(overrides)
    #expect(try single.run(ranks: 1).get() == .finished)
    let expected = try single.fingerprint
    for ranks in [2, 4] {
      let other = try TrainingHarness(overrides)
      #expect(try other.run(ranks: ranks).get() == .finished)
      #expect(try other.fingerprint == expected, "\(ranks) ranks")
    }
    let stopped = try TrainingHarness(overrides)
    let jobs = try stopped.runToEnd(ranks: [1, 3, 2], polls: 400)
    #expect(jobs > 1)
    #expect(try stopped.fingerprint == expected, "\(jobs) jobs")
  }

  @Test("an estimator is another run: each of them changes the result")
  func estimators() throws {
    var digests: [String] = []
    for overrides in [["reward.mode=latency"], ["reward.mode=latency", "credit.assignment=interval"], Self.cases[1], Self.cases[0]] {
      let harness = try TrainingHarness(overrides)
      #expect(try harness.run(ranks: 1).get() == .finished)
      digests.append(try harness.checkpoint().stateDigest.hex)
    }
    #expect(Set(digests).count == 4)
  }

  @Test("evaluations are due at their interval and at chunk ends; best.pt is the checkpoint of the best one and survives rotation")
  func best() throws {
    let harness = try TrainingHarness(Self.cases[0] + ["checkpoint.interval=1000000"])
    #expect(try harness.run(ranks: 2).get() == .finished)
    let lines = try harness.lines("evaluations")
    let steps = lines.compactMap { $0["step"]?.intValue }
    #expect(steps == [90, 160, 230, 300, 375, 450, 525, 600])
    var best = (objective: Double.infinity, step: -1)
    for line in lines {
      let objective = try #require(line["objective"]?.doubleValue)
      let isBest = objective < best.objective
      #expect(line["is_best"]?.intValue == (isBest ? 1 : 0))
      if isBest { best = (objective, line["step"]?.intValue ?? -1) }
    }
    #expect(try harness.files.readLink("run/checkpoints/best.pt") == CheckpointFile.name(step: best.step))
    #expect(try harness.checkpointSteps.contains(best.step))
    let state = try harness.checkpoint().contents.tree
    #expect(state["evaluation_state"]?["best_step"] == .int(best.step))
  }

  @Test("the evaluation is that of the same policy out of its checkpoint")
  func evaluationOfCheckpoint() throws {
    let harness = try TrainingHarness(Self.cases[0])
    #expect(try harness.run(ranks: 1).get() == .finished)
    let trained = try TrainedPolicy(try harness.checkpoint())
    let environment = try harness.routing().forEvaluation
    let results = (0..<3).map { environment.evaluate(.trained(trained), seed: 1_000_003, index: $0, requests: 40) }
    let summary = EvaluationSummary(results)
    let last = try #require(try harness.lines("evaluations").last)
    #expect(last["e2e_mean"]?.doubleValue == summary.endToEnd.mean)
    #expect(last["ttft_p99"]?.doubleValue == summary.timeToFirstToken.p99)
  }

  @Test("without credit and evaluation nothing of them is stored")
  func off() throws {
    let harness = try TrainingHarness()
    #expect(try harness.run(ranks: 1).get() == .finished)
    #expect(try harness.checkpoint().contents.tree["evaluation_state"] == nil)
    #expect(try harness.lines("evaluations").isEmpty)
    #expect(throws: (any Error).self) { try harness.files.readLink("run/checkpoints/best.pt") }
  }

  @Test("a changed observation is refused and the features are named")
  func schema() throws {
    let harness = try TrainingHarness()
    #expect(try harness.runToEnd(ranks: [1], polls: 200) > 1)
    var configuration = harness.configuration
    configuration.run.totalRequests = 900
    configuration.observation.replicaStatusFeatures = true
    let changed = TrainingHarness(harness, configuration: configuration)
    guard case .failure(let error) = try changed.run(ranks: 1) else {
      Issue.record("a run of another observation went on")
      return
    }
    #expect(error.code == .mismatch)
    #expect(error.message.contains("relative_speed") && error.message.contains("is_available"), "\(error.message)")
  }

  @Test("advantages are how much cheaper an action is than their mean; forbidden ones are not counted")
  func advantages() {
    #expect(RolloutCollector<RoutingEnvironment>.advantages(ofCosts: [3, 1, .nan, 2]) == [-1, 1, 0, 0])
    #expect(RolloutCollector<RoutingEnvironment>.advantages(ofCosts: [.nan, 5]) == [0, 0])
  }

  @Test("about one decision in label_every is labelled, and always the same ones")
  func draws() {
    let settings = CreditSettings.counterfactual(labelEvery: 25, horizon: CostHorizon(decisions: 1, drains: false))
    let labels = (0..<20_000).map { settings.labels(seed: 1, chunk: 2, environment: 3, decision: $0) }
    #expect(abs(labels.count { $0 } - 800) < 90)
    #expect(labels == (0..<20_000).map { settings.labels(seed: 1, chunk: 2, environment: 3, decision: $0) })
    #expect(!(0..<1000).contains { CreditSettings.own.labels(seed: 1, chunk: 2, environment: 3, decision: $0) })
  }
}

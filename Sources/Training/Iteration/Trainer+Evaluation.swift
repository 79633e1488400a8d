import Environments
import PPO
import Ranks
import Telemetry

/// The best evaluation of a run so far.
struct BestEvaluation: Equatable, Sendable {
  /// The objective, lower is better.
  var objective: Double
  /// Step of the boundary that was evaluated.
  var step: Int
}

/// What became of an evaluation on rank 0; the others only learn whether it was stopped.
enum EvaluationOutcome {
  case notDue
  case stopped(StopReason)
  /// The record, and the objective; nil on other ranks.
  case finished((record: MetricRecord, objective: Double)?)
}

extension Trainer {
  /// Evaluates the new parameters if the boundary at `step` asks for it. Part of the iteration: a stop discards both, so that no boundary is ever saved
  /// between an update and its evaluation. Collective.
  func evaluate(step: Int, previous: Int, isChunkEnd: Bool, stopRequested: () -> StopReason?) throws(TrainingError) -> EvaluationOutcome {
    guard let evaluation, evaluation.isDue(step: step, previous: previous, isChunkEnd: isChunkEnd) else { return .notDue }
    var policy = GreedyPolicy(network, parameters: global.learner.parameters, frozen: frozenObservations)
    var writer = MessageWriter()
    var outcome = SyncSlots.Outcome.complete
    for workload in evaluation.workloads(ofRank: communicator.rank, worldSize: communicator.size) {
      switch evaluation.serve(workload, policy: &policy, stopRequested: stopRequested) {
      case .success(let result):
        result.write(to: &writer)
        evaluation.serveBaseline(workload).write(to: &writer)
      case .failure(let end): outcome = self.outcome(of: end)
      }
      if outcome != .complete { break }
    }
    if let failure = pendingFailure { outcome = .failed(failure.code) }
    var slots = SyncSlots(environmentCount: 0, shape: StatisticsShape(network), worldSize: communicator.size)
    slots.set(outcome, rank: communicator.rank)
    try RanksFailure.wrap { () throws(RanksError) in try communicator.bitwiseOr(&slots.words) }
    switch slots.outcome {
    case .complete: break
    case .stopped(let reason): return .stopped(reason)
    case .failed(let code): throw pendingFailure ?? TrainingError(code, "another rank failed")
    }
    let messages = try RanksFailure.wrap { () throws(RanksError) in try communicator.gather(writer.bytes, root: 0) }
    guard isRoot else { return .finished(nil) }
    var readers = messages.map { MessageReader($0) }
    var results: [EvaluationResult] = []
    var baseline: [EvaluationResult] = []
    for workload in 0..<evaluation.workloads {
      results.append(EvaluationResult(&readers[workload % communicator.size]))
      baseline.append(EvaluationResult(&readers[workload % communicator.size]))
    }
    let summary = EvaluationSummary(results)
    let objective = evaluation.score(summary, baseline: baseline)
    return .finished((record(of: summary, objective: objective, step: step), objective))
  }

  /// Whether `objective` is the best so far; of equal ones the first counts.
  func isBest(_ objective: Double) -> Bool { objective.isFinite && objective < global.bestEvaluation?.objective ?? .infinity }

  private func record(of summary: EvaluationSummary, objective: Double, step: Int) -> MetricRecord {
    var record = MetricRecord()
    record.append("step", step)
    record.append("chunk", global.chunk)
    record.append("iteration", global.iteration)
    record.append("objective", objective)
    record.append("is_best", isBest(objective) ? 1 : 0)
    for (name, times) in [("e2e", summary.endToEnd), ("ttft", summary.timeToFirstToken), ("tbt", summary.timeBetweenTokens)] {
      record.append(name + "_mean", times.mean)
      record.append(name + "_p50", times.p50)
      record.append(name + "_p95", times.p95)
      record.append(name + "_p99", times.p99)
    }
    record.append("throughput", summary.throughput)
    record.append("unserved", summary.unserved)
    record.append("replica_shares", summary.shares)
    return record
  }
}

import PPO
import Ranks
import RunConfig
import ServingEnv

/// The held-out workloads that a run evaluates its policy on, greedy, while it trains.
///
/// Workload w is a function of (evaluation seed, w); rank r serves those with w mod ranks = r, and rank 0 puts them together in order, so the figures
/// do not depend on the number of ranks. What `lor_full` reaches on the same workloads, the unit of the objective, is computed once a job.
final class PeriodicEvaluation {
  let interval: Int
  let workloads: Int
  private let requests: Int
  private let seed: UInt64
  private let environment: RoutingEnvironment
  private let objective: LatencyObjective
  private var baseline: [EvaluationResult?]

  /// Nil if the configuration evaluates never.
  init?(_ configuration: Configuration, environment: RoutingEnvironment) {
    guard configuration.evaluation.interval > 0 else { return nil }
    interval = configuration.evaluation.interval
    workloads = configuration.evaluation.workloads
    requests = configuration.evaluation.requests
    seed = UInt64(configuration.evaluation.seed)
    objective = LatencyObjective(configuration.objective)
    self.environment = environment.forEvaluation
    baseline = [EvaluationResult?](repeating: nil, count: workloads)
  }

  /// Whether the boundary at `step` that follows one at `previous` is evaluated.
  func isDue(step: Int, previous: Int, isChunkEnd: Bool) -> Bool { isChunkEnd || step / interval != previous / interval }

  /// The workloads of a rank, in order.
  func workloads(ofRank rank: Int, worldSize: Int) -> [Int] { Array(stride(from: rank, to: workloads, by: worldSize)) }

  /// Serves one workload.
  ///
  /// - Returns: nil if a stop came up.
  func serve(_ workload: Int, policy: inout GreedyPolicy, stopRequested: () -> StopReason?) -> Result<EvaluationResult, RolloutEnd> {
    policy.reset()
    var stop: StopReason?
    let result = environment.evaluate(seed: seed, index: workload, requests: requests) { environment in
      stop = stopRequested()
      return stop == nil ? policy.choose(environment) : nil
    }
    guard let result else { return .failure(.stopped(stop ?? .maxChunks)) }
    return .success(result)
  }

  /// `lor_full` on one workload.
  func serveBaseline(_ workload: Int) -> EvaluationResult {
    if let known = baseline[workload] { return known }
    let result = environment.evaluate(.heuristic(.lorFull), seed: seed, index: workload, requests: requests)
    baseline[workload] = result
    return result
  }

  /// The objective of `results` against `baseline`, both in the order of the workloads.
  func score(_ summary: EvaluationSummary, baseline: [EvaluationResult]) -> Double {
    objective.score(summary.figures, reference: EvaluationSummary(baseline).figures)
  }
}

extension EvaluationResult {
  /// Appends the result to a message.
  func write(to writer: inout MessageWriter) {
    writer.write(ids)
    writer.write(endToEnd)
    writer.write(timeToFirstToken)
    writer.write(timeBetweenTokens)
    writer.write(throughput)
    writer.write(counts)
    writer.write(requestCount)
  }

  /// Reads what `write` wrote.
  init(_ reader: inout MessageReader) {
    self.init(
      ids: reader.readArray(of: Int.self), endToEnd: reader.readArray(of: Double.self), timeToFirstToken: reader.readArray(of: Double.self),
      timeBetweenTokens: reader.readArray(of: Double.self), throughput: reader.readDouble(), counts: reader.readArray(of: Int.self),
      requestCount: reader.readInt())
  }
}

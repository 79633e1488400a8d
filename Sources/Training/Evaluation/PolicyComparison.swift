import ServingEnv
import ServingSim

/// One policy on one workload: the figures of every request, all of them served to the end.
public struct EvaluationResult: Equatable, Sendable {
  /// End-to-end times in seconds, ascending.
  public let endToEnd: [Double]
  /// Times to the first token in seconds, ascending.
  public let timeToFirstToken: [Double]
  /// Mean times between tokens in seconds, ascending: time after the first token over output tokens.
  public let timeBetweenTokens: [Double]
  /// Requests per second from the first arrival to the last completion.
  public let throughput: Double
  /// Share of the requests that each replica got.
  public let shares: [Double]

  init(_ completed: [CompletedRequest], replicaCount: Int) {
    endToEnd = completed.map(\.endToEndSeconds).sorted()
    timeToFirstToken = completed.map { $0.prefillCompletedAt - $0.arrivedAt }.sorted()
    timeBetweenTokens = completed.map(\.timeBetweenTokensSeconds).sorted()
    let first = completed.map(\.arrivedAt).min() ?? 0
    let last = completed.map(\.completedAt).max() ?? 0
    throughput = last > first ? Double(completed.count) / (last - first) : 0
    var counts = [Int](repeating: 0, count: replicaCount)
    for request in completed { counts[request.replica] += 1 }
    shares = counts.map { Double($0) / Double(max(completed.count, 1)) }
  }
}

/// Order statistics of ascending values.
public enum Percentile {
  /// The `share` quantile with linear interpolation between the two nearest ranks; NaN of nothing.
  public static func of(_ ascending: [Double], _ share: Double) -> Double {
    guard let last = ascending.last else { return .nan }
    let position = share * Double(ascending.count - 1)
    let index = Int(position)
    guard index + 1 < ascending.count else { return last }
    return ascending[index] + (position - Double(index)) * (ascending[index + 1] - ascending[index])
  }

  /// Arithmetic mean; NaN of nothing.
  public static func mean(_ values: [Double]) -> Double { values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count) }
}

/// What can be compared.
public enum ComparedPolicy {
  /// A rule.
  case heuristic(HeuristicPolicy)
  /// A network out of a checkpoint.
  case trained(TrainedPolicy)
}

extension RoutingEnvironment {
  /// Serves `requests` requests of workload number `index` with `policy`, without learning.
  ///
  /// The workload is a function of (seed, index) alone, so every policy gets the same requests at the same times. Training draws its workloads
  /// under chunk numbers from 1 on; evaluation uses chunk 0, which no training ever sees.
  public func evaluate(_ policy: ComparedPolicy, seed: UInt64, index: Int, requests: Int) -> EvaluationResult {
    precondition(requests >= 1, "an evaluation serves at least one request")
    var environment = self
    environment.reset(seed: seed, chunk: 0, environment: index)
    var completed: [CompletedRequest] = []
    completed.reserveCapacity(requests)
    func drive(_ choose: (RoutingEnvironment) -> Int) {
      while environment.announced < requests {
        _ = environment.step(choose(environment))
        completed.append(contentsOf: environment.completions)
      }
      while environment.pendingRequest != nil { completed.append(contentsOf: environment.finish(choose(environment))) }
    }
    switch policy {
    case .heuristic(let heuristic):
      var router = heuristic.router(seed: seed, chunk: 0, environment: index)
      drive { router.choose(cluster: $0.cluster) }
    case .trained(var trained):
      precondition(
        trained.fit(observationSize: environment.observationSize, actionCount: environment.actionCount), "the policy is for other sizes")
      drive { trained.choose($0) }
    }
    return EvaluationResult(completed, replicaCount: actionCount)
  }
}

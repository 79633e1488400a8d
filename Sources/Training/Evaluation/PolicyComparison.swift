import Randomness
import ServingEnv
import ServingSim

/// What can be compared.
public enum ComparedPolicy {
  /// A rule.
  case heuristic(HeuristicPolicy)
  /// A network out of a checkpoint, its likeliest action.
  case trained(TrainedPolicy)
  /// The same, with actions drawn from it as in training, at temperature 1.
  case sampled(TrainedPolicy)

  /// The network, if it is one.
  public var network: TrainedPolicy? {
    switch self {
    case .heuristic: nil
    case .trained(let policy), .sampled(let policy): policy
    }
  }
}

extension RoutingEnvironment {
  /// Serves `requests` requests of workload number `index` with `policy`, without learning.
  ///
  /// The workload is a function of (seed, index) alone, so every policy gets the same requests at the same times. Training draws its workloads
  /// under chunk numbers from 1 on; evaluation uses chunk 0, which no training ever sees.
  public func evaluate(_ policy: ComparedPolicy, seed: UInt64, index: Int, requests: Int) -> EvaluationResult {
    let result: EvaluationResult?
    switch policy {
    case .heuristic(let heuristic):
      var router = heuristic.router(seed: seed, chunk: 0, environment: index)
      result = evaluate(seed: seed, index: index, requests: requests) { router.choose(cluster: $0.cluster) }
    case .trained(var trained):
      precondition(trained.fit(observationSize: observationSize, actionCount: actionCount), "the policy is for other sizes")
      result = evaluate(seed: seed, index: index, requests: requests) { trained.choose($0) }
    case .sampled(var trained):
      precondition(trained.fit(observationSize: observationSize, actionCount: actionCount), "the policy is for other sizes")
      var decision = 0
      result = evaluate(seed: seed, index: index, requests: requests) { environment in
        var stream = RandomStream(seed: seed, purpose: .action, chunk: 0, environment: index, index: decision)
        decision += 1
        return trained.choose(environment, uniform: stream.uniform())
      }
    }
    guard let result else { preconditionFailure("these policies always choose") }
    return result
  }

  /// The same with any rule.
  ///
  /// - Parameter choose: an allowed action at the pending decision; nil gives the evaluation up.
  func evaluate(seed: UInt64, index: Int, requests: Int, choose: (RoutingEnvironment) -> Int?) -> EvaluationResult? {
    precondition(requests >= 1, "an evaluation serves at least one request")
    var environment = self
    environment.reset(seed: seed, chunk: 0, environment: index, bounds: WorkloadBounds(admitted: requests))
    var completed: [CompletedRequest] = []
    completed.reserveCapacity(requests)
    while environment.pendingRequest != nil {
      guard let action = choose(environment) else { return nil }
      _ = environment.step(action)
      completed.append(contentsOf: environment.completions)
    }
    return EvaluationResult(completed, requestCount: requests, replicaCount: cluster.replicaCount)
  }
}

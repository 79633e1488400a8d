import Environments
import Randomness
import ServingEnv
import ServingSim

/// Cases of the simulated cluster: four replicas of Llama-2-7b on A100, conversation lengths. An item is a request.
enum SimulationCases {
  static var all: [BenchmarkCase] {
    let rates = [3, 12]
    return rates.map { qps in BenchmarkCase(name: "simulate", extents: [4, qps]) { simulate(qps: Double(qps)) } }
      + rates.map { qps in BenchmarkCase(name: "environment", extents: [4, qps]) { environment(qps: Double(qps)) } }
      + rates.map { qps in BenchmarkCase(name: "credit", extents: [4, qps, 250]) { credit(qps: Double(qps), horizon: 250) } }
      + [BenchmarkCase(name: "cartpole", extents: [4, 2]) { cartPole() }]
  }

  private static let requests = 2000

  /// The cluster alone, routed by the fewest outstanding requests.
  private static func simulate(qps: Double) -> BenchmarkResult {
    guard var workload = try? Workload(WorkloadConfiguration(source: .poisson(.init(qps: qps)))),
      var cluster = try? ClusterSimulation(ClusterConfiguration())
    else { preconditionFailure("the built-in cluster is valid") }
    var ends: [Float] = []
    let run = {
      workload.reset(seed: 1, chunk: 1, environment: 0)
      cluster.reset()
      var router = HeuristicPolicy.lorFull.router(seed: 1, chunk: 1, environment: 0)
      for _ in 0..<requests {
        cluster.enqueueArrival(workload.next())
        _ = cluster.runUntilDecision()
        cluster.route(to: router.choose(cluster: cluster))
      }
      _ = cluster.runUntilDecision()
      ends = cluster.takeCompletions().map { Float($0.completedAt) }
    }
    run()
    let checksum = Benchmark.checksum(ends)
    return BenchmarkResult(nanosecondsPerItem: Benchmark.measure(items: requests, run), operationsPerItem: nil, checksum: checksum)
  }

  /// Observation, random action and step of the routing environment.
  private static func environment(qps: Double) -> BenchmarkResult {
    let configuration = RoutingConfiguration(workload: WorkloadConfiguration(source: .poisson(.init(qps: qps))))
    guard let environment = try? RoutingEnvironment(configuration) else { preconditionFailure("the built-in task is valid") }
    return drive(environment, steps: requests)
  }

  /// Labels of counterfactual credit; an item is a label: one copy for each of four replicas, each following `horizon` requests. A bound is
  /// 4 (horizon + 1) times the item of the case `simulate`.
  private static func credit(qps: Double, horizon: Int) -> BenchmarkResult {
    var configuration = RoutingConfiguration(workload: WorkloadConfiguration(source: .poisson(.init(qps: qps))))
    configuration.measuresCosts = true
    guard var environment = try? RoutingEnvironment(configuration) else { preconditionFailure("the built-in task is valid") }
    environment.reset(seed: 1, chunk: 1, environment: 0)
    for step in 0..<500 { _ = environment.step(step % 4) }
    let labelled = environment
    var later: [Decision] = []
    for step in 0..<horizon {
      later.append(Decision(subject: environment.subject, action: step % 4))
      _ = environment.step(step % 4)
    }
    let horizon = CostHorizon(decisions: horizon, drains: false)
    var costs: [Double] = []
    let run = { costs = labelled.actionCosts(later: Array(later.dropFirst()), horizon: horizon) }
    run()
    let checksum = Benchmark.checksum(costs.map { Float($0) })
    return BenchmarkResult(nanosecondsPerItem: Benchmark.measure(items: 1, run), operationsPerItem: nil, checksum: checksum)
  }

  private static func cartPole() -> BenchmarkResult { drive(CartPole(), steps: 10_000) }

  private static func drive<E: Environment>(_ prototype: E, steps: Int) -> BenchmarkResult {
    var environment = prototype
    var observation = [Float](repeating: 0, count: environment.observationSize)
    let run = {
      environment.reset(seed: 1, chunk: 1, environment: 0)
      var stream = RandomStream(seed: 1, purpose: .stabilisation)
      for _ in 0..<steps {
        var span = observation.mutableSpan
        environment.observe(into: &span)
        _ = environment.step(stream.bounded(environment.actionCount))
      }
    }
    run()
    let checksum = Benchmark.checksum(observation)
    return BenchmarkResult(nanosecondsPerItem: Benchmark.measure(items: steps, run), operationsPerItem: nil, checksum: checksum)
  }
}

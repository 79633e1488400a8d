import Environments
import Glibc
import Randomness
import ServingEnv
import ServingSim

/// Cases of the simulated cluster: replicas of Llama-2-7b on A100. An item is a request, or a copy; times are CPU time.
enum SimulationCases {
  static var all: [BenchmarkCase] {
    let rates = [3, 12]
    return rates.map { qps in BenchmarkCase(name: "simulate", extents: [4, qps]) { simulate(.reference(qps: qps), .lor) } }
      + rates.map { qps in
        BenchmarkCase(name: "simulate.events", extents: [4, qps]) { simulate(.reference(qps: qps), .lor, byEvents: true) }
      }
      + rates.map { qps in BenchmarkCase(name: "simulate.v1", extents: [4, qps]) { simulate(.present(qps: qps), .lorFull) } }
      + [BenchmarkCase(name: "copy", extents: [4, 100]) { copy() }]
      + rates.map { qps in BenchmarkCase(name: "environment", extents: [4, qps]) { environment(qps: Double(qps)) } }
      + rates.map { qps in BenchmarkCase(name: "credit", extents: [4, qps, 250]) { credit(qps: Double(qps), horizon: 250) } }
      + [BenchmarkCase(name: "cartpole", extents: [4, 2]) { cartPole() }]
  }

  private static let requests = 2000

  /// A cluster and its requests.
  private struct Work {
    var cluster: ClusterSimulation
    var workload: Workload

    init(_ kind: ReplicaSchedulerConfiguration.Kind, qps: Int, lengths: LengthDistribution) {
      let scheduler = ReplicaSchedulerConfiguration(kind: kind)
      guard let cluster = try? ClusterSimulation(ClusterConfiguration(scheduler: scheduler)),
        let workload = try? Workload(WorkloadConfiguration(source: .poisson(.init(qps: Double(qps), lengths: lengths))))
      else { preconditionFailure("the built-in cluster is valid") }
      self.cluster = cluster
      self.workload = workload
    }

    /// What the reference's speed was measured on: vllm, 512 + 128 tokens.
    static func reference(qps: Int) -> Work { Work(.vllm(), qps: qps, lengths: .fixed(prefillTokens: 512, decodeTokens: 128)) }

    /// What training runs by default: vllm_v1, conversation lengths.
    static func present(qps: Int) -> Work { Work(.vllmV1(), qps: qps, lengths: .conversation) }

    mutating func serve(_ requests: Int, _ policy: HeuristicPolicy, _ completed: inout [CompletedRequest]) {
      workload.reset(seed: 1, chunk: 1, environment: 0)
      cluster.reset()
      var router = policy.router(seed: 1, chunk: 1, environment: 0)
      for _ in 0..<requests {
        cluster.enqueueArrival(workload.next())
        _ = cluster.runUntilDecision()
        cluster.route(to: router.choose(cluster: cluster))
      }
      _ = cluster.runUntilDecision()
      cluster.takeCompletions(into: &completed)
    }
  }

  /// The cluster alone, from the first arrival to the last completion.
  ///
  /// - Parameter byEvents: makes every event, as a simulation with a log does, and records none.
  private static func simulate(_ work: Work, _ policy: HeuristicPolicy, byEvents: Bool = false) -> BenchmarkResult {
    var work = work
    if byEvents { work.cluster.recordEvents([]) }
    var completed: [CompletedRequest] = []
    let run = { work.serve(requests, policy, &completed) }
    run()
    let checksum = Benchmark.checksum(completed.map { Float($0.completedAt) })
    let nanoseconds = Benchmark.measure(items: requests, clock: CLOCK_PROCESS_CPUTIME_ID, run)
    let rate = 1e9 / nanoseconds
    let iterations = Double(work.cluster.formedBatches) / Double(requests)
    return BenchmarkResult(
      nanosecondsPerItem: nanoseconds, operationsPerItem: nil, checksum: checksum,
      more: [("requests_per_cpu_s", rate), ("iterations_per_cpu_s", rate * iterations)])
  }

  /// A simulation with 100 requests in flight: copy it, route the waiting request in the copy, and run the copy to its next decision, 20 ms later,
  /// so that every part it changes has really been copied.
  private static func copy() -> BenchmarkResult {
    var cluster = Work.present(qps: 12).cluster
    var routed = 0
    while true {
      // Faster than they are served.
      cluster.enqueueArrival(RequestSpec(arrivedAt: Double(routed) * 0.01, prefillTokens: 400, decodeTokens: 400))
      _ = cluster.runUntilDecision()
      if cluster.inFlightCount == 100 { break }
      cluster.route(to: routed % 4)
      routed += 1
    }
    let next = RequestSpec(arrivedAt: cluster.now + 0.02, prefillTokens: 400, decodeTokens: 400)
    var ends: [Float] = []
    let run = {
      var other = cluster
      other.enqueueArrival(next)
      other.route(to: 1)
      _ = other.runUntilDecision()
      ends = [Float(other.now), Float(other.inFlightCount), Float(other.formedBatches)]
    }
    run()
    let checksum = Benchmark.checksum(ends)
    return BenchmarkResult(
      nanosecondsPerItem: Benchmark.measure(items: 1, clock: CLOCK_PROCESS_CPUTIME_ID, run), operationsPerItem: nil, checksum: checksum)
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

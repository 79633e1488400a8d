import Foundation
import RunConfig
import ServingEnv
import ServingSim
import Training

/// One simulation: the requests of a workload through a cluster, from the first arrival to the last completion or the time limit.
struct SimulationRun {
  /// What is simulated.
  let configuration: Configuration
  /// Its cluster and workload, traces from their first row.
  let routing: RoutingConfiguration
  /// Requests that are to arrive.
  let requests: Int
  /// The cluster, empty before and as it ends up after `run`.
  private(set) var cluster: ClusterSimulation
  /// Requests taken from the workload.
  private(set) var taken = 0
  /// The workload behind the last request.
  private(set) var workload: Workload
  private let timeLimit: Double
  private var seed: UInt64 { UInt64(configuration.run.seed) }

  /// - Throws: `TrainingError` with `.usage` for a cluster or workload that cannot be, `.badData` for a flaw in an input file.
  init(_ inputs: RunInputs) throws(TrainingError) {
    configuration = inputs.configuration
    var routing = try inputs.routingConfiguration()
    // Training draws its windows of a trace; a simulation of a trace is the trace, from its first row and at its own times.
    if case .trace(var replay) = routing.workload.source {
      replay.begin = .firstRow
      routing.workload.source = .trace(replay)
    }
    self.routing = routing
    let section = inputs.configuration.simulate
    timeLimit = section.timeLimitSeconds > 0 ? section.timeLimitSeconds : .infinity
    do throws(ServingError) {
      cluster = try ClusterSimulation(routing.cluster)
      workload = try Workload(routing.workload, seed: UInt64(inputs.configuration.run.seed))
    } catch {
      throw TrainingError(.usage, "\(error)")
    }
    requests = section.requests > 0 ? section.requests : workload.rowCount ?? SimulateSection.requestsWithoutTrace
  }

  /// Serves the requests.
  mutating func run(_ policy: SimulatedPolicy, outputs: inout SimulationOutputs) throws(TrainingError) {
    if !outputs.parts.isEmpty { cluster.recordEvents(outputs.parts) }
    switch policy {
    case .heuristic(let heuristic):
      var router = heuristic.router(seed: seed, chunk: 0, environment: 0)
      try serve(&outputs) { cluster, _ throws(TrainingError) in router.choose(cluster: cluster) }
    case .replay(let path):
      let routes = try Self.routes(path, replicaCount: cluster.replicaCount)
      try serve(&outputs) { cluster, request throws(TrainingError) in
        guard let replica = routes.replica(of: request) else {
          throw TrainingError(.badData, "\(path): nothing is said about request \(request)")
        }
        guard cluster.canRoute(to: replica) else {
          throw TrainingError(.badData, "\(path): request \(request) cannot go to replica \(replica) at \(cluster.now) s")
        }
        return replica
      }
    case .trained(let trained): try serve(trained, &outputs)
    }
    try outputs.finish(cluster)
  }

  // MARK: Rules

  /// One arrival is always announced ahead, so that the clock never passes it.
  private mutating func serve(
    _ outputs: inout SimulationOutputs, choose: (ClusterSimulation, _ request: Int) throws(TrainingError) -> Int
  ) throws(TrainingError) {
    var completions: [CompletedRequest] = []
    var decisions = 0
    announce(&outputs)
    while true {
      let isMoreToCome = taken < requests
      let decision =
        timeLimit < .infinity
        ? cluster.run(until: timeLimit, pausesWithoutArrival: isMoreToCome) : cluster.runUntilDecision(pausesWithoutArrival: isMoreToCome)
      if decision == nil && (!isMoreToCome || cluster.pendingArrivalCount > 0) { break }
      announce(&outputs)
      guard let decision else { continue }
      cluster.route(to: try choose(cluster, decision))
      decisions += 1
      cluster.takeCompletions(into: &completions)
      if !completions.isEmpty { try outputs.add(completions, cluster) }
      if decisions % 64 == 0, let log = cluster.takeLog() { try outputs.add(log) }
    }
    cluster.takeCompletions(into: &completions)
    outputs.add(cluster.takeRejections())
    try outputs.add(completions, cluster)
  }

  private mutating func announce(_ outputs: inout SimulationOutputs) {
    while taken < requests && cluster.pendingArrivalCount == 0 {
      let request = workload.next()
      taken += 1
      if cluster.enqueueArrival(request) == nil { outputs.add(cluster.takeRejections()) }
    }
  }

  private static func routes(_ path: String, replicaCount: Int) throws(TrainingError) -> ReplayedRoutes {
    guard let data = FileManager.default.contents(atPath: path) else { throw TrainingError(.missingInput, "\(path): no such file") }
    do throws(CSVError) {
      return try ReplayedRoutes.parse(bytes: [UInt8](data), name: path, replicaCount: replicaCount)
    } catch {
      throw TrainingError(.badData, error.description)
    }
  }

  // MARK: Networks

  /// A network sees what the routing task of the configuration shows it; the same requests arrive at the same times.
  private mutating func serve(_ trained: TrainedPolicy, _ outputs: inout SimulationOutputs) throws(TrainingError) {
    if timeLimit < .infinity { throw TrainingError(.usage, "--time-limit: a checkpoint serves every request to its end") }
    var environment: RoutingEnvironment
    do throws(ServingError) {
      environment = try RoutingEnvironment(routing)
    } catch {
      throw TrainingError(.usage, "\(error)")
    }
    var policy = trained
    guard policy.fit(observationSize: environment.observationSize, actionCount: environment.actionCount) else {
      throw TrainingError(
        .mismatch,
        "--policy: the checkpoint was trained for \(trained.shape.observationSize) observed values and \(trained.shape.actionCount) replicas; "
          + "this cluster has \(environment.observationSize) and \(environment.actionCount)")
    }
    let decisions = servableCount(&outputs)
    if decisions == 0 { return }
    if !outputs.parts.isEmpty { environment.recordEvents(outputs.parts) }
    environment.reset(seed: seed, chunk: 0, environment: 0)
    while environment.announced < decisions {
      _ = environment.step(policy.choose(environment))
      try outputs.add(environment.completions, environment.cluster)
      if environment.announced % 64 == 0, let log = environment.takeLog() { try outputs.add(log) }
    }
    while environment.pendingRequest != nil {
      let completions = environment.finish(policy.choose(environment))
      try outputs.add(completions, environment.cluster)
    }
    outputs.add(environment.takeRejections())
    cluster = environment.cluster
  }

  /// Takes all requests from the workload and counts those that the cluster can serve; the others are recorded.
  private mutating func servableCount(_ outputs: inout SimulationOutputs) -> Int {
    var count = 0
    while taken < requests {
      let request = workload.next()
      taken += 1
      if cluster.rejectionReason(request) == nil {
        count += 1
      } else {
        cluster.enqueueArrival(request)
        outputs.add(cluster.takeRejections())
      }
    }
    return count
  }
}

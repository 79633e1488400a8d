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
  /// How much of the workload is served.
  let bounds: WorkloadBounds
  /// The cluster, empty before and as it ends up after `run`.
  private(set) var cluster: ClusterSimulation
  /// Requests taken from the workload.
  private var taken = 0
  /// The workload behind the last request.
  private(set) var workload: Workload
  private var seed: UInt64 { UInt64(configuration.run.seed) }

  /// - Throws: `TrainingError` with `.usage` for a cluster or workload that cannot be, `.badData` for a flaw in an input file.
  init(_ inputs: RunInputs) throws(TrainingError) {
    configuration = inputs.configuration
    var routing = try inputs.routingConfiguration()
    // Training draws its windows of a recording; a simulation of one is the recording, from its first row and at its own times.
    switch routing.workload.source {
    case .trace(var replay):
      replay.begin = .firstRow
      routing.workload.source = .trace(replay)
    case .synthetic(var synthetic):
      if case .recorded(var replay) = synthetic.intervals {
        replay.begin = .firstRow
        synthetic.intervals = .recorded(replay)
        routing.workload.source = .synthetic(synthetic)
      }
    }
    self.routing = routing
    do throws(ServingError) {
      cluster = try ClusterSimulation(routing.cluster)
      workload = try Workload(routing.workload, seed: UInt64(inputs.configuration.run.seed))
    } catch {
      throw TrainingError(error)
    }
    bounds = Self.bounds(inputs.configuration.simulate, workload)
  }

  private static func bounds(_ section: SimulateSection, _ workload: Workload) -> WorkloadBounds {
    var bounds = WorkloadBounds()
    if section.durationSeconds > 0 { bounds.arrivalEnd = section.durationSeconds }
    if section.timeLimitSeconds > 0 { bounds.end = section.timeLimitSeconds }
    // Without a rate everything arrives at time 0, which no duration ends.
    let isEnded = section.durationSeconds > 0 && workload.configuration.meanRate.isFinite
    bounds.requests =
      section.requests > 0 ? section.requests : workload.rowCount ?? (isEnded ? .max : SimulateSection.requestsWithoutTrace)
    return bounds
  }

  /// Requests that have arrived; the last one taken may still be on its way.
  var arrived: Int { taken - cluster.pendingArrivalCount }

  /// Requests to come, as far as can be told before and storage should be reserved for.
  var expected: Int {
    let byRate = workload.configuration.meanRate * bounds.arrivalEnd
    return min(byRate < Double(bounds.requests) ? Int(byRate) : bounds.requests, 1 << 27)
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

  private mutating func serve(
    _ outputs: inout SimulationOutputs, choose: (ClusterSimulation, _ request: Int) throws(TrainingError) -> Int
  ) throws(TrainingError) {
    var routed = RoutedCluster(cluster: cluster, workload: workload)
    routed.reset(seed: seed, chunk: 0, environment: 0, bounds: bounds)
    var completions: [CompletedRequest] = []
    var decisions = 0
    while let request = routed.advance() {
      routed.cluster.takeCompletions(into: &completions)
      if !completions.isEmpty { try outputs.add(completions, routed.cluster) }
      outputs.add(routed.cluster.takeRejections())
      if decisions % 64 == 0, let log = routed.cluster.takeLog() { try outputs.add(log) }
      routed.cluster.route(to: try choose(routed.cluster, request))
      decisions += 1
    }
    routed.cluster.takeCompletions(into: &completions)
    try outputs.add(completions, routed.cluster)
    outputs.add(routed.cluster.takeRejections())
    cluster = routed.cluster
    workload = routed.workload
    taken = routed.taken
  }

  private static func routes(_ path: String, replicaCount: Int) throws(TrainingError) -> ReplayedRoutes {
    let bytes = try InputFile.read(path, what: "file with the columns request_id and replica")
    do throws(CSVError) {
      return try ReplayedRoutes.parse(bytes: bytes, name: path, replicaCount: replicaCount)
    } catch {
      throw TrainingError(.badData, error.description)
    }
  }

  // MARK: Networks

  /// A network sees what the routing task of the configuration shows it; the same requests arrive at the same times.
  private mutating func serve(_ trained: TrainedPolicy, _ outputs: inout SimulationOutputs) throws(TrainingError) {
    var environment: RoutingEnvironment
    do throws(ServingError) {
      environment = try RoutingEnvironment(routing).forEvaluation
    } catch {
      throw TrainingError(error)
    }
    var policy = trained
    guard policy.fit(observationSize: environment.observationSize, actionCount: environment.actionCount) else {
      throw TrainingError(
        .mismatch,
        "--policy: the checkpoint was trained for \(trained.shape.observationSize) observed values and \(trained.shape.actionCount) replicas; "
          + "this cluster has \(environment.observationSize) and \(environment.actionCount)")
    }
    if !outputs.parts.isEmpty { environment.recordEvents(outputs.parts) }
    environment.reset(seed: seed, chunk: 0, environment: 0, bounds: bounds)
    var decisions = 0
    while environment.pendingRequest != nil {
      _ = environment.step(policy.choose(environment))
      decisions += 1
      try outputs.add(environment.completions, environment.cluster)
      if decisions % 64 == 0, let log = environment.takeLog() { try outputs.add(log) }
      outputs.add(environment.takeRejections())
    }
    outputs.add(environment.takeRejections())
    cluster = environment.cluster
    workload = environment.workload
    taken = environment.taken
  }
}

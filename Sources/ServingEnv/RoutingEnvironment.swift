import Environments
import ServingSim

/// The task of routing requests to the replicas of a simulated cluster.
///
/// A decision places one request; action a is replica a. `step` routes it, lets the cluster run until the next request waits in the router, announcing
/// arrivals on the way, and evaluates the reward there. The task does not end by itself: a chunk of n decisions takes n + 1 arrivals, the last
/// of which closes step n and is never routed. Requests that can never be served are skipped and counted; they give no decision. A request whose
/// replica fails comes back for another decision, ahead of younger ones; while no replica takes requests, time passes without decisions.
///
/// Invariants: between calls `pendingRequest` waits in the router, and one arrival at most is announced behind it (none without failures); metrics,
/// history and reward averages have been updated once for each decision reached.
public struct RoutingEnvironment: Environment {
  /// "routing"
  public static let kind = "routing"

  /// The task as configured.
  public private(set) var configuration: RoutingConfiguration
  /// Layout of the observation.
  public let schema: ObservationSchema
  /// Cluster and workload at the pending decision.
  private(set) var routed: RoutedCluster
  /// Id of the request that the pending decision is about; nil when all within the bounds of the reset has happened.
  public private(set) var pendingRequest: Int?
  /// Requests completed during the last step, in order of completion.
  public private(set) var completions: [CompletedRequest] = []
  /// Terms of the last step's reward.
  public private(set) var rewardComponents = RoutingReward.Components()
  /// Decisions of the episode.
  public private(set) var steps = 0

  private let encoder: ObservationEncoder
  private var window: MetricsWindow
  private var history: ObservationHistory
  private var reward: RoutingReward
  /// The unit of the objective's costs in this episode.
  private(set) var objectiveScale = ObjectiveScale(
    LatencyObjective(), reference: LatencyFigures(endToEnd: 1, firstToken: 1, firstTokenSquared: 1))
  /// What the requests in the cluster had cost at the pending decision.
  private var liveCost = 0.0
  private(set) var totals = RequestTotals()
  private(set) var rewardSum = 0.0
  /// Arrivals per second that the workload is configured for.
  let targetRate: Double
  /// Scratch, `[R]`.
  private var loads: [Double]
  private var utilizations: [Double]

  /// The task at the first decision of (seed 0, chunk 0, environment 0).
  ///
  /// - Throws: `ServingError` naming the first field with a value that is not allowed, or a workload whose requests never fit.
  public init(_ configuration: RoutingConfiguration) throws(ServingError) {
    try configuration.observation.validate()
    try configuration.reward.validate()
    try configuration.objective.validate()
    try configuration.curriculum.validate()
    let cluster = try ClusterSimulation(configuration.cluster)
    var workload = try Workload(configuration.workload)
    try Self.requireServable(workload, by: cluster)
    workload.reset(seed: 0, chunk: 0, environment: 0)
    self.configuration = configuration
    routed = RoutedCluster(cluster: cluster, workload: workload)
    schema = ObservationSchema(configuration.observation, replicaCount: cluster.replicaCount)
    encoder = ObservationEncoder(schema: schema)
    window = MetricsWindow(seconds: configuration.observation.metricsWindowSeconds)
    history = ObservationHistory(replicaCount: cluster.replicaCount)
    reward = RoutingReward(configuration.reward, target: 1)
    targetRate = configuration.arrivalRate
    loads = [Double](repeating: 0, count: cluster.replicaCount)
    utilizations = loads
    reset(seed: 0, chunk: 0, environment: 0)
  }

  /// The names of the schema, `[D]`.
  public var observationNames: [String] { schema.names }
  /// D, see `ObservationSchema`.
  public var observationSize: Int { schema.size }
  /// Blocks of replicas and what they share.
  public var observationLayout: ObservationLayout { schema.layout }
  /// R, or more where the observation is padded: action a routes to replica a.
  public var actionCount: Int { schema.blockCount }
  /// The cluster at the pending decision.
  public var cluster: ClusterSimulation { routed.cluster }
  /// Requests announced to the cluster in this episode.
  public var announced: Int { routed.announced }
  /// The workload behind the last request that was taken from it.
  public var workload: Workload { routed.workload }
  /// Requests taken from the workload in this episode.
  public var taken: Int { routed.taken }
  /// Throughput, latency and arrival rate at the pending decision.
  var metrics: ClusterMetrics { window.metrics }
  /// The same at the decision before.
  var previousMetrics: ClusterMetrics { window.previous }

  // MARK: Driving

  /// An empty cluster and the workload of (`seed`, `chunk`, `environment`), run to its first arrival.
  public mutating func reset(seed: UInt64, chunk: Int, environment: Int) {
    reset(seed: seed, chunk: chunk, environment: environment, burden: nil)
  }

  /// The same with a replica that has been given requests at time 0, before the first decision.
  ///
  /// The workload's first `burden.requests` requests are placed there without a decision; those that follow are decided on. They count as
  /// completed requests of the episode, not as its steps.
  public mutating func reset(seed: UInt64, chunk: Int, environment: Int, burden: ReplicaBurden?) {
    reset(seed: seed, chunk: chunk, environment: environment, burden: burden, bounds: WorkloadBounds())
  }

  /// The same for a simulation that ends: no decision is pending when everything within `bounds` has happened. Requests that are turned away can be
  /// taken.
  public mutating func reset(seed: UInt64, chunk: Int, environment: Int, bounds: WorkloadBounds) {
    reset(seed: seed, chunk: chunk, environment: environment, burden: nil, bounds: bounds)
  }

  private mutating func reset(seed: UInt64, chunk: Int, environment: Int, burden: ReplicaBurden?, bounds: WorkloadBounds) {
    let stage = configuration.curriculum.stage(chunk: chunk)
    routed.reset(seed: seed, chunk: chunk, environment: environment, rateScale: stage.rateScale, bounds: bounds)
    if let burden { routed.place(burden) }
    window.reset()
    history.reset()
    reward = configuration.reward(in: stage)
    totals = RequestTotals()
    rewardSum = 0
    steps = 0
    rewardComponents = RoutingReward.Components()
    if configuration.needsObjective { setObjectiveScale() }
    liveCost = 0
    reachDecision()
    updateHistory()
  }

  /// Routes the pending request to replica `action` and runs to the next decision, or the end of the bounds, where the reward is evaluated.
  public mutating func step(_ action: Int) -> StepResult {
    precondition(pendingRequest != nil, "no decision is pending: reset first")
    precondition(canChoose(action), "no such replica, or it does not take the request")
    routed.cluster.route(to: action)
    reachDecision()
    steps += 1
    for replica in loads.indices {
      let view = routed.cluster.replica(replica)
      loads[replica] = Double(view.outstandingRequests)
      utilizations[replica] = Double(view.allocatedBlocks) / Double(max(view.blockCount, 1))
    }
    rewardComponents = reward.evaluate(
      window.metrics, balance: LoadBalance(loads: loads.span, utilizations: utilizations.span), steps: steps, cost: stepCost())
    updateHistory()
    let result = StepResult(reward: Float(rewardComponents.reward))
    rewardSum += Double(result.reward)
    return result
  }

  /// Records `parts` of what happens in the cluster, from the next reset on from its begin.
  public mutating func recordEvents(_ parts: EventLog.Parts) { routed.cluster.recordEvents(parts) }

  /// Takes what has been recorded, see `ClusterSimulation.takeLog`.
  public mutating func takeLog() -> EventLog? { routed.cluster.takeLog() }

  /// Takes the requests that were turned away: within bounds all of them, otherwise those that had been announced.
  public mutating func takeRejections() -> [RejectedRequest] { routed.cluster.takeRejections() }

  // MARK: Reading

  /// Writes the pending decision as laid out by `schema`, `[D]`.
  public func observe(into observation: inout MutableSpan<Float>) {
    guard let pendingRequest else { preconditionFailure("no decision is pending: reset first") }
    encoder.encode(cluster: routed.cluster, request: pendingRequest, metrics: window.metrics, history: history, into: &observation)
  }

  /// Allows every replica that takes the pending request; padding is never allowed.
  public func actionMask(into mask: inout MutableSpan<UInt8>) {
    precondition(mask.count == actionCount, "mask has another length than the actions")
    for action in mask.indices { mask[action] = canChoose(action) ? 1 : 0 }
  }

  /// Whether the pending request may go to replica `action`.
  func canChoose(_ action: Int) -> Bool { routed.canRoute(to: action) }

  /// Zeros: an episode of this task never ends inside a step.
  public func finalObservation(into observation: inout MutableSpan<Float>) {
    precondition(observation.count == schema.size, "observation has another length than the schema")
    for index in observation.indices { observation[index] = 0 }
  }

  // MARK: Parts of a step

  /// Runs to the next decision and takes in what completed on the way.
  private mutating func reachDecision() {
    pendingRequest = routed.advance()
    routed.cluster.takeCompletions(into: &completions)
    for request in completions {
      totals.add(request)
      window.addCompletion(at: request.completedAt, latency: request.endToEndSeconds)
    }
    for time in routed.arrivals { window.addArrival(at: time) }
    window.advance(to: routed.cluster.now)
  }

  /// What the last step cost by the objective: when a request completes, all of it at once, or as it accrues.
  private mutating func stepCost() -> Double {
    guard configuration.needsObjective else { return 0 }
    var cost = completions.reduce(0) { $0 + objectiveScale.cost($1) }
    if configuration.reward.mode == .accrual {
      let now = objectiveScale.liveCost(routed.cluster)
      cost += now - liveCost
      liveCost = now
    }
    return cost
  }

  /// Lets `lor_full` serve the workload's first requests for the unit of the objective's costs.
  private mutating func setObjectiveScale() {
    var copy = routed
    let figures = LatencyFigures(meanOf: copy.serve(configuration.objective.referenceRequests))
    objectiveScale = ObjectiveScale(configuration.objective, reference: figures)
  }

  private mutating func updateHistory() {
    for index in loads.indices {
      let view = routed.cluster.replica(index)
      history.record(
        replica: index, queueLength: view.waitingCount, utilization: Double(view.allocatedBlocks) / Double(max(view.blockCount, 1)))
    }
    history.close(
      time: routed.cluster.now, arrivalRate: window.metrics.arrivalRate, routerQueueLength: routed.cluster.routerQueueLength)
  }

  /// Draws up to 1000 requests to see whether any can be served.
  private static func requireServable(_ workload: Workload, by cluster: ClusterSimulation) throws(ServingError) {
    var probe = workload
    for _ in 0..<1000 {
      if cluster.rejectionReason(probe.next()) == nil { return }
    }
    throw ServingError(.inconsistent, field: "workload", reason: "none of 1000 requests fits into the cluster")
  }
}

extension RoutingEnvironment {
  /// The same task without what only training asks for: rewards by the objective and their scale.
  public var forEvaluation: RoutingEnvironment {
    var copy = self
    copy.configuration.measuresCosts = false
    copy.configuration.reward.mode = .hybrid
    return copy
  }
}

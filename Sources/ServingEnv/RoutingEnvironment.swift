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

  /// Rejected requests in a row after which the workload is held to be unservable.
  static let rejectionsInARowMax = 100_000

  /// The task as configured.
  public let configuration: RoutingConfiguration
  /// Layout of the observation.
  public let schema: ObservationSchema
  /// The cluster at the pending decision.
  public private(set) var cluster: ClusterSimulation
  /// Id of the request that the pending decision is about; nil after `finish`.
  public private(set) var pendingRequest: Int?
  /// Requests completed during the last step, in order of completion.
  public private(set) var completions: [CompletedRequest] = []
  /// Terms of the last step's reward.
  public private(set) var rewardComponents = HybridReward.Components()
  /// Decisions of the episode.
  public private(set) var steps = 0
  /// Requests announced to the cluster in this episode.
  public private(set) var announced = 0

  private let encoder: ObservationEncoder
  private(set) var workload: Workload
  private var window: MetricsWindow
  private var history: ObservationHistory
  private var reward: HybridReward
  /// Time of the announced arrival that has not been reached yet.
  private var nextArrival: Double?
  private(set) var totals = RequestTotals()
  private(set) var rewardSum = 0.0
  /// Arrivals per second that the workload is configured for.
  let targetRate: Double
  /// Scratch, `[R]`.
  private var loads: [Double]

  /// The task at the first decision of (seed 0, chunk 0, environment 0).
  ///
  /// - Throws: `ServingError` naming the first field with a value that is not allowed, or a workload whose requests never fit.
  public init(_ configuration: RoutingConfiguration) throws(ServingError) {
    try configuration.observation.validate()
    try configuration.reward.validate()
    let cluster = try ClusterSimulation(configuration.cluster)
    var workload = try Workload(configuration.workload)
    try Self.requireServable(workload, by: cluster)
    workload.reset(seed: 0, chunk: 0, environment: 0)
    self.configuration = configuration
    self.cluster = cluster
    self.workload = workload
    schema = ObservationSchema(configuration.observation, replicaCount: configuration.cluster.replicaCount)
    encoder = ObservationEncoder(schema: schema)
    window = MetricsWindow(seconds: configuration.observation.metricsWindowSeconds)
    history = ObservationHistory(replicaCount: configuration.cluster.replicaCount)
    reward = HybridReward(configuration.reward, target: configuration.reward.throughputTarget ?? configuration.arrivalRate)
    targetRate = configuration.arrivalRate
    loads = [Double](repeating: 0, count: configuration.cluster.replicaCount)
    reset(seed: 0, chunk: 0, environment: 0)
  }

  /// The names of the schema, `[D]`.
  public var observationNames: [String] { schema.names }
  /// D, see `ObservationSchema`.
  public var observationSize: Int { schema.size }
  /// R: action a routes to replica a.
  public var actionCount: Int { loads.count }
  /// Throughput, latency and arrival rate at the pending decision.
  var metrics: ClusterMetrics { window.metrics }
  /// The same at the decision before.
  var previousMetrics: ClusterMetrics { window.previous }

  // MARK: Driving

  /// An empty cluster and the workload of (`seed`, `chunk`, `environment`), run to its first arrival.
  public mutating func reset(seed: UInt64, chunk: Int, environment: Int) {
    cluster.reset()
    workload.reset(seed: seed, chunk: chunk, environment: environment)
    window.reset()
    history.reset()
    reward.reset()
    totals = RequestTotals()
    rewardSum = 0
    steps = 0
    announced = 0
    nextArrival = nil
    rewardComponents = HybridReward.Components()
    reachDecision()
    updateHistory()
  }

  /// Routes the pending request to replica `action` and runs to the next decision, at which the reward is evaluated.
  public mutating func step(_ action: Int) -> StepResult {
    precondition(pendingRequest != nil, "no decision is pending: reset first")
    precondition(action >= 0 && action < actionCount, "no such replica")
    cluster.route(to: action)
    reachDecision()
    steps += 1
    for replica in loads.indices { loads[replica] = Double(cluster.replica(replica).outstandingRequests) }
    rewardComponents = reward.evaluate(window.metrics, imbalance: HybridReward.imbalance(of: loads.span), steps: steps)
    updateHistory()
    let result = StepResult(reward: Float(rewardComponents.reward))
    rewardSum += Double(result.reward)
    return result
  }

  /// Applies an action of an evaluation after its last arrival has been announced: no further one is.
  ///
  /// Every request in the cluster runs to its end, but for those that a failure sends back to the router: then `pendingRequest` asks for another
  /// `finish`. Once it is nil, `closingRecord` covers all requests. The step itself has no reward.
  ///
  /// - Returns: the requests completed since the last step, in order of completion.
  public mutating func finish(_ action: Int) -> [CompletedRequest] {
    precondition(pendingRequest != nil, "no decision is pending: reset first")
    precondition(action >= 0 && action < actionCount, "no such replica")
    cluster.route(to: action)
    pendingRequest = cluster.runUntilDecision()
    steps += 1
    cluster.takeCompletions(into: &completions)
    for request in completions { totals.add(request) }
    return completions
  }

  // MARK: Reading

  /// Writes the pending decision as laid out by `schema`, `[D]`.
  public func observe(into observation: inout MutableSpan<Float>) {
    guard let pendingRequest else { preconditionFailure("no decision is pending: reset first") }
    encoder.encode(cluster: cluster, request: pendingRequest, metrics: window.metrics, history: history, into: &observation)
  }

  /// Allows every replica that takes requests and has room for the pending one.
  public func actionMask(into mask: inout MutableSpan<UInt8>) {
    precondition(mask.count == actionCount, "mask has another length than the actions")
    for action in mask.indices { mask[action] = cluster.canRoute(to: action) ? 1 : 0 }
  }

  /// Zeros: an episode of this task never ends inside a step.
  public func finalObservation(into observation: inout MutableSpan<Float>) {
    precondition(observation.count == schema.size, "observation has another length than the schema")
    for index in observation.indices { observation[index] = 0 }
  }

  // MARK: Parts of a step

  /// Announces the next request that can be served.
  private mutating func announceArrival() {
    var rejections = 0
    while true {
      var request = workload.next()
      // A workload without priorities leaves them at 0; then all requests count alike.
      if request.priority == 0 { request.priority = 1 }
      if cluster.enqueueArrival(request) != nil {
        announced += 1
        nextArrival = request.arrivedAt
        return
      }
      _ = cluster.takeRejections()
      rejections += 1
      precondition(rejections < Self.rejectionsInARowMax, "the workload has no request that fits into the cluster")
    }
  }

  /// Runs to the next decision, announcing arrivals on the way, and takes in what happened.
  private mutating func reachDecision() {
    pendingRequest = cluster.waitingForDecision
    while pendingRequest == nil {
      if cluster.pendingArrivalCount == 0 { announceArrival() }
      pendingRequest = cluster.runUntilDecision(pausesWithoutArrival: true)
      if cluster.pendingArrivalCount == 0, let time = nextArrival {
        window.addArrival(at: time)
        nextArrival = nil
      }
    }
    cluster.takeCompletions(into: &completions)
    for request in completions {
      totals.add(request)
      window.addCompletion(at: request.completedAt, latency: request.endToEndSeconds)
    }
    window.advance(to: cluster.now)
  }

  private mutating func updateHistory() {
    for index in 0..<actionCount {
      let view = cluster.replica(index)
      history.record(
        replica: index, queueLength: view.waitingCount, utilization: Double(view.allocatedBlocks) / Double(max(view.blockCount, 1)))
    }
    history.close(time: cluster.now, arrivalRate: window.metrics.arrivalRate, routerQueueLength: cluster.routerQueueLength)
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

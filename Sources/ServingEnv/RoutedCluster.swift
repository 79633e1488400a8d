import ServingSim

/// A cluster and the requests that arrive at it, going from decision to decision; no observation, no reward.
///
/// The environment drives one, and so do the continuations that credit assignment and the objective's scale are computed from, and simulations under a
/// rule. A value: a copy is an independent continuation.
public struct RoutedCluster: Sendable {
  /// Rejected requests in a row after which the workload is held to be unservable.
  static let rejectionsInARowMax = 100_000

  /// The cluster at the pending decision.
  public var cluster: ClusterSimulation
  /// The workload behind the last request that was taken from it.
  public private(set) var workload: Workload
  /// Factor on the arrival rate.
  private(set) var rateScale = 1.0
  /// How much of the workload is served.
  private(set) var bounds = WorkloadBounds()
  /// Requests taken from the workload since the reset.
  public private(set) var taken = 0
  /// Requests announced since the reset; the next one gets this number.
  private(set) var announced = 0
  /// Times of the arrivals during the last `advance`.
  private(set) var arrivals: [Double] = []
  /// Time of the announced arrival that has not been reached yet.
  private var nextArrival: Double?

  /// An empty cluster; reset it before use.
  public init(cluster: ClusterSimulation, workload: Workload) {
    self.cluster = cluster
    self.workload = workload
  }

  /// An empty cluster before the first arrival of (`seed`, `chunk`, `environment`), with the workload's rate times `rateScale`.
  public mutating func reset(seed: UInt64, chunk: Int, environment: Int, rateScale: Double = 1, bounds: WorkloadBounds = WorkloadBounds()) {
    cluster.reset()
    self.bounds = bounds
    taken = 0
    workload.reset(seed: seed, chunk: chunk, environment: environment)
    self.rateScale = rateScale
    announced = 0
    arrivals.removeAll(keepingCapacity: true)
    nextArrival = nil
  }

  /// Runs until a request waits for a decision, announcing arrivals on the way. The times of those that were reached are in `arrivals`.
  ///
  /// - Returns: the request's id; nil when everything within the bounds has happened, which is never without bounds.
  public mutating func advance() -> Int? {
    arrivals.removeAll(keepingCapacity: true)
    if let waiting = cluster.waitingForDecision { return waiting }
    while true {
      if cluster.pendingArrivalCount == 0 { announceArrival() }
      let isMoreToCome = takesMore
      let reached = cluster.run(until: bounds.end, pausesWithoutArrival: isMoreToCome)
      if cluster.pendingArrivalCount == 0, let time = nextArrival {
        arrivals.append(time)
        nextArrival = nil
      }
      if let reached { return reached }
      if !isMoreToCome || cluster.pendingArrivalCount > 0 { return nil }
    }
  }

  /// Whether the bounds allow another request.
  private var takesMore: Bool { taken < bounds.requests && announced < bounds.admitted }

  /// Runs on without new arrivals.
  ///
  /// - Returns: the request that waits for a decision; nil when everything is served.
  mutating func drain() -> Int? { cluster.runUntilDecision() }

  /// Whether the request that waits may go to `replica`, which need not exist.
  func canRoute(to replica: Int) -> Bool { replica >= 0 && replica < cluster.replicaCount && cluster.canRoute(to: replica) }

  /// Places the workload's next requests at time 0, on the first replica that takes one if the named replica does not. After a reset.
  mutating func place(_ burden: ReplicaBurden) {
    precondition(burden.replica >= 0 && burden.replica < cluster.replicaCount, "no such replica")
    for _ in 0..<burden.requests {
      announceArrival(at: 0)
      guard cluster.runUntilDecision() != nil,
        let replica = ([burden.replica] + Array(0..<cluster.replicaCount)).first(where: { cluster.canRoute(to: $0) })
      else { break }
      cluster.route(to: replica)
    }
    nextArrival = nil
  }

  /// Announces the next request that can be served, if the bounds allow one more.
  ///
  /// - Parameter time: when it arrives; nil = as the workload says.
  private mutating func announceArrival(at time: Double? = nil) {
    var rejections = 0
    while takesMore {
      guard var request = nextRequest() else { return }
      if let time { request.arrivedAt = time }
      // A workload without priorities leaves them at 0; then all requests count alike.
      if request.priority == 0 { request.priority = 1 }
      if cluster.enqueueArrival(request) != nil {
        announced += 1
        nextArrival = request.arrivedAt
        return
      }
      if bounds.isFinite { continue }
      _ = cluster.takeRejections()
      rejections += 1
      precondition(rejections < Self.rejectionsInARowMax, "the workload has no request that fits into the cluster")
    }
  }

  /// Takes the next request from the workload; nil if it would arrive too late, and then for good.
  private mutating func nextRequest() -> RequestSpec? {
    let before = bounds.arrivalEnd < .infinity ? workload : nil
    var request = workload.next()
    if rateScale != 1 { request.arrivedAt /= rateScale }
    if let before, request.arrivedAt >= bounds.arrivalEnd {
      workload = before
      bounds.requests = taken
      return nil
    }
    taken += 1
    return request
  }

  /// Serves `requests` requests with `lor_full`, up to the last one's end, after a reset.
  mutating func serve(_ requests: Int) -> [CompletedRequest] {
    bounds = WorkloadBounds()
    var router = HeuristicPolicy.lorFull.router(seed: 0, chunk: 0, environment: 0)
    _ = advance()
    while announced < requests {
      cluster.route(to: router.choose(cluster: cluster))
      _ = advance()
    }
    while cluster.waitingForDecision != nil || drain() != nil { cluster.route(to: router.choose(cluster: cluster)) }
    return cluster.takeCompletions()
  }
}

/// A discrete-event simulation of a cluster that serves a language model.
///
/// The router stops for each request: `runUntilDecision` handles events until one waits in the router, `route(to:)` places it. Requests,
/// batches, replicas and events are values in arrays, so a copy of the simulation is an independent continuation and `==` tests a replay.
///
/// ```swift
/// var cluster = try ClusterSimulation(configuration)
/// while cluster.enqueueArrival(workload.next()) == nil {}
/// while let request = cluster.runUntilDecision() {
///   while cluster.enqueueArrival(workload.next()) == nil {}
///   cluster.route(to: choose(request, cluster))
/// }
/// ```
/// The arrival that follows must be enqueued before the simulation runs on, or the clock passes it. With replicas that fail a request may need
/// several decisions, or none for a while: `pendingArrivalCount` and `pausesWithoutArrival` say when to announce the next one.
///
/// Invariants (`checkInvariants`): those of `Replica`, `Request` and `EventQueue`; a slot is free or holds a live request; ids map to the slots
/// that hold them.
public struct ClusterSimulation: Sendable, Equatable {
  /// The cluster as configured.
  public let configuration: ClusterConfiguration
  /// One for each different replica configuration.
  let models: [ReplicaModel]

  var queue: EventQueue
  var requests: [Request] = []
  var freeRequestSlots: [Int] = []
  var ids = RequestIndex()
  var replicas: [Replica]
  var batches: [Batch] = []
  var freeBatchSlots: [Int] = []
  var nextBatchID = 0
  /// Slots of requests that wait for a routing decision.
  var router = RingQueue()
  /// Place in `router` of the request at which a GlobalSchedule event is stopped; -1 if none is.
  var decision = -1
  /// Most tokens of a request that some replica would take now; 0 without an available one.
  var routableTokens = 0
  /// Most tokens of a request that some replica takes now or after a later recovery.
  var reachableTokens = 0
  /// Replicas that the current GlobalSchedule has given requests to.
  var touched: [Bool]
  var completions: [CompletedRequest] = []
  var rejections: [RejectedRequest] = []
  /// Scratch of one handler, empty between events.
  var formed: [Int] = []

  /// Events handled so far.
  public private(set) var handledEvents = 0
  /// Time of the first event.
  private(set) var begin: Double?
  /// Requests that have arrived at the router and are not completed.
  public private(set) var inFlightCount = 0
  /// Requests completed so far, taken or not.
  public private(set) var completedCount = 0
  /// Requests turned away so far, taken or not.
  public private(set) var rejectedCount = 0
  /// Times that a request lost its replica and went back to the router.
  public internal(set) var reroutedCount = 0
  /// What happened, if recording was switched on.
  public private(set) var log: EventLog?

  /// An empty cluster at time 0.
  public init(_ configuration: ClusterConfiguration) throws(ServingError) {
    try configuration.validate()
    self.configuration = configuration
    let (models, indices) = try ReplicaModel.models(of: configuration)
    self.models = models
    replicas = indices.map { Replica(model: $0, stageCount: models[$0].limits.stageCount) }
    touched = [Bool](repeating: false, count: replicas.count)
    queue = EventQueue(changeTimes: configuration.availability.map(\.time))
    updateReach()
  }

  /// Back to an empty cluster at time 0, keeping the tables of the time model. Recording starts anew if it was on.
  public mutating func reset() {
    queue.reset()
    requests.removeAll(keepingCapacity: true)
    freeRequestSlots.removeAll(keepingCapacity: true)
    ids = RequestIndex()
    for index in replicas.indices { replicas[index] = emptyReplica(index) }
    batches.removeAll(keepingCapacity: true)
    freeBatchSlots.removeAll(keepingCapacity: true)
    nextBatchID = 0
    router = RingQueue()
    decision = -1
    for index in touched.indices { touched[index] = false }
    completions.removeAll(keepingCapacity: true)
    rejections.removeAll(keepingCapacity: true)
    handledEvents = 0
    begin = nil
    inFlightCount = 0
    completedCount = 0
    rejectedCount = 0
    reroutedCount = 0
    if let parts = log?.parts { log = EventLog(parts) }
    updateReach()
  }

  /// Records `parts` of what happens from now on in `log`; for tests, traces and metrics. Call it before the first event.
  public mutating func recordEvents(_ parts: EventLog.Parts = .all) {
    if log == nil { log = EventLog(parts) }
  }

  /// Takes what has been recorded and will not change any more, so that the log of a long run stays small: events and stages so far, and the
  /// batches before the first one that is still in flight.
  public mutating func takeLog() -> EventLog? {
    let isOpen = decision >= 0
    return log?.take(openEvents: isOpen ? 1 : 0)
  }

  // MARK: Driving

  /// Time of the last handled event, seconds.
  public var now: Double { max(queue.now, queue.latest) }

  /// Announces an arrival.
  ///
  /// - Precondition: arrival times are finite, do not decrease and are not before `now`; token counts are at least 1.
  /// - Returns: the request's id, one more than that of the admitted request before; nil if the request could never be served. Then it is recorded
  ///   for `takeRejections` and neither event nor decision follows.
  @discardableResult
  public mutating func enqueueArrival(_ spec: RequestSpec) -> Int? {
    precondition(spec.arrivedAt.isFinite, "arrival time is not finite")
    precondition(spec.arrivedAt >= now, "arrival before the simulation's clock")
    precondition(spec.arrivedAt >= queue.lastArrivalTime ?? 0, "arrival times must not decrease")
    precondition(spec.prefillTokens >= 1, "a request needs at least one prompt token")
    precondition(spec.decodeTokens >= 1, "a request needs at least one output token")
    if let reason = rejectionReason(spec) {
      rejections.append(RejectedRequest(spec: spec, reason: reason))
      rejectedCount += 1
      return nil
    }
    let slot: Int
    let id = ids.nextID
    let request = Request(id: id, spec: spec)
    if let free = freeRequestSlots.popLast() {
      slot = free
      requests[slot] = request
    } else {
      slot = requests.count
      requests.append(request)
    }
    ids.append(slot: slot)
    queue.pushArrival(time: spec.arrivedAt, slot: slot)
    return id
  }

  /// Why `spec` could never be served, nil if it can.
  public func rejectionReason(_ spec: RequestSpec) -> RejectedRequest.Reason? {
    if spec.prefillTokens > configuration.maxTokens || spec.decodeTokens > configuration.maxTokens
      || spec.totalTokens > configuration.maxTokens
    {
      return .tooManyTokens(limit: configuration.maxTokens)
    }
    if spec.totalTokens <= reachableTokens { return nil }
    var roomiest = models[0].limits
    for model in models where model.limits.requestTokensMax > roomiest.requestTokensMax { roomiest = model.limits }
    if spec.totalTokens <= roomiest.requestTokensMax { return .noReplicaLeft }
    return .tooManyBlocks(
      needed: roomiest.blocks(for: spec.totalTokens), available: roomiest.requestTokensMax / roomiest.blockSize)
  }

  /// Handles events until a request waits for a routing decision.
  ///
  /// - Parameter pausesWithoutArrival: returns nil as well when the last announced arrival has reached the router and cannot be routed yet, so that
  ///   the next one can be announced before the clock passes it.
  /// - Returns: the id of that request, the same one until it is routed; nil when no event is left.
  public mutating func runUntilDecision(pausesWithoutArrival: Bool = false) -> Int? {
    run(below: .infinity, pausesWithoutArrival: pausesWithoutArrival)
  }

  /// Handles the events up to and including `time`, stopping early for a decision. The clock stays at the last handled event.
  ///
  /// - Parameter pausesWithoutArrival: see `runUntilDecision`.
  /// - Returns: the request that waits for a decision, if any.
  public mutating func run(until time: Double, pausesWithoutArrival: Bool = false) -> Int? {
    run(below: time.nextUp, pausesWithoutArrival: pausesWithoutArrival)
  }

  private mutating func run(below end: Double, pausesWithoutArrival: Bool) -> Int? {
    while decision < 0 {
      if log == nil && queue.isBetweenInstants { fastForward(below: min(queue.horizon, end)) }
      guard let next = queue.nextTime(changes: hasWork), next < end, let event = queue.pop() else { return nil }
      handle(event)
      if pausesWithoutArrival && event.kind == .globalSchedule && decision < 0 && queue.arrivalCount == 0 && !router.isEmpty { return nil }
    }
    return requests[router[decision]].id
  }

  /// Routes the request that `runUntilDecision` returned and continues its GlobalSchedule: with the router drained, each replica that was given
  /// requests gets a ReplicaSchedule event, in ascending order.
  ///
  /// - Precondition: `canRoute(to: replica)`.
  public mutating func route(to replica: Int) {
    precondition(decision >= 0, "no request waits for a decision")
    precondition(replica >= 0 && replica < replicas.count, "no such replica")
    precondition(canRoute(to: replica), "the replica does not take this request")
    let slot = router.remove(at: decision)
    requests[slot].replica = replica
    replicas[replica].enqueue(slot, limits: models[replicas[replica].model].limits, requests: requests)
    touched[replica] = true
    if log != nil { logPlacement(request: requests[slot].id, replica: replica) }
    findDecision(from: decision)
    if decision >= 0 { return }
    for index in touched.indices where touched[index] {
      touched[index] = false
      queue.pushNow(.replicaSchedule, replica: Int32(truncatingIfNeeded: index))
    }
  }

  /// Requests completed since the last call, in order of time, at equal times of replica, and there of the batch.
  public mutating func takeCompletions() -> [CompletedRequest] {
    let taken = completions
    completions = []
    return taken
  }

  /// The same without allocation: `taken` is replaced by the completions since the last call and its storage is used for the next ones.
  public mutating func takeCompletions(into taken: inout [CompletedRequest]) {
    taken.removeAll(keepingCapacity: true)
    swap(&taken, &completions)
  }

  /// Requests turned away since the last call, in order of arrival.
  public mutating func takeRejections() -> [RejectedRequest] {
    let taken = rejections
    rejections = []
    return taken
  }

  // MARK: Observing

  /// Requests in the router, the one that waits for a decision included.
  public var routerQueueLength: Int { router.count }

  /// Requests in flight that have been routed at least once.
  public var placedCount: Int {
    var count = inFlightCount
    for place in router.indices where requests[router[place]].reroutes == 0 { count -= 1 }
    return count
  }

  /// Arrivals announced and not handled yet.
  public var pendingArrivalCount: Int { queue.arrivalCount }

  /// Number of replicas.
  public var replicaCount: Int { replicas.count }

  /// Replica `index`, 0-based.
  public func replica(_ index: Int) -> ReplicaView {
    let model = replicas[index].model
    return ReplicaView(replicas[index], limits: models[model].limits, relativeSpeed: models[model].relativeSpeed)
  }

  /// Requests that wait at replica `index`.
  public func waitingQueue(_ index: Int) -> WaitingQueueView { WaitingQueueView(queue: replicas[index].waiting, requests: requests) }

  /// The request that waits for a decision, nil if none does.
  public var waitingForDecision: Int? { decision < 0 ? nil : requests[router[decision]].id }

  /// Whether replica `index` may be given the request that waits for a decision: it takes requests, and this one fits into its memory. Without one,
  /// whether it takes requests.
  public func canRoute(to index: Int) -> Bool {
    if replicas[index].availability != .available { return false }
    return decision < 0 || requests[router[decision]].totalTokens <= models[replicas[index].model].limits.requestTokensMax
  }

  /// Batches formed so far.
  public var formedBatches: Int { nextBatchID }

  /// A request that has been enqueued and is not completed.
  public func request(_ id: Int) -> RequestView {
    guard let slot = ids.slot(of: id) else { preconditionFailure("no live request with this id") }
    return RequestView(requests[slot])
  }

  /// The id of the next admitted request: so many have been admitted.
  public var nextRequestID: Int { ids.nextID }

  /// Whether `request(_:)` may be asked for `id`.
  public func isLive(_ id: Int) -> Bool { ids.slot(of: id) != nil }
}

extension ClusterSimulation {
  // Bookkeeping for the handlers, which live in another file.
  mutating func countEvents(_ count: Int) { handledEvents &+= count }
  mutating func beginAt(_ time: Double) { if begin == nil { begin = time } }
  mutating func countArrival() { inFlightCount &+= 1 }

  /// Records a finished request and gives its slot back.
  mutating func complete(_ slot: Int) {
    let completed = CompletedRequest(requests[slot])
    var place = completions.count
    completions.append(completed)
    // What ends at one instant on several replicas is in the order of the replicas, whoever came first.
    while place > 0, completions[place - 1].completedAt == completed.completedAt, completions[place - 1].replica > completed.replica {
      completions[place] = completions[place - 1]
      place -= 1
    }
    completions[place] = completed
    completedCount &+= 1
    inFlightCount &-= 1
    ids.remove(requests[slot].id)
    requests[slot].id = -1
    freeRequestSlots.append(slot)
  }

  /// Turns away a request that has arrived.
  mutating func reject(_ slot: Int) {
    rejections.append(RejectedRequest(spec: requests[slot].spec, reason: .noReplicaLeft))
    rejectedCount &+= 1
    inFlightCount &-= 1
    ids.remove(requests[slot].id)
    requests[slot].id = -1
    freeRequestSlots.append(slot)
  }

  mutating func withLog(_ body: (inout EventLog) -> Void) {
    guard log != nil else { return }
    body(&log!)
  }
}

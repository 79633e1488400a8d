/// A replica as seen from outside: a snapshot of its counters. Its queue is `ClusterSimulation.waitingQueue`.
public struct ReplicaView: Sendable {
  /// Requests in the replica's queue.
  public let waitingCount: Int
  /// Resident requests that are in no batch at this moment.
  public let runningCount: Int
  /// Requests that hold KV blocks.
  public let residentCount: Int
  /// KV blocks in use.
  public let allocatedBlocks: Int
  /// KV blocks of the replica.
  public let blockCount: Int
  /// Batches in flight, at most one per pipeline stage.
  public let runningBatches: Int
  /// Requests that may hold blocks at a time.
  public let batchCapacity: Int
  /// Tokens per KV block.
  public let blockSize: Int
  /// Pipeline stages.
  public let stageCount: Int
  /// Prefill and decode tokens still to do for all waiting and resident requests.
  public let outstandingTokens: Int
  /// Whether it takes requests.
  public let availability: ReplicaAvailability
  /// Speed on a fixed piece of work, in parts of the cluster's fastest replica: 1 for all if they are alike.
  public let relativeSpeed: Double

  /// Waiting and resident requests; none is both.
  public var outstandingRequests: Int { waitingCount + residentCount }
  /// Whether it takes requests.
  public var isAvailable: Bool { availability == .available }

  init(_ replica: Replica, limits: SchedulerLimits, relativeSpeed: Double) {
    waitingCount = replica.waiting.count
    runningCount = replica.running.count
    residentCount = replica.residentCount
    allocatedBlocks = replica.allocatedBlocks
    blockCount = limits.blockCount
    runningBatches = replica.runningBatches
    batchCapacity = limits.batchSizeCap
    blockSize = limits.blockSize
    stageCount = limits.stageCount
    outstandingTokens = replica.outstandingTokens
    availability = replica.availability
    self.relativeSpeed = relativeSpeed
  }
}

/// The ids of the requests in a queue, front first, O(1) by index.
///
/// It shares storage with the simulation, so drop it before the simulation runs on; keeping it costs one copy.
public struct WaitingQueueView: RandomAccessCollection, Sendable {
  let queue: RingQueue
  let requests: [Request]

  /// 0.
  public var startIndex: Int { 0 }
  /// Number of waiting requests.
  public var endIndex: Int { queue.count }

  /// Id of the request `position` places behind the front.
  public subscript(position: Int) -> Int { requests[queue[position]].id }

  /// The request `position` places behind the front.
  public func request(at position: Int) -> RequestView { RequestView(requests[queue[position]]) }
}

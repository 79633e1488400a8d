/// What happened, for tests, traces and metrics. Recording costs memory and time per event; simulations leave it off, or drain the log as they go
/// (`ClusterSimulation.takeLog`).
public struct EventLog: Equatable, Sendable {
  /// Groups of records.
  public struct Parts: OptionSet, Equatable, Sendable {
    /// One bit a group.
    public let rawValue: UInt8
    /// The set of these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// `EventLog.events`.
    public static let events = Parts(rawValue: 1)
    /// `EventLog.batches`.
    public static let batches = Parts(rawValue: 2)
    /// `EventLog.stages`.
    public static let stages = Parts(rawValue: 4)
    /// `StageRecord.work` of the stages.
    public static let work = Parts(rawValue: 8)
    /// `EventLog.tokens`.
    public static let tokens = Parts(rawValue: 16)
    /// All groups.
    public static let all: Parts = [.events, .batches, .stages, .work, .tokens]
  }

  /// What an event did.
  public enum Detail: Equatable, Sendable {
    /// Nothing (a stage was busy, no batch could be formed).
    case none
    /// The request that arrived.
    case arrival(request: Int)
    /// The placements of a routing event, in order.
    case placements([Placement])
    /// Batches that were formed, started or ended.
    case batches([Int])
    /// A replica changed its availability.
    case change(AvailabilityChange.Kind)
  }

  /// A request and the replica it was routed to.
  public struct Placement: Equatable, Sendable {
    /// Request id.
    public let request: Int
    /// Replica index.
    public let replica: Int
  }

  /// One handled event; entries stand in the order of handling.
  public struct Entry: Equatable, Sendable {
    /// Creation id, from 1.
    public let id: Int
    /// Seconds.
    public let time: Double
    /// Kind of event.
    public let kind: EventKind
    /// Replica, nil for arrivals and routing.
    public let replica: Int?
    /// Pipeline stage, nil where there is none.
    public let stage: Int?
    /// What it did.
    public internal(set) var detail: Detail
    /// KV blocks in use on the replica after it; nil but for `replicaSchedule` and `batchEnd`.
    public internal(set) var allocatedBlocks: Int?
  }

  /// One batch, in creation order.
  public struct BatchRecord: Equatable, Sendable {
    /// Batch id.
    public let id: Int
    /// Replica that formed it.
    public let replica: Int
    /// Time it was formed.
    public let scheduledAt: Double
    /// Time it left the last stage; nil while it is in flight, and for ever if the replica failed first.
    public internal(set) var completedAt: Double?
    /// Time the replica failed with the batch in flight.
    public internal(set) var cancelledAt: Double?
    /// Member request ids.
    public let requests: [Int]
    /// Tokens per member.
    public let tokens: [Int]
    /// Tokens of members still in prefill.
    public let prefillTokens: Int
    /// Blocks in use on the replica after it was formed.
    public let allocatedBlocks: Int
    /// Queue length of the replica after it was formed.
    public let waitingCount: Int
  }

  /// One stage execution, in order of completion.
  public struct StageRecord: Equatable, Sendable {
    /// Batch id.
    public let batch: Int
    /// Replica.
    public let replica: Int
    /// Pipeline stage.
    public let stage: Int
    /// Start.
    public let scheduledAt: Double
    /// End.
    public let completedAt: Double
    /// Seconds that the model takes of it.
    public let modelSeconds: Double
    /// What it worked on (part `work`).
    public let work: StageWork?
  }

  /// The output tokens that the end of one batch yielded.
  public struct TokenRecord: Equatable, Sendable {
    /// A member of the batch that got a token.
    public struct Member: Equatable, Sendable {
      /// Request id.
      public let request: Int
      /// Prompt tokens whose prefill this batch ended, for the first time; 0 for a token of the decode phase.
      public let prefillTokens: Int
      /// Whether the token follows one of the same attempt: false at the end of a prefill, the repeated one after an eviction included.
      public let isDecode: Bool
      /// Whether the request is completed.
      public let isLast: Bool
    }

    /// End of the batch.
    public let time: Double
    /// Its replica.
    public let replica: Int
    /// Members with a token, in batch order.
    public let members: [Member]
  }

  /// What is recorded.
  public let parts: Parts
  /// Handled events.
  public internal(set) var events: [Entry] = []
  /// Batches.
  public internal(set) var batches: [BatchRecord] = []
  /// Stage executions.
  public internal(set) var stages: [StageRecord] = []
  /// Output tokens, in order of time.
  public internal(set) var tokens: [TokenRecord] = []
  /// Id of `batches[0]`; earlier ones have been taken.
  private(set) var firstBatch = 0

  init(_ parts: Parts) { self.parts = parts }

  mutating func setDetail(_ detail: Detail) {
    guard parts.contains(.events) else { return }
    events[events.count - 1].detail = detail
  }

  mutating func setAllocatedBlocks(_ blocks: Int) {
    guard parts.contains(.events) else { return }
    events[events.count - 1].allocatedBlocks = blocks
  }

  mutating func updateBatch(_ id: Int, _ body: (inout BatchRecord) -> Void) {
    guard parts.contains(.batches) else { return }
    body(&batches[id - firstBatch])
  }

  /// Removes and returns what is final: all stages and tokens, the events but the last `openEvents`, and the batches before the first one in flight.
  mutating func take(openEvents: Int) -> EventLog {
    var taken = EventLog(parts)
    taken.firstBatch = firstBatch
    let closed = max(0, events.count - openEvents)
    taken.events = Array(events[..<closed])
    events.removeFirst(closed)
    let ended = batches.firstIndex { $0.completedAt == nil && $0.cancelledAt == nil } ?? batches.count
    taken.batches = Array(batches[..<ended])
    batches.removeFirst(ended)
    firstBatch += ended
    swap(&taken.stages, &stages)
    swap(&taken.tokens, &tokens)
    return taken
  }
}

/// Everything that happened, for tests and traces. Recording costs memory per event; simulations leave it off.
public struct EventLog: Equatable, Sendable {
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
  }

  /// One batch, in creation order.
  public struct BatchRecord: Equatable, Sendable {
    /// Batch id.
    public let id: Int
    /// Replica that formed it.
    public let replica: Int
    /// Time it was formed.
    public let scheduledAt: Double
    /// Time it left the last stage.
    public internal(set) var completedAt: Double?
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
  }

  /// Handled events.
  public internal(set) var events: [Entry] = []
  /// Batches.
  public internal(set) var batches: [BatchRecord] = []
  /// Stage executions.
  public internal(set) var stages: [StageRecord] = []

  mutating func setDetail(_ detail: Detail) {
    events[events.count - 1].detail = detail
  }
}

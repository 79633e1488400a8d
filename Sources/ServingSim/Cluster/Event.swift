/// What happens at an instant. The declaration order does not matter: events are ordered by `EventQueue` alone.
public enum EventKind: UInt8, Equatable, Sendable, CaseIterable {
  /// A request reaches the router.
  case requestArrival
  /// The router places its queue.
  case globalSchedule
  /// A replica forms batches.
  case replicaSchedule
  /// A batch joins the queue of a pipeline stage.
  case batchStageArrival
  /// A pipeline stage takes its next batch if it is free.
  case replicaStageSchedule
  /// A pipeline stage is done with a batch.
  case batchStageEnd
  /// A batch has left the last stage.
  case batchEnd
  /// A replica drains, fails or recovers.
  case availabilityChange
}

/// One scheduled event. `batch` is a slot of `ClusterSimulation.batches`; for an arrival, `replica` is -1 and `batch` the request slot; for a change
/// of availability `batch` is its index.
struct Event: Equatable, Sendable {
  var time: Double
  var id: Int
  var kind: EventKind
  var replica: Int32 = -1
  var stage: Int32 = -1
  var batch: Int32 = -1
}

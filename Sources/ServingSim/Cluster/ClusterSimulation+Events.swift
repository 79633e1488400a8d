extension ClusterSimulation {
  /// Handles one event; successors are created in a fixed order, which numbers them.
  mutating func handle(_ event: Event) {
    countEvents(1)
    beginAt(event.time)
    if log != nil { logEvent(event) }
    switch event.kind {
    case .requestArrival: requestArrived(event)
    case .globalSchedule: findDecision(from: 0)
    case .replicaSchedule: scheduleReplica(event)
    case .batchStageArrival: batchReachedStage(event)
    case .replicaStageSchedule: scheduleStage(event)
    case .batchStageEnd: stageEnded(event)
    case .batchEnd: batchEnded(event)
    case .availabilityChange: changeAvailability(event)
    }
  }

  private mutating func requestArrived(_ event: Event) {
    let slot = Int(event.batch)
    countArrival()
    if requests[slot].totalTokens > reachableTokens {
      reject(slot)
      return
    }
    router.append(slot)
    queue.pushNow(.globalSchedule)
  }

  private mutating func scheduleReplica(_ event: Event) {
    let index = Int(event.replica)
    while let slot = formBatch(index, at: event.time) {
      formed.append(slot)
      if log != nil { logBatch(slot, replica: index) }
    }
    if log != nil { logBlocks(replica: index) }
    for slot in formed {
      queue.pushNow(.batchStageArrival, replica: event.replica, stage: 0, batch: Int32(truncatingIfNeeded: slot))
    }
    formed.removeAll(keepingCapacity: true)
  }

  private mutating func batchReachedStage(_ event: Event) {
    replicas[Int(event.replica)].stages[Int(event.stage)].queue.append(Int(event.batch))
    if log != nil { logBatchDetail(Int(event.batch)) }
    queue.pushNow(.replicaStageSchedule, replica: event.replica, stage: event.stage)
  }

  private mutating func scheduleStage(_ event: Event) {
    guard let (slot, end) = startStage(Int(event.replica), stage: Int(event.stage), at: event.time) else { return }
    if log != nil { logBatchDetail(slot) }
    queue.pushStageEnd(at: end, replica: event.replica, stage: event.stage, batch: Int32(truncatingIfNeeded: slot))
  }

  private mutating func stageEnded(_ event: Event) {
    let index = Int(event.replica)
    endStage(index, stage: Int(event.stage), batch: Int(event.batch), at: event.time)
    if log != nil { logStage(Int(event.batch), event) }
    queue.pushNow(.replicaStageSchedule, replica: event.replica, stage: event.stage)
    if Int(event.stage) + 1 == replicas[index].stages.count {
      queue.pushNow(.batchEnd, replica: event.replica, batch: event.batch)
    } else {
      queue.pushNow(.batchStageArrival, replica: event.replica, stage: event.stage + 1, batch: event.batch)
    }
  }

  private mutating func batchEnded(_ event: Event) {
    endBatch(Int(event.replica), batch: Int(event.batch), at: event.time)
    queue.pushNow(.replicaSchedule, replica: event.replica)
  }
}

extension ClusterSimulation {
  /// Handles one event; successors are created in a fixed order, which numbers them.
  mutating func handle(_ event: Event) {
    countEvent()
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
    let limits = models[replicas[index].model].limits
    while replicas[index].runningBatches < limits.stageCount {
      let slot = takeBatchSlot()
      let isFormed = replicas[index].formBatch(at: event.time, limits: limits, requests: &requests, batch: &batches[slot])
      if !isFormed {
        freeBatchSlots.append(slot)
        break
      }
      batches[slot].id = nextBatchID
      batches[slot].replica = index
      nextBatchID &+= 1
      replicas[index].runningBatches &+= 1
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
    let index = Int(event.replica)
    let stage = Int(event.stage)
    if replicas[index].stages[stage].isBusy || replicas[index].stages[stage].queue.isEmpty { return }
    replicas[index].stages[stage].isBusy = true
    let slot = replicas[index].stages[stage].queue.removeFirst()
    let time = models[replicas[index].model].stageTime(stage: stage, batch: &batches[slot], requests: requests)
    batches[slot].stageStartedAt = event.time
    batches[slot].stageTime = time
    if log != nil { logBatchDetail(slot) }
    queue.push(
      at: event.time + time.total, .batchStageEnd, replica: event.replica, stage: event.stage, batch: Int32(truncatingIfNeeded: slot))
  }

  private mutating func stageEnded(_ event: Event) {
    let stage = Int(event.stage)
    let slot = Int(event.batch)
    replicas[Int(event.replica)].stages[stage].isBusy = false
    let start = batches[slot].stageStartedAt
    let time = batches[slot].stageTime
    let members = batches[slot].members
    var live = requests.mutableSpan
    for member in members {
      live[Int(member.slot)].stageEnded(start: start, end: event.time, time: time)
    }
    if log != nil { logStage(slot, event) }
    queue.pushNow(.replicaStageSchedule, replica: event.replica, stage: event.stage)
    if stage + 1 == replicas[Int(event.replica)].stages.count {
      queue.pushNow(.batchEnd, replica: event.replica, batch: event.batch)
    } else {
      queue.pushNow(.batchStageArrival, replica: event.replica, stage: event.stage + 1, batch: event.batch)
    }
  }

  private mutating func batchEnded(_ event: Event) {
    let index = Int(event.replica)
    let slot = Int(event.batch)
    let members = batches[slot].members
    var progress = 0
    var hasCompleted = false
    do {
      var live = requests.mutableSpan
      for member in members {
        let place = Int(member.slot)
        progress &+= live[place].batchEnded(at: event.time, tokens: Int(member.tokens))
        if live[place].isCompleted { hasCompleted = true }
      }
    }
    replicas[index].outstandingTokens -= progress
    replicas[index].batchEnded(batches[slot], limits: models[replicas[index].model].limits, requests: &requests)
    if log != nil {
      logBatchEnd(slot, event)
      logBlocks(replica: index)
    }
    if hasCompleted {
      for member in members where requests[Int(member.slot)].isCompleted {
        complete(Int(member.slot))
      }
    }
    batches[slot].id = -1
    freeBatchSlots.append(slot)
    queue.pushNow(.replicaSchedule, replica: event.replica)
  }

  private mutating func takeBatchSlot() -> Int {
    if let slot = freeBatchSlots.popLast() {
      batches[slot].reuse()
      return slot
    }
    batches.append(Batch())
    return batches.count - 1
  }
}

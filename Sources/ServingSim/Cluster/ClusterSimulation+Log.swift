extension ClusterSimulation {
  mutating func logEvent(_ event: Event) {
    guard log?.parts.contains(.events) == true else { return }
    let detail: EventLog.Detail
    var replica = event.replica < 0 ? nil : Int(event.replica)
    switch event.kind {
    case .requestArrival: detail = .arrival(request: requests[Int(event.batch)].id)
    case .globalSchedule: detail = .placements([])
    case .availabilityChange:
      detail = .change(configuration.availability[Int(event.batch)].kind)
      replica = configuration.availability[Int(event.batch)].replica
    default: detail = .none
    }
    withLog { log in
      log.events.append(
        EventLog.Entry(
          id: event.id, time: event.time, kind: event.kind, replica: replica,
          stage: event.stage < 0 ? nil : Int(event.stage), detail: detail, allocatedBlocks: nil))
    }
  }

  mutating func logPlacement(request: Int, replica: Int) {
    withLog { log in
      guard case .placements(var placements) = log.events.last?.detail else { return }
      placements.append(EventLog.Placement(request: request, replica: replica))
      log.setDetail(.placements(placements))
    }
  }

  mutating func logBatch(_ slot: Int, replica: Int) {
    if log?.parts.isEmpty == true { return }
    let batch = batches[slot]
    let record = EventLog.BatchRecord(
      id: batch.id, replica: replica, scheduledAt: now, completedAt: nil, cancelledAt: nil,
      requests: batch.members.map { requests[Int($0.slot)].id }, tokens: batch.members.map { Int($0.tokens) },
      prefillTokens: batch.prefillTokens, allocatedBlocks: replicas[replica].allocatedBlocks, waitingCount: replicas[replica].waiting.count)
    withLog { log in
      if log.parts.contains(.batches) { log.batches.append(record) }
      if case .batches(let earlier) = log.events.last?.detail {
        log.setDetail(.batches(earlier + [record.id]))
      } else {
        log.setDetail(.batches([record.id]))
      }
    }
  }

  mutating func logBlocks(replica: Int) {
    let blocks = replicas[replica].allocatedBlocks
    withLog { $0.setAllocatedBlocks(blocks) }
  }

  mutating func logBatchDetail(_ slot: Int) {
    let id = batches[slot].id
    withLog { $0.setDetail(.batches([id])) }
  }

  mutating func logStage(_ slot: Int, _ event: Event) {
    let batch = batches[slot]
    let work = log?.parts.contains(.work) == true ? models[replicas[Int(event.replica)].model].work(Int(event.stage), batch, requests) : nil
    withLog { log in
      log.setDetail(.batches([batch.id]))
      guard log.parts.contains(.stages) else { return }
      log.stages.append(
        EventLog.StageRecord(
          batch: batch.id, replica: Int(event.replica), stage: Int(event.stage), scheduledAt: batch.stageStartedAt,
          completedAt: event.time, modelSeconds: batch.stageTime.model, work: work))
    }
  }

  /// Called when the members have been updated and those that are done still have their ids.
  mutating func logBatchEnd(_ slot: Int, at time: Double) {
    let id = batches[slot].id
    if log?.parts.contains(.tokens) == true { logTokens(slot, at: time) }
    withLog { log in
      log.setDetail(.batches([id]))
      log.updateBatch(id) { $0.completedAt = time }
    }
  }

  private mutating func logTokens(_ slot: Int, at time: Double) {
    var members: [EventLog.TokenRecord.Member] = []
    for member in batches[slot].members {
      let request = requests[Int(member.slot)]
      guard request.isPrefillComplete else { continue }
      let isDecode = request.processedTokens > request.prefillTokens + 1
      let isFirst = !isDecode && request.prefillCompletedAt == time
      members.append(
        EventLog.TokenRecord.Member(
          request: request.id, prefillTokens: isFirst ? request.prefillTokens : 0, isDecode: isDecode, isLast: request.isCompleted))
    }
    if members.isEmpty { return }
    let replica = batches[slot].replica
    withLog { $0.tokens.append(EventLog.TokenRecord(time: time, replica: replica, members: members)) }
  }

  mutating func logCancellation(_ slot: Int) {
    let id = batches[slot].id
    let time = now
    withLog { log in log.updateBatch(id) { $0.cancelledAt = time } }
  }
}

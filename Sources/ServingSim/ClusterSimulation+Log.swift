extension ClusterSimulation {
  mutating func logEvent(_ event: Event) {
    let detail: EventLog.Detail
    switch event.kind {
    case .requestArrival: detail = .arrival(request: requests[Int(event.batch)].id)
    case .globalSchedule: detail = .placements([])
    default: detail = .none
    }
    withLog { log in
      log.events.append(
        EventLog.Entry(
          id: event.id, time: event.time, kind: event.kind, replica: event.replica < 0 ? nil : Int(event.replica),
          stage: event.stage < 0 ? nil : Int(event.stage), detail: detail))
    }
  }

  mutating func logPlacement(request: Int, replica: Int) {
    withLog { log in
      guard case .placements(var placements) = log.events[log.events.count - 1].detail else { return }
      placements.append(EventLog.Placement(request: request, replica: replica))
      log.setDetail(.placements(placements))
    }
  }

  mutating func logBatch(_ slot: Int, replica: Int) {
    let batch = batches[slot]
    let record = EventLog.BatchRecord(
      id: batch.id, replica: replica, scheduledAt: now, completedAt: nil, requests: batch.members.map { requests[Int($0.slot)].id },
      tokens: batch.members.map { Int($0.tokens) }, prefillTokens: batch.prefillTokens,
      allocatedBlocks: replicas[replica].allocatedBlocks, waitingCount: replicas[replica].waiting.count)
    withLog { log in
      log.batches.append(record)
      if case .batches(let earlier) = log.events[log.events.count - 1].detail {
        log.setDetail(.batches(earlier + [record.id]))
      } else {
        log.setDetail(.batches([record.id]))
      }
    }
  }

  mutating func logBatchDetail(_ slot: Int) {
    let id = batches[slot].id
    withLog { $0.setDetail(.batches([id])) }
  }

  mutating func logStage(_ slot: Int, _ event: Event) {
    let batch = batches[slot]
    withLog { log in
      log.setDetail(.batches([batch.id]))
      log.stages.append(
        EventLog.StageRecord(
          batch: batch.id, replica: Int(event.replica), stage: Int(event.stage), scheduledAt: batch.stageStartedAt,
          completedAt: event.time))
    }
  }

  mutating func logBatchEnd(_ slot: Int, _ event: Event) {
    let id = batches[slot].id
    withLog { log in
      log.setDetail(.batches([id]))
      log.batches[id].completedAt = event.time
    }
  }
}

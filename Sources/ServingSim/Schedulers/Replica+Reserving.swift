/// The schedulers that reserve the blocks of the longest sequence for every request.
extension Replica {
  /// The orca policy: running requests first, then whole prompts of new ones, in one batch.
  mutating func formOrcaBatch(at time: Double, limits: SchedulerLimits, requests: inout [Request], batch: inout Batch) {
    let turn = min(running.count, limits.reservedBatchMax)
    for entry in running[..<turn] { batch.add(entry.slot, tokens: 1, of: requests[entry.slot]) }
    running.removeFirst(turn)
    admitReserving(at: time, limits: limits, requests: &requests, batch: &batch)
  }

  /// The faster_transformer policy: the oldest unfinished batch goes on with its unfinished members; only without one a new batch is made.
  mutating func formFasterTransformerBatch(at time: Double, limits: SchedulerLimits, requests: inout [Request], batch: inout Batch) {
    if let held = heldBatches.first {
      heldBatches.removeFirst()
      for entry in running[..<held.count] { batch.add(entry.slot, tokens: 1, of: requests[entry.slot]) }
      running.removeFirst(held.count)
      batch.ownerlessBlocks = held.ownerlessBlocks
      return
    }
    admitReserving(at: time, limits: limits, requests: &requests, batch: &batch)
  }

  /// A finished member keeps its blocks until its whole batch is done. The reference then frees those of the last finishers only.
  mutating func fasterTransformerBatchEnded(
    _ members: [Batch.Member], batchOwnerlessBlocks: Int, limits: SchedulerLimits, requests: inout [Request]
  ) {
    var unfinished = 0
    var freed = 0
    for member in members {
      let slot = Int(member.slot)
      if requests[slot].isCompleted {
        freed += requests[slot].heldBlocks
        requests[slot].heldBlocks = 0
        residentCount -= 1
      } else {
        running.append(Running(order: requests[slot].arrivedAt, slot: slot))
        unfinished += 1
      }
    }
    if unfinished > 0 {
      ownerlessBlocks += freed
      heldBatches.append(HeldBatch(count: unfinished, ownerlessBlocks: batchOwnerlessBlocks + freed))
    } else {
      allocatedBlocks -= freed
      if limits.parity == .sane {
        allocatedBlocks -= batchOwnerlessBlocks
        ownerlessBlocks -= batchOwnerlessBlocks
      }
    }
  }

  private mutating func admitReserving(at time: Double, limits: SchedulerLimits, requests: inout [Request], batch: inout Batch) {
    while let head = waiting.first, batch.members.count < limits.reservedBatchMax, freeBlocks(limits) >= limits.sequenceBlocks {
      let slot = admitHead(at: time, blocks: limits.sequenceBlocks, requests: &requests)
      batch.add(slot, tokens: requests[head].prefillTokens, of: requests[slot])
    }
  }
}

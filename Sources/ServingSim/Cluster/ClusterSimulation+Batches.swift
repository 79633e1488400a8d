/// What happens to a batch, in both forms of the simulation: it is formed, a stage works on it, it ends.
///
/// Requests are written by subscript, each write with its test for a buffer shared with a copy; a `mutableSpan` over them gains less than 5 %.
extension ClusterSimulation {
  /// Lets replica `index` form another batch, if anything can run.
  ///
  /// - Returns: its slot.
  mutating func formBatch(_ index: Int, at time: Double) -> Int? {
    let limits = models[replicas[index].model].limits
    if replicas[index].runningBatches >= limits.stageCount { return nil }
    let slot = takeBatchSlot()
    let isFormed = replicas[index].formBatch(at: time, limits: limits, requests: &requests, batch: &batches[slot])
    replicas[index].noteBlocks(at: time)
    if !isFormed {
      freeBatchSlots.append(slot)
      return nil
    }
    batches[slot].id = nextBatchID
    batches[slot].replica = index
    nextBatchID &+= 1
    replicas[index].runningBatches &+= 1
    return slot
  }

  /// Lets an idle stage begin with its next batch.
  ///
  /// - Returns: the batch's slot and when the stage will be done with it; nil if the stage is busy or has no batch.
  mutating func startStage(_ index: Int, stage: Int, at time: Double) -> (batch: Int, end: Double)? {
    if replicas[index].stages[stage].isBusy || replicas[index].stages[stage].queue.isEmpty { return nil }
    replicas[index].stages[stage].isBusy = true
    let slot = replicas[index].stages[stage].queue.removeFirst()
    let clock = models[replicas[index].model].clock(stage: stage, batch: &batches[slot], requests: requests)
    let stageTime = clock.time(contextTokens: batches[slot].decodeContextTokens)
    batches[slot].stageStartedAt = time
    batches[slot].stageTime = stageTime
    return (slot, time + stageTime.total)
  }

  /// A stage is done with the batch in `slot`.
  mutating func endStage(_ index: Int, stage: Int, batch slot: Int, at time: Double) {
    let start = batches[slot].stageStartedAt
    let stageTime = batches[slot].stageTime
    replicas[index].stages[stage].isBusy = false
    replicas[index].stages[stage].busySeconds += time - start
    for member in batches[slot].members {
      requests[Int(member.slot)].stageEnded(start: start, end: time, time: stageTime)
    }
  }

  /// The batch in `slot` has left the last stage.
  mutating func endBatch(_ index: Int, batch slot: Int, at time: Double) {
    let members = batches[slot].members
    var progress = 0
    var hasCompleted = false
    for member in members {
      progress &+= requests[Int(member.slot)].batchEnded(at: time, tokens: Int(member.tokens))
      if requests[Int(member.slot)].isCompleted { hasCompleted = true }
    }
    let limits = models[replicas[index].model].limits
    replicas[index].outstandingTokens -= progress
    replicas[index].use.add(members: members.count, tokens: batches[slot].tokens, pairs: batches[slot].pairs)
    replicas[index].batchEnded(members, ownerlessBlocks: batches[slot].ownerlessBlocks, limits: limits, requests: &requests)
    replicas[index].noteBlocks(at: time)
    if log != nil {
      logBatchEnd(slot, at: time)
      logBlocks(replica: index)
    }
    if hasCompleted {
      for member in members where requests[Int(member.slot)].isCompleted { complete(Int(member.slot)) }
    }
    batches[slot].id = -1
    freeBatchSlots.append(slot)
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

/// A serving engine: its waiting queue, its resident requests, its KV blocks and its pipeline stages.
///
/// Invariants: 0 <= `allocatedBlocks` <= block count; `allocatedBlocks` is the sum of `heldBlocks` over resident requests, `residentCount` their
/// number, at most the batch size cap; a request is either waiting or resident; `outstandingTokens` is the sum of remaining tokens over both.
struct Replica: Equatable, Sendable {
  /// A resident request that is in no batch right now.
  struct Running: Equatable, Sendable {
    var arrivedAt: Double
    var slot: Int
  }

  /// One pipeline stage: batches that wait for it and whether it works.
  struct Stage: Equatable, Sendable {
    var queue = RingQueue()
    var isBusy = false
  }

  /// Request slots in queue order.
  var waiting = RingQueue()
  /// Resident requests between two batches (the reference's preempted list).
  var running: [Running] = []
  var allocatedBlocks = 0
  var residentCount = 0
  /// Batches in flight, at most one per stage.
  var runningBatches = 0
  var outstandingTokens = 0
  var stages: [Stage]
  /// Scratch of `formSarathiBatch`, empty between calls.
  var partialPrefills: [Running] = []

  init(stageCount: Int) {
    stages = [Stage](repeating: Stage(), count: stageCount)
  }

  /// Puts a routed request at the end of the queue.
  mutating func enqueue(_ slot: Int, tokens: Int) {
    waiting.append(slot)
    outstandingTokens += tokens
  }

  /// Fills `batch` with the next batch's members.
  ///
  /// - Returns: whether anything can run.
  mutating func formBatch(at time: Double, limits: SchedulerLimits, requests: inout [Request], batch: inout Batch) -> Bool {
    switch limits.kind {
    case .vllm(let maxTokens):
      formVLLMBatch(at: time, maxTokensInBatch: maxTokens, limits: limits, requests: &requests, batch: &batch)
      if batch.members.isEmpty && limits.parity == .sane && runningBatches == 0 && !waiting.isEmpty {
        // Everything was evicted: nobody would wake this replica again, so the prefill pass gets the freed blocks now.
        formVLLMBatch(at: time, maxTokensInBatch: maxTokens, limits: limits, requests: &requests, batch: &batch)
      }
    case .sarathi(let chunkTokens):
      formSarathiBatch(at: time, chunkTokens: chunkTokens, limits: limits, requests: &requests, batch: &batch)
    }
    return !batch.members.isEmpty
  }

  /// Takes back the members of a batch that left the last stage: completed ones free their blocks, the others await the next batch.
  mutating func batchEnded(_ members: [Batch.Member], requests: inout [Request]) {
    runningBatches -= 1
    for member in members {
      let slot = Int(member.slot)
      if requests[slot].isCompleted {
        free(slot, requests: &requests)
      } else {
        running.append(Running(arrivedAt: requests[slot].arrivedAt, slot: slot))
      }
    }
  }

  // MARK: Blocks

  /// Whether a waiting request with this prefill may become resident: its blocks must leave the watermark free.
  func canAdmit(prefillTokens: Int, limits: SchedulerLimits) -> Bool {
    limits.blockCount - allocatedBlocks - limits.blocks(for: prefillTokens) >= limits.watermarkBlocks
  }

  /// Makes the head of the queue resident: blocks for its whole prefill.
  mutating func admitHead(at time: Double, limits: SchedulerLimits, requests: inout [Request]) -> Int {
    let slot = waiting.removeFirst()
    let blocks = limits.blocks(for: requests[slot].prefillTokens)
    requests[slot].heldBlocks = blocks
    if requests[slot].scheduledAt == nil { requests[slot].scheduledAt = time }
    allocatedBlocks += blocks
    residentCount += 1
    return slot
  }

  mutating func free(_ slot: Int, requests: inout [Request]) {
    allocatedBlocks -= requests[slot].heldBlocks
    precondition(allocatedBlocks >= 0, "more KV blocks freed than were allocated")
    requests[slot].heldBlocks = 0
    residentCount -= 1
  }

  /// Restarts a resident request and puts it at the front of the queue.
  mutating func evict(_ slot: Int, limits: SchedulerLimits, requests: inout [Request]) {
    outstandingTokens += requests[slot].processedTokens
    requests[slot].restart(parity: limits.parity)
    free(slot, requests: &requests)
    waiting.prepend(slot)
  }

  /// Makes sure that one block is free for the decode step of `slot`, evicting from the end of `running[position..<end]`, and takes it if the step
  /// needs it. Without anyone left to evict, `slot` itself restarts.
  ///
  /// - Returns: whether `slot` may run.
  mutating func reserveDecodeStep(
    _ slot: Int, position: Int, end: inout Int, limits: SchedulerLimits, requests: inout [Request]
  ) -> Bool {
    while limits.blockCount - allocatedBlocks < 1 {
      if end > position {
        end -= 1
        evict(running[end].slot, limits: limits, requests: &requests)
      } else {
        evict(slot, limits: limits, requests: &requests)
        return false
      }
    }
    let held = requests[slot].heldBlocks
    let missing = requests[slot].processedTokens - held * limits.blockSize
    if missing > 0 {
      precondition(missing == 1, "a decode step needs more than one new block")
      requests[slot].heldBlocks = held + 1
      allocatedBlocks += 1
    }
    return true
  }

  /// Stable insertion sort by arrival: the list is nearly sorted, so this is one pass.
  mutating func sortRunning() {
    var index = 1
    while index < running.count {
      let entry = running[index]
      var place = index
      while place > 0 && running[place - 1].arrivedAt > entry.arrivedAt {
        running[place] = running[place - 1]
        place -= 1
      }
      if place != index { running[place] = entry }
      index += 1
    }
  }
}

/// A serving engine: its waiting queue, its resident requests, its KV blocks and its pipeline stages.
///
/// Invariants: 0 <= `allocatedBlocks` <= block count; `allocatedBlocks` is the sum of `heldBlocks` over resident requests plus `ownerlessBlocks`;
/// `residentCount` is the number of requests that hold blocks, at most `SchedulerLimits.residentMax`; a request is either waiting or resident;
/// `outstandingTokens` is the sum of remaining tokens over both; a failed replica holds nothing.
struct Replica: Equatable, Sendable {
  /// A resident request that is in no batch right now.
  struct Running: Equatable, Sendable {
    /// Arrival time, or the number of its admission (vllm_v1): the order in which requests get their turn.
    var order: Double
    var slot: Int
  }

  /// Members of faster_transformer's next batches: that many of `running`, and the blocks of those who have finished.
  struct HeldBatch: Equatable, Sendable {
    var count: Int
    var ownerlessBlocks: Int
  }

  /// One pipeline stage: batches that wait for it and the one it works on.
  struct Stage: Equatable, Sendable {
    var queue = RingQueue()
    var isBusy = false
    /// Time it has worked so far, done batches only.
    var busySeconds = 0.0
  }

  /// Index of its configuration in `ClusterSimulation.models`.
  let model: Int
  var availability = ReplicaAvailability.available
  /// Request slots in queue order.
  var waiting = RingQueue()
  /// Resident requests between two batches (the reference's preempted list).
  var running: [Running] = []
  var heldBatches: [HeldBatch] = []
  var allocatedBlocks = 0
  /// Blocks of requests that are done, kept until their batch is (faster_transformer).
  var ownerlessBlocks = 0
  var residentCount = 0
  /// Batches in flight, at most one per stage.
  var runningBatches = 0
  var outstandingTokens = 0
  /// Requests admitted so far.
  var admissions = 0
  /// Decode steps since the last attempt to admit (lightllm).
  var waitingIterations = 0
  /// Whether the batch formed last holds every resident request, all of them decoding: with one stage, the next batch is the same one until a request
  /// is done, memory runs short, or the queue gets another head.
  var isSteady = false
  /// Whether the last formation evicted somebody.
  var hasEvicted = false
  var stages: [Stage]
  var use = ReplicaUse()
  /// Scratch of `formSarathiBatch`, empty between calls.
  var partialPrefills: [Running] = []

  init(model: Int, stageCount: Int) {
    self.model = model
    stages = [Stage](repeating: Stage(), count: stageCount)
  }

  /// Puts a routed request into the queue: at its end, or before the less important ones.
  mutating func enqueue(_ slot: Int, limits: SchedulerLimits, requests: [Request]) {
    outstandingTokens += requests[slot].totalTokens
    if limits.isByPriority { return queueByPriority(slot, requests: requests) }
    if waiting.isEmpty { isSteady = false }
    waiting.append(slot)
  }

  /// Fills `batch` with the next batch's members.
  ///
  /// - Returns: whether anything can run.
  mutating func formBatch(at time: Double, limits: SchedulerLimits, requests: inout [Request], batch: inout Batch) -> Bool {
    hasEvicted = false
    formOnce(at: time, limits: limits, requests: &requests, batch: &batch)
    if batch.members.isEmpty && limits.parity == .sane && runningBatches == 0 && !waiting.isEmpty {
      // Everything was evicted: nobody would wake this replica again, so the waiting get the freed blocks now.
      isSteady = false
      hasEvicted = false
      formOnce(at: time, limits: limits, requests: &requests, batch: &batch)
    } else {
      isSteady = batch.decodeRequests == batch.members.count && running.isEmpty && !hasEvicted
    }
    return !batch.members.isEmpty
  }

  private mutating func formOnce(at time: Double, limits: SchedulerLimits, requests: inout [Request], batch: inout Batch) {
    switch limits.kind {
    case .vllm(let maxTokens):
      formVLLMBatch(at: time, maxTokensInBatch: maxTokens, limits: limits, requests: &requests, batch: &batch)
    case .sarathi(let chunkTokens):
      formSarathiBatch(at: time, chunkTokens: chunkTokens, limits: limits, requests: &requests, batch: &batch)
    case .orca:
      formOrcaBatch(at: time, limits: limits, requests: &requests, batch: &batch)
    case .fasterTransformer:
      formFasterTransformerBatch(at: time, limits: limits, requests: &requests, batch: &batch)
    case .lightllm(let maxTokens, let iterations):
      formLightLLMBatch(
        at: time, maxTokensInBatch: maxTokens, maxWaitingIterations: iterations, limits: limits, requests: &requests, batch: &batch)
    case .vllmV1(let maxTokens, let threshold, let isChunked):
      formVLLMV1Batch(
        at: time, maxTokens: maxTokens, threshold: threshold, isChunked: isChunked, limits: limits, requests: &requests, batch: &batch)
    }
  }

  /// Takes back the members of a batch that left the last stage: completed ones free their blocks, the others await the next batch.
  ///
  /// - Parameter ownerlessBlocks: those of the batch.
  mutating func batchEnded(_ members: [Batch.Member], ownerlessBlocks: Int, limits: SchedulerLimits, requests: inout [Request]) {
    runningBatches -= 1
    if case .fasterTransformer = limits.kind {
      fasterTransformerBatchEnded(members, batchOwnerlessBlocks: ownerlessBlocks, limits: limits, requests: &requests)
      return
    }
    for member in members {
      let slot = Int(member.slot)
      if requests[slot].isCompleted {
        free(slot, requests: &requests)
      } else {
        running.append(
          Running(order: limits.isInOrderOfAdmission ? Double(requests[slot].admission) : requests[slot].arrivedAt, slot: slot))
      }
    }
  }

  // MARK: Blocks

  /// Takes down how many blocks are in use from `time` on.
  mutating func noteBlocks(at time: Double) { use.setBlocks(allocatedBlocks, at: time) }

  func freeBlocks(_ limits: SchedulerLimits) -> Int { limits.blockCount - allocatedBlocks }

  /// Whether a waiting request with this prefill may become resident: its blocks must leave the watermark free.
  func canAdmit(prefillTokens: Int, limits: SchedulerLimits) -> Bool {
    freeBlocks(limits) - limits.blocks(for: prefillTokens) >= limits.watermarkBlocks
  }

  /// Makes the head of the queue resident with `blocks` blocks.
  mutating func admitHead(at time: Double, blocks: Int, requests: inout [Request]) -> Int {
    let slot = waiting.removeFirst()
    requests[slot].heldBlocks = blocks
    requests[slot].admission = admissions
    if requests[slot].scheduledAt < 0 { requests[slot].scheduledAt = time }
    admissions &+= 1
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

  /// Restarts a resident request and puts it at the front of the queue, or by priority before those that it goes before.
  mutating func evict(_ slot: Int, limits: SchedulerLimits, requests: inout [Request]) {
    hasEvicted = true
    outstandingTokens += requests[slot].processedTokens
    requests[slot].restart(parity: limits.parity)
    free(slot, requests: &requests)
    if limits.isByPriority { queueByPriority(slot, requests: requests) } else { waiting.prepend(slot) }
  }

  /// Makes sure that `blocks` blocks are free for `slot`, evicting from the end of `running[position..<end]`; without anyone left to evict, `slot`
  /// itself restarts.
  ///
  /// - Returns: whether `slot` may run.
  mutating func makeRoom(
    for slot: Int, blocks: Int, position: Int, end: inout Int, limits: SchedulerLimits, requests: inout [Request]
  ) -> Bool {
    while freeBlocks(limits) < blocks {
      if end > position {
        end -= 1
        evict(running[end].slot, limits: limits, requests: &requests)
      } else {
        evict(slot, limits: limits, requests: &requests)
        return false
      }
    }
    return true
  }

  /// Makes sure that one block is free for the decode step of `slot`, even if it needs none, and takes it if it does.
  ///
  /// - Returns: whether `slot` may run.
  @inline(__always)
  mutating func reserveDecodeStep(
    _ slot: Int, position: Int, end: inout Int, limits: SchedulerLimits, requests: inout [Request]
  ) -> Bool {
    guard makeRoom(for: slot, blocks: 1, position: position, end: &end, limits: limits, requests: &requests) else { return false }
    let held = requests[slot].heldBlocks
    let missing = requests[slot].processedTokens - held * limits.blockSize
    if missing > 0 {
      precondition(missing == 1, "a decode step needs more than one new block")
      requests[slot].heldBlocks = held + 1
      allocatedBlocks += 1
    }
    return true
  }

  // MARK: Running list

  /// Stable insertion sort by turn: the list is nearly sorted, so this is one pass.
  mutating func sortRunning() {
    var index = 1
    while index < running.count {
      let entry = running[index]
      var place = index
      while place > 0 && running[place - 1].order > entry.order {
        running[place] = running[place - 1]
        place -= 1
      }
      if place != index { running[place] = entry }
      index += 1
    }
  }

  /// Drops the first `position` and everything from `end` on.
  mutating func removeVisited(_ position: Int, end: Int) {
    if position == end {
      running.removeAll(keepingCapacity: true)
      return
    }
    running.removeSubrange(end...)
    running.removeFirst(position)
  }
}

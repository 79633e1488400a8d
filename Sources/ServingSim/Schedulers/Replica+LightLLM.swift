extension Replica {
  /// What a request will need: tokens in the cache after the coming step, and steps left after it.
  private struct Need {
    var tokens: Int
    var left: Int
  }

  /// The lightllm policy: decode steps of everyone, and every so many of them an attempt to admit prompts whose future fits into the memory.
  mutating func formLightLLMBatch(
    at time: Double, maxTokensInBatch: Int, maxWaitingIterations: Int, limits: SchedulerLimits, requests: inout [Request],
    batch: inout Batch
  ) {
    if running.isEmpty || waitingIterations >= maxWaitingIterations {
      let isForced = !running.isEmpty
      admitByPeak(at: time, maxTokensInBatch: maxTokensInBatch, limits: limits, requests: &requests, batch: &batch)
      if isForced || !batch.members.isEmpty { waitingIterations = 0 }
      if !batch.members.isEmpty || running.isEmpty { return }
    }
    // The admission test keeps this many blocks free; should it not, the last one makes room.
    while freeBlocks(limits) < running.count, let last = running.popLast() {
      evict(last.slot, limits: limits, requests: &requests)
    }
    for entry in running {
      requests[entry.slot].heldBlocks += 1
      allocatedBlocks += 1
      batch.add(entry.slot, tokens: 1, of: requests[entry.slot])
    }
    if !running.isEmpty { waitingIterations += 1 }
    running.removeAll(keepingCapacity: true)
  }

  private mutating func admitByPeak(
    at time: Double, maxTokensInBatch: Int, limits: SchedulerLimits, requests: inout [Request], batch: inout Batch
  ) {
    if waiting.isEmpty { return }
    var needs = running.map { entry in
      let request = requests[entry.slot]
      return Need(
        tokens: request.processedTokens, left: max(0, request.decodeTokens - max(0, request.processedTokens - request.prefillTokens) - 1))
    }
    needs.sort { $0.left > $1.left }
    while let head = waiting.first {
      let request = requests[head]
      if batch.tokens + request.prefillTokens > maxTokensInBatch { break }
      if residentCount >= limits.batchSizeCap || batch.members.count >= limits.microBatchCap { break }
      let need = Need(tokens: request.prefillTokens + 1, left: max(0, request.decodeTokens - 2))
      needs.insert(need, at: needs.firstIndex { $0.left < need.left } ?? needs.count)
      if Self.peak(needs) >= limits.blockCount || freeBlocks(limits) < request.prefillTokens { break }
      let slot = admitHead(at: time, blocks: request.prefillTokens, requests: &requests)
      batch.add(slot, tokens: request.prefillTokens, of: requests[slot])
    }
  }

  /// Most tokens in the cache at any later step: when the i-th longest ends, the i longest ones have each grown by what it had left.
  private static func peak(_ needs: [Need]) -> Int {
    var sum = 0
    var peak = 0
    for (index, need) in needs.enumerated() {
      sum += need.tokens
      peak = max(peak, need.left * (index + 1) + sum)
    }
    return peak
  }
}

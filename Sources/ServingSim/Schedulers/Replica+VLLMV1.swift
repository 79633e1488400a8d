extension Replica {
  /// The policy of vLLM since version 1: one token budget for a step, whatever the tokens are for.
  ///
  /// Running requests go first, in order of admission, each with the tokens it lacks: one when it decodes, the rest of its prompt otherwise, at
  /// most `threshold` and what is left of the budget. A request for which no blocks are left recomputes the last running one later. Only if
  /// nobody was evicted, waiting requests fill up the budget, in queue order, the first that does not fit ending the step. Blocks are taken as
  /// tokens are computed; requests in another batch of the pipeline are passed over.
  mutating func formVLLMV1Batch(
    at time: Double, maxTokens: Int, threshold: Int, isChunked: Bool, limits: SchedulerLimits, requests: inout [Request], batch: inout Batch
  ) {
    sortRunning()
    let longest = threshold > 0 ? threshold : Int.max
    var budget = maxTokens
    var position = 0
    var end = running.count
    while position < end && budget > 0 {
      let slot = running[position].slot
      position += 1
      let request = requests[slot]
      // A decoding request counts the token whose cache entry this step computes as processed already.
      let tokens = request.isPrefillComplete ? 1 : min(request.prefillTokens - request.processedTokens, longest, budget)
      let cached = request.isPrefillComplete ? request.processedTokens : request.processedTokens + tokens
      let missing = limits.blocks(for: cached) - request.heldBlocks
      if !makeRoom(for: slot, blocks: missing, position: position, end: &end, limits: limits, requests: &requests) { break }
      if missing > 0 {
        requests[slot].heldBlocks += missing
        allocatedBlocks += missing
      }
      batch.add(slot, tokens: tokens, of: requests[slot])
      budget -= tokens
    }
    removeVisited(position, end: end)
    if hasEvicted { return }

    while let head = waiting.first, budget > 0, residentCount < limits.batchSizeCap {
      let prompt = requests[head].prefillTokens
      let wanted = min(prompt, longest)
      if !isChunked && wanted > budget { break }
      let tokens = min(wanted, budget)
      // The whole prompt must fit, or prompts would evict each other in the middle.
      if limits.blocks(for: prompt) > freeBlocks(limits) { break }
      let slot = admitHead(at: time, blocks: limits.blocks(for: tokens), requests: &requests)
      batch.add(slot, tokens: tokens, of: requests[slot])
      budget -= tokens
    }
  }
}

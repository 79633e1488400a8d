extension Replica {
  /// The policy of vLLM since version 1: one token budget for a step, whatever the tokens are for.
  ///
  /// Running requests go first, in order of admission, each with the tokens it lacks: one when it decodes, the rest of its prompt otherwise, at
  /// most `threshold` and what is left of the budget. A request for which no blocks are left recomputes the last running one later, or by
  /// priority the least important one, even if it has its place in the batch already. Only if
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
      if limits.isByPriority {
        guard
          makeRoomByPriority(
            blocks: missing, position: &position, end: &end, budget: &budget, limits: limits, requests: &requests, batch: &batch)
        else { break }
      } else if !makeRoom(for: slot, blocks: missing, position: position, end: &end, limits: limits, requests: &requests) {
        break
      }
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
  /// Makes sure that `blocks` blocks are free for `running[position - 1]`, evicting the least important of `running[..<end]`, itself included.
  ///
  /// - Returns: whether it may run.
  private mutating func makeRoomByPriority(
    blocks: Int, position: inout Int, end: inout Int, budget: inout Int, limits: SchedulerLimits, requests: inout [Request],
    batch: inout Batch
  ) -> Bool {
    while freeBlocks(limits) < blocks {
      var last = 0
      for index in 0..<end where requests[running[last].slot].precedes(requests[running[index].slot]) { last = index }
      let slot = running[last].slot
      if last == position - 1 {
        evict(slot, limits: limits, requests: &requests)
        return false
      }
      if last < position {
        budget += batch.remove(slot, requests: requests)
        position -= 1
      }
      running.remove(at: last)
      end -= 1
      evict(slot, limits: limits, requests: &requests)
    }
    return true
  }

  /// Puts a request into the queue before those that it goes before.
  mutating func queueByPriority(_ slot: Int, requests: [Request]) {
    var place = waiting.count
    while place > 0 && requests[slot].precedes(requests[waiting[place - 1]]) { place -= 1 }
    if place == 0 { isSteady = false }
    waiting.insert(slot, at: place)
  }
}

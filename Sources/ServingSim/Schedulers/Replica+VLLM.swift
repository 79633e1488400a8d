extension Replica {
  /// The vllm policy: a prefill-only batch if the queue's head can be admitted, else one token for each running request.
  mutating func formVLLMBatch(
    at time: Double, maxTokensInBatch: Int, limits: SchedulerLimits, requests: inout [Request], batch: inout Batch
  ) {
    var longest = 0
    while let head = waiting.first {
      let tokens = requests[head].prefillTokens
      if !canAdmit(prefillTokens: tokens, limits: limits) { break }
      // The batch is padded to its longest member.
      longest = max(longest, tokens)
      if (batch.members.count + 1) * longest > maxTokensInBatch { break }
      if residentCount == limits.batchSizeCap { break }
      if batch.members.count == limits.microBatchCap { break }
      let slot = admitHead(at: time, blocks: limits.blocks(for: tokens), requests: &requests)
      batch.add(slot, tokens: tokens, of: requests[slot])
    }
    if !batch.members.isEmpty { return }

    sortRunning()
    var position = 0
    var end = running.count
    while position < end && batch.members.count < limits.microBatchCap {
      let slot = running[position].slot
      position += 1
      if reserveDecodeStep(slot, position: position, end: &end, limits: limits, requests: &requests) {
        batch.add(slot, tokens: 1, of: requests[slot])
      }
    }
    removeVisited(position, end: end)
  }
}

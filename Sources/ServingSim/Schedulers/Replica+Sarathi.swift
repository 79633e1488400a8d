extension Replica {
  /// The sarathi policy: decodes first, then running prefills, then new requests share what is left of `chunkTokens`.
  mutating func formSarathiBatch(
    at time: Double, chunkTokens: Int, limits: SchedulerLimits, requests: inout [Request], batch: inout Batch
  ) {
    var position = 0
    var end = running.count
    while position < end && batch.members.count < limits.microBatchCap {
      let entry = running[position]
      position += 1
      if !requests[entry.slot].isPrefillComplete {
        partialPrefills.append(entry)
      } else if reserveDecodeStep(entry.slot, position: position, end: &end, limits: limits, requests: &requests) {
        batch.add(entry.slot, tokens: 1, of: requests[entry.slot])
      }
    }
    // Partial prefills hold their blocks already and are not limited by the micro batch cap. Skipped ones stay in front of the unvisited.
    var kept = 0
    for entry in partialPrefills {
      let tokens = prefillChunk(requests[entry.slot], chunkTokens: chunkTokens, batch: batch)
      if tokens > 0 {
        batch.add(entry.slot, tokens: tokens, of: requests[entry.slot])
      } else {
        running[kept] = entry
        kept += 1
      }
    }
    partialPrefills.removeAll(keepingCapacity: true)
    running.removeSubrange(end...)
    running.removeSubrange(kept..<position)
    sortRunning()

    while let head = waiting.first {
      if residentCount == limits.batchSizeCap { break }
      if batch.members.count == limits.microBatchCap { break }
      if !canAdmit(prefillTokens: requests[head].prefillTokens, limits: limits) { break }
      let tokens = prefillChunk(requests[head], chunkTokens: chunkTokens, batch: batch)
      if tokens == 0 { break }
      let slot = admitHead(at: time, blocks: limits.blocks(for: requests[head].prefillTokens), requests: &requests)
      batch.add(slot, tokens: tokens, of: requests[slot])
    }
  }

  /// Prompt tokens for the next batch, 0 when it is full.
  private func prefillChunk(_ request: Request, chunkTokens: Int, batch: Batch) -> Int {
    max(0, min(request.prefillTokens - request.processedTokens, chunkTokens - batch.tokens))
  }
}

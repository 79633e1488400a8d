extension ClusterSimulation {
  /// Violations of the listed invariants, empty if all hold. O(requests in flight); for tests and debugging.
  public func invariantViolations() -> [String] {
    var violations: [String] = []
    var owners = [Int](repeating: 0, count: requests.count)
    for slot in freeRequestSlots { owners[slot] += 1 }
    for index in router.indices { owners[router[index]] += 1 }
    for (index, replica) in replicas.enumerated() {
      var blocks = 0
      var resident = 0
      var tokens = 0
      for request in requests where request.id >= 0 && request.replica == index {
        blocks += request.heldBlocks
        resident += request.heldBlocks > 0 ? 1 : 0
        tokens += request.remainingTokens
      }
      let limits = models[replica.model].limits
      if blocks + replica.ownerlessBlocks != replica.allocatedBlocks {
        violations.append("replica \(index): \(replica.allocatedBlocks) blocks counted, \(blocks) held")
      }
      if resident != replica.residentCount {
        violations.append("replica \(index): \(replica.residentCount) residents counted, \(resident) found")
      }
      if tokens != replica.outstandingTokens {
        violations.append("replica \(index): \(replica.outstandingTokens) outstanding tokens counted, \(tokens) found")
      }
      if replica.allocatedBlocks < 0 || replica.allocatedBlocks > limits.blockCount {
        violations.append("replica \(index): \(replica.allocatedBlocks) of \(limits.blockCount) blocks")
      }
      if replica.availability == .failed && (replica.waiting.count + replica.residentCount > 0 || replica.runningBatches > 0) {
        violations.append("replica \(index) has failed and holds requests")
      }
      if replica.residentCount > limits.residentMax {
        violations.append("replica \(index): \(replica.residentCount) residents exceed the cap")
      }
      if replica.runningBatches < 0 || replica.runningBatches > limits.stageCount {
        violations.append("replica \(index): \(replica.runningBatches) batches in flight")
      }
      for place in replica.waiting.indices {
        let slot = replica.waiting[place]
        owners[slot] += 1
        if requests[slot].heldBlocks != 0 { violations.append("request \(requests[slot].id) waits and holds blocks") }
      }
    }
    for (slot, request) in requests.enumerated() {
      if request.id >= 0 && ids.slot(of: request.id) != slot { violations.append("request \(request.id) is not found by its id") }
      if request.id >= 0 && (request.processedTokens < 0 || request.processedTokens >= request.totalTokens) {
        violations.append("request \(request.id): \(request.processedTokens) of \(request.totalTokens) tokens")
      }
      if owners[slot] > 1 { violations.append("request slot \(slot) is in \(owners[slot]) queues") }
    }
    return violations
  }
}

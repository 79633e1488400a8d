/// Replicas that drain, fail and come back.
extension ClusterSimulation {
  /// Whether anything is left to do that a change of availability may touch.
  var hasWork: Bool { !router.isEmpty }

  /// Stops at the first request in the router, from place `start` on, that some replica takes.
  mutating func findDecision(from start: Int) {
    decision = -1
    if routableTokens == 0 { return }
    for place in start..<router.count where requests[router[place]].totalTokens <= routableTokens {
      decision = place
      return
    }
  }

  mutating func changeAvailability(_ event: Event) {
    let change = configuration.availability[Int(event.batch)]
    switch change.kind {
    case .drain:
      if replicas[change.replica].availability == .available { replicas[change.replica].availability = .draining }
    case .fail: fail(change.replica, at: event.time)
    case .recover: replicas[change.replica].availability = .available
    }
    updateReach()
    rejectUnreachable()
    if !router.isEmpty { queue.pushNow(.globalSchedule) }
  }

  /// Recomputes what the replicas take, now and later.
  mutating func updateReach() {
    routableTokens = 0
    reachableTokens = 0
    let later = configuration.availability[queue.handledChanges...]
    for (index, replica) in replicas.enumerated() {
      let tokens = models[replica.model].limits.requestTokensMax
      if replica.availability == .available {
        routableTokens = max(routableTokens, tokens)
        reachableTokens = max(reachableTokens, tokens)
      } else if tokens > reachableTokens && later.contains(where: { $0.replica == index && $0.kind == .recover }) {
        reachableTokens = tokens
      }
    }
  }

  func emptyReplica(_ index: Int) -> Replica {
    let model = replicas[index].model
    return Replica(model: model, stageCount: models[model].limits.stageCount)
  }

  /// Drops batches and caches of a replica; its requests go back to the router, which is in order of arrival.
  private mutating func fail(_ index: Int, at time: Double) {
    queue.removeEnds(of: index)
    var lost: [Int] = []
    for slot in requests.indices where requests[slot].id >= 0 && requests[slot].replica == index { lost.append(slot) }
    for slot in batches.indices where batches[slot].id >= 0 && batches[slot].replica == index {
      if log != nil { logCancellation(slot) }
      batches[slot].id = -1
      freeBatchSlots.append(slot)
    }
    var emptied = emptyReplica(index)
    emptied.availability = .failed
    emptied.use = replicas[index].use
    emptied.noteBlocks(at: time)
    for stage in emptied.stages.indices { emptied.stages[stage].busySeconds = replicas[index].stages[stage].busySeconds }
    replicas[index] = emptied
    if lost.isEmpty { return }
    for slot in lost { requests[slot].leaveFailedReplica() }
    reroutedCount += lost.count
    lost += router.indices.map { router[$0] }
    lost.sort { (requests[$0].arrivedAt, requests[$0].id) < (requests[$1].arrivedAt, requests[$1].id) }
    router.removeAll()
    for slot in lost { router.append(slot) }
  }

  /// Turns away the requests in the router that no replica will ever take.
  private mutating func rejectUnreachable() {
    var place = 0
    while place < router.count {
      if requests[router[place]].totalTokens > reachableTokens {
        reject(router.remove(at: place))
      } else {
        place += 1
      }
    }
  }
}

import Testing

@testable import ServingSim

/// Goal: one step per stage end gives what up to seven events give, bit for bit. Method: the same random cluster with and without a log, which needs the
/// events, compared at every decision; a failure names the seed, and after it how the two states look.
@Suite struct FastForwardTests {
  @Test("the fast form is the event by event form, for every scheduler, stages, failures, ties and tables", arguments: 0..<8)
  func equal(part: Int) throws {
    var seen = Seen()
    for seed in UInt64(part * 500)..<UInt64(part * 500 + 500) {
      try compare(RandomCluster(seed: seed, parity: seed % 3 == 0 ? .reference : .sane), "seed \(seed)", &seen)
    }
    // The cases do exercise what they are for.
    #expect(seen.requests > 10_000 && seen.restarts > 500 && seen.reroutes > 100)
  }

  /// What the compared runs went through.
  private struct Seen {
    var requests = 0
    var restarts = 0
    var reroutes = 0
  }

  /// Drives both forms with one choice of replicas and stops at the first difference.
  private func compare(_ this: RandomCluster, _ label: String, _ seen: inout Seen) throws {
    var slow = try SimulationDriver(this.configuration, routing: this.routing, records: true)
    var fast = try SimulationDriver(this.configuration, routing: this.routing, records: false)
    var next = 0
    while true {
      while next < this.specs.count && fast.cluster.pendingArrivalCount == 0 {
        slow.cluster.enqueueArrival(this.specs[next])
        fast.cluster.enqueueArrival(this.specs[next])
        next += 1
      }
      let isOpen = next < this.specs.count
      let decision = fast.cluster.runUntilDecision(pausesWithoutArrival: isOpen)
      try #require(decision == slow.cluster.runUntilDecision(pausesWithoutArrival: isOpen), "\(label)")
      try requireEqual(fast.cluster, slow.cluster, label)
      let completed = fast.cluster.takeCompletions()
      try requireEqual(completed, slow.cluster.takeCompletions(), label)
      try #require(fast.cluster.takeRejections() == slow.cluster.takeRejections(), "\(label)")
      seen.requests += completed.count
      seen.restarts += completed.reduce(0) { $0 + $1.restarts }
      if decision == nil {
        if !isOpen && fast.cluster.pendingArrivalCount == 0 { break }
        continue
      }
      let replica = fast.choice()
      fast.placements.append(replica)
      fast.cluster.route(to: replica)
      slow.cluster.route(to: replica)
    }
    seen.reroutes += fast.cluster.reroutedCount
    let violations = fast.cluster.invariantViolations()
    try #require(violations.isEmpty, "\(label): \(violations)")
  }

  @Test("running to given times, on the grid of many events and off it, gives the same states as well")
  func runUntil() throws {
    for seed in UInt64(0)..<200 {
      let this = RandomCluster(seed: seed)
      var slow = try SimulationDriver(this.configuration, routing: this.routing, records: true)
      var fast = try SimulationDriver(this.configuration, routing: this.routing, records: false)
      for spec in this.specs {
        slow.cluster.enqueueArrival(spec)
        fast.cluster.enqueueArrival(spec)
      }
      for step in 1..<200 {
        let time = Double(step) * (seed % 2 == 0 ? 0.0078125 : 0.0071)
        while let decision = fast.cluster.run(until: time) {
          try #require(slow.cluster.run(until: time) == decision, "seed \(seed)")
          let replica = fast.choice()
          fast.cluster.route(to: replica)
          slow.cluster.route(to: replica)
        }
        try #require(slow.cluster.run(until: time) == nil, "seed \(seed)")
        try requireEqual(fast.cluster, slow.cluster, "seed \(seed), time \(time)")
      }
    }
  }

  @Test("the tight loop goes over many steps, blocks and more than eight members")
  func longRuns() throws {
    let kinds: [ReplicaSchedulerConfiguration.Kind] = [.vllm(), .sarathi(), .orca, .fasterTransformer, .vllmV1()]
    for (index, kind) in kinds.enumerated() {
      let configuration = ClusterConfiguration(replicaCount: 2, scheduler: ReplicaSchedulerConfiguration(kind: kind))
      let specs = (0..<60).map { RequestSpec(arrivedAt: Double($0 / 20) * 3, prefillTokens: 100 + $0, decodeTokens: 50 + 7 * ($0 % 20)) }
      var seen = Seen()
      try compare(
        RandomCluster(configuration: configuration, specs: specs, routing: .fewestOutstanding), "scheduler \(index)", &seen)
      #expect(seen.requests == 60)
    }
  }

  // MARK: Comparing

  private func requireEqual(_ fast: ClusterSimulation, _ slow: ClusterSimulation, _ label: String) throws {
    if state(fast) == state(slow) { return }
    try #require("\(picture(fast))" == "\(picture(slow))", "\(label)")
    Issue.record("\(label): the states differ in bits that do not show")
  }

  private func requireEqual(_ fast: [CompletedRequest], _ slow: [CompletedRequest], _ label: String) throws {
    try #require(fast.map(bits) == slow.map(bits), "\(label)")
  }

  private func bits(_ request: CompletedRequest) -> [UInt64] {
    [
      request.arrivedAt, request.scheduledAt, request.prefillCompletedAt, request.completedAt, request.executionSeconds,
      request.modelExecutionSeconds, request.preemptedSeconds, request.priority,
    ].map(\.bitPattern)
      + [
        request.id, request.replica, request.prefillTokens, request.decodeTokens, request.restarts, request.reroutes, request.requestClass,
      ].map { UInt64($0) }
  }

  /// Everything but slots, numbers of batches and numbers of events, as bits.
  private func state(_ cluster: ClusterSimulation) -> [UInt64] {
    var state: [UInt64] = []
    func add(_ values: Int...) { for value in values { state.append(UInt64(bitPattern: Int64(value))) } }
    func add(_ values: Double...) { for value in values { state.append(value.bitPattern) } }
    func add(slots: some Sequence<Int>) { for slot in slots { add(cluster.requests[slot].id) } }
    add(cluster.now)
    add(
      cluster.handledEvents, cluster.formedBatches, cluster.inFlightCount, cluster.completedCount, cluster.rejectedCount,
      cluster.reroutedCount, cluster.waitingForDecision ?? -1)
    add(slots: cluster.router.indices.map { cluster.router[$0] })
    for (index, replica) in cluster.replicas.enumerated() {
      add(
        index, Int(replica.availability.rawValue), replica.allocatedBlocks, replica.ownerlessBlocks, replica.residentCount,
        replica.runningBatches, replica.outstandingTokens, replica.admissions, replica.waitingIterations, replica.isSteady ? 1 : 0)
      add(slots: replica.waiting.indices.map { replica.waiting[$0] })
      add(slots: replica.running.map(\.slot))
      for held in replica.heldBatches { add(held.count, held.ownerlessBlocks) }
      for stage in replica.stages {
        add(stage.isBusy ? 1 : 0, stage.queue.count)
        add(stage.busySeconds)
        for place in stage.queue.indices { add(cluster.batches[stage.queue[place]].members.count) }
      }
    }
    for use in cluster.usage(until: cluster.now) {
      add(use.memoryMean, use.memoryMax, use.modelFlopsUtilization, use.batchSizeMean, use.batchTokensMean)
      add(use.batches)
    }
    for batch in batches(cluster) {
      add(slots: batch.members.map { Int($0.slot) })
      for member in batch.members { add(Int(member.tokens)) }
      add(batch.replica, batch.tokens, batch.prefillTokens, batch.decodeRequests, batch.decodeContextTokens, batch.pairs, batch.stepsLeft)
      add(batch.stageStartedAt, batch.stageTime.total, batch.stageTime.model)
    }
    for request in requests(cluster) {
      add(
        request.id, request.replica, request.prefillTokens, request.decodeTokens, request.processedTokens, request.heldBlocks,
        request.admission, request.restarts, request.reroutes, request.isPrefillComplete ? 1 : 0)
      add(
        request.scheduledAt, request.prefillCompletedAt, request.lastStageCompletedAt, request.executionSeconds,
        request.modelExecutionSeconds, request.preemptedSeconds)
    }
    return state
  }

  /// The same for people.
  private func picture(_ cluster: ClusterSimulation) -> String {
    let replicas = cluster.replicas.enumerated().map { index, replica in
      "\(index) \(replica.availability), \(replica.allocatedBlocks) blocks, \(replica.residentCount) resident, steady \(replica.isSteady),"
        + " \(replica.use)\n"
    }
    return "now \(cluster.now), \(cluster.handledEvents) events, \(cluster.formedBatches) batches\n" + replicas.joined()
      + batches(cluster).map { "\($0)\n" }.joined() + requests(cluster).map { "\($0)\n" }.joined()
  }

  /// Batches in flight in an order that does not depend on slots: each has a first member of its own.
  private func batches(_ cluster: ClusterSimulation) -> [Batch] {
    func first(_ batch: Batch) -> Int { cluster.requests[Int(batch.members[0].slot)].id }
    return cluster.batches.filter { $0.id >= 0 }.sorted { first($0) < first($1) }
  }

  private func requests(_ cluster: ClusterSimulation) -> [Request] {
    cluster.requests.filter { $0.id >= 0 }.sorted { $0.id < $1.id }
  }
}

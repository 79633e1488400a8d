import ServingSim
import Testing

/// Many small random clusters with every scheduler, stages, differing replicas and failures; a failure of a test names the seed.
@Suite struct ConservationTests {
  @Test("every request completes exactly once or is rejected, all blocks come back, queues are first in first out", arguments: 0..<6)
  func conservation(part: Int) throws {
    var evictions = 0
    var rejections = 0
    var reroutes = 0
    for seed in UInt64(part * 500)..<UInt64(part * 500 + 500) {
      let this = RandomCluster(seed: seed)
      var driver = try SimulationDriver(this.configuration, routing: this.routing, records: false)
      for spec in this.specs { driver.cluster.enqueueArrival(spec) }
      var turns = [[Int]](repeating: [], count: driver.cluster.replicaCount)
      while let request = driver.cluster.runUntilDecision() {
        let violations = driver.cluster.invariantViolations()
        try #require(violations.isEmpty, "seed \(seed): \(violations)")
        _ = driver.step()
        turns[driver.placements.last ?? 0].append(request)
      }
      let completed = driver.cluster.takeCompletions()
      let violations = driver.cluster.invariantViolations()
      try #require(violations.isEmpty, "seed \(seed): \(violations)")
      try #require(Set(completed.map(\.id)).count == completed.count, "seed \(seed)")
      try #require(completed.count + driver.cluster.rejectedCount == this.specs.count, "seed \(seed)")
      try #require(driver.cluster.takeRejections().count == driver.cluster.rejectedCount, "seed \(seed)")
      try #require(driver.cluster.inFlightCount == 0, "seed \(seed)")
      try #require(completed.reduce(0) { $0 + $1.reroutes } <= driver.cluster.reroutedCount, "seed \(seed)")
      for index in 0..<driver.cluster.replicaCount {
        let view = driver.cluster.replica(index)
        let left = [view.allocatedBlocks, view.outstandingRequests, view.outstandingTokens, view.runningBatches, view.runningCount]
        try #require(left == [0, 0, 0, 0, 0], "seed \(seed)")
      }
      for request in completed { try check(request, in: this, "seed \(seed)") }
      try checkTurns(turns, completed, in: this, "seed \(seed)")
      evictions += completed.reduce(0) { $0 + $1.restarts }
      reroutes += driver.cluster.reroutedCount
      rejections += driver.cluster.rejectedCount
    }
    // The cases do exercise what they are for.
    #expect(evictions > 300)
    #expect(rejections > 30)
    #expect(reroutes > 100)
  }

  private func check(_ request: CompletedRequest, in this: RandomCluster, _ label: String) throws {
    try #require(request.arrivedAt <= request.scheduledAt, "\(label)")
    try #require(request.scheduledAt < request.prefillCompletedAt, "\(label)")
    try #require(request.prefillCompletedAt <= request.completedAt, "\(label)")
    try #require(request.modelExecutionSeconds <= request.executionSeconds, "\(label)")
    let isOneStage = this.configuration.replicas[request.replica].pipelineStages == 1
    if isOneStage && request.restarts == 0 && request.reroutes == 0 {
      let sum = request.executionSeconds + request.preemptedSeconds + request.schedulingDelaySeconds
      try #require(abs(sum - request.endToEndSeconds) < 1e-9, "\(label)")
    }
  }

  /// A replica first runs its requests in the order in which it got them, whoever is evicted in between; by priority those of equal importance.
  private func checkTurns(_ turns: [[Int]], _ completed: [CompletedRequest], in this: RandomCluster, _ label: String) throws {
    var known: [Int: CompletedRequest] = [:]
    for request in completed where request.reroutes == 0 { known[request.id] = request }
    for (replica, turn) in turns.enumerated() {
      let requests = turn.compactMap { known[$0] }
      let isByPriority = this.configuration.replicas[replica].scheduler.schedulingPolicy == .priority
      for priority in isByPriority ? [0, 1, 2] : [-1] {
        let times = requests.filter { priority < 0 || $0.priority == Double(priority) }.map(\.scheduledAt)
        try #require(times == times.sorted(), "\(label)")
      }
    }
  }

  @Test("a copy is an independent, equal continuation, of one stage or more, event by event or not")
  func copies() throws {
    for seed in UInt64(0)..<400 {
      let this = RandomCluster(seed: seed)
      func start() throws -> SimulationDriver {
        var driver = try SimulationDriver(this.configuration, routing: this.routing, records: seed % 2 == 0)
        for spec in this.specs { driver.cluster.enqueueArrival(spec) }
        for _ in 0..<(this.specs.count / 2) { _ = driver.step() }
        return driver
      }
      // A run that is never copied: `==` cannot see what a copy has written into storage that it shares with the original.
      var alone = try start()
      while alone.step() {}
      var driver = try start()
      let snapshot = driver
      var copy = driver
      // Another routing in a second copy must not show in the others.
      var other = driver
      other.routing = this.routing == .roundRobin ? .fewestOutstanding : .roundRobin
      while other.step() {}
      while driver.step() {}
      try #require(copy.cluster == snapshot.cluster, "seed \(seed)")
      while copy.step() {}
      try #require(copy.cluster == alone.cluster, "seed \(seed)")
      try #require(driver.cluster == alone.cluster, "seed \(seed)")
      let completed = alone.cluster.takeCompletions()
      try #require(copy.cluster.takeCompletions() == completed, "seed \(seed)")
      try #require(driver.cluster.takeCompletions() == completed, "seed \(seed)")
    }
  }

  @Test("arrivals announced one ahead and all at once give the same run; reset gives it again")
  func lazyAndEager() throws {
    for seed in UInt64(0)..<600 {
      var this = RandomCluster(seed: seed)
      // Arrivals at one instant reach the router together when they are known; one ahead, they come one by one.
      let areApart = seed % 2 == 0
      if areApart { for index in this.specs.indices { this.specs[index].arrivedAt += Double(index) * 1e-5 } }
      var eager = try SimulationDriver(this.configuration, routing: this.routing)
      eager.run(this.specs)
      var lazy = try SimulationDriver(this.configuration, routing: this.routing)
      lazy.runLazily(this.specs)
      if areApart {
        try #require(lazy.completed == eager.completed, "seed \(seed)")
        try #require(lazy.cluster.log?.batches == eager.cluster.log?.batches, "seed \(seed)")
      }
      var again = lazy
      again.cluster.reset()
      again.completed = []
      again.placements = []
      again.runLazily(this.specs)
      try #require(again.completed == lazy.completed, "seed \(seed)")
      try #require(again.cluster == lazy.cluster, "seed \(seed)")
    }
  }

  @Test("slots are recycled: memory follows the requests in flight")
  func recycling() throws {
    var cluster = try ClusterSimulation(constantCluster())
    var ids: [Int] = []
    for index in 0..<1000 {
      cluster.enqueueArrival(spec(Double(index), 8, 3))
      let id = cluster.runUntilDecision()
      ids.append(try #require(id))
      cluster.route(to: 0)
      _ = cluster.takeCompletions()
      #expect(cluster.inFlightCount <= 2)
    }
    #expect(ids == Array(0..<1000))
    #expect(!cluster.isLive(500))
    #expect(cluster.isLive(999))
  }
}

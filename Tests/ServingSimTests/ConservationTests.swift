import Randomness
import ServingSim
import Testing

/// Many small random clusters; a failure names the seed.
@Suite struct ConservationTests {
  struct Case {
    var configuration: ClusterConfiguration
    var specs: [RequestSpec]
    var routing: TestRouting

    /// Memory is short in most cases, so that requests are evicted.
    init(seed: UInt64) {
      var stream = RandomStream(seed: seed, purpose: .environment)
      let kind: ReplicaSchedulerConfiguration.Kind =
        stream.bounded(2) == 0 ? .vllm(maxTokensInBatch: 64 + stream.bounded(64)) : .sarathi(chunkTokens: 1 + stream.bounded(24))
      let stages = [1, 1, 2, 4][stream.bounded(4)]
      let scheduler = ReplicaSchedulerConfiguration(
        kind: kind, batchSizeCap: stages * (1 + stream.bounded(6)), blockSize: 1 + stream.bounded(8),
        watermarkFraction: Double(stream.bounded(3)) * 0.05)
      let times: [TimeModelKind] = [.closedForm, .constant(seconds: 0.01), .linear(a: 0.005, b: 1e-4, c: 1e-4, d: 1e-6)]
      configuration = ClusterConfiguration(
        replicaCount: 1 + stream.bounded(3), pipelineStages: stages, maxTokens: 64, scheduler: scheduler,
        timeModel: times[stream.bounded(3)], blockCount: 8 + stream.bounded(60))
      routing = [.fewestWaiting, .roundRobin, .fewestOutstanding][stream.bounded(3)]
      specs = []
      var time = 0.0
      for _ in 0..<(5 + stream.bounded(60)) {
        // Every fourth arrival falls on the instant of the one before.
        if stream.bounded(4) != 0 { time += stream.exponential(rate: 40) }
        specs.append(spec(time, 1 + stream.bounded(50), 1 + stream.bounded(30)))
      }
    }
  }

  @Test("every admitted request completes exactly once and all blocks come back")
  func conservation() throws {
    var evictions = 0
    var rejections = 0
    for seed in UInt64(0)..<1500 {
      let this = Case(seed: seed)
      var driver = try SimulationDriver(this.configuration, routing: this.routing, records: false)
      var admitted: [Int] = []
      for spec in this.specs { if let id = driver.cluster.enqueueArrival(spec) { admitted.append(id) } }
      while driver.step() {
        let violations = driver.cluster.invariantViolations()
        try #require(violations.isEmpty, "seed \(seed)")
      }
      let completed = driver.cluster.takeCompletions()
      let violations = driver.cluster.invariantViolations()
      try #require(violations.isEmpty, "seed \(seed)")
      try #require(completed.map(\.id).sorted() == admitted, "seed \(seed)")
      try #require(admitted.count + driver.cluster.rejectedCount == this.specs.count, "seed \(seed)")
      try #require(driver.cluster.inFlightCount == 0, "seed \(seed)")
      for index in 0..<driver.cluster.replicaCount {
        let view = driver.cluster.replica(index)
        let left = [view.allocatedBlocks, view.outstandingRequests, view.outstandingTokens, view.runningBatches, view.runningCount]
        try #require(left == [0, 0, 0, 0, 0], "seed \(seed)")
      }
      for request in completed {
        try #require(request.arrivedAt <= request.scheduledAt, "seed \(seed)")
        try #require(request.scheduledAt < request.prefillCompletedAt, "seed \(seed)")
        try #require(request.prefillCompletedAt <= request.completedAt, "seed \(seed)")
        if this.configuration.replicas[0].pipelineStages == 1 && request.restarts == 0 {
          let sum = request.executionSeconds + request.preemptedSeconds + request.schedulingDelaySeconds
          try #require(abs(sum - request.endToEndSeconds) < 1e-9, "seed \(seed)")
        }
        evictions += request.restarts
      }
      rejections += driver.cluster.rejectedCount
    }
    // The cases do exercise what they are for.
    #expect(evictions > 1000)
    #expect(rejections > 100)
  }

  @Test("a copy is an independent continuation")
  func copies() throws {
    for seed in UInt64(0)..<200 {
      let this = Case(seed: seed)
      var driver = try SimulationDriver(this.configuration, routing: this.routing)
      for spec in this.specs { driver.cluster.enqueueArrival(spec) }
      for _ in 0..<(this.specs.count / 2) { _ = driver.step() }
      let snapshot = driver
      var copy = driver
      // Another routing in a second copy must not show in the others.
      var other = driver
      other.routing = this.routing == .roundRobin ? .fewestOutstanding : .roundRobin
      while other.step() {}
      while driver.step() {}
      try #require(copy.cluster == snapshot.cluster, "seed \(seed)")
      while copy.step() {}
      try #require(copy.cluster == driver.cluster, "seed \(seed)")
      try #require(copy.cluster.takeCompletions() == driver.cluster.takeCompletions(), "seed \(seed)")
    }
  }

  @Test("arrivals announced one ahead and all at once give the same run; reset gives it again")
  func lazyAndEager() throws {
    for seed in UInt64(0)..<200 {
      let this = Case(seed: seed)
      var eager = try SimulationDriver(this.configuration, routing: this.routing)
      eager.run(this.specs)
      var lazy = try SimulationDriver(this.configuration, routing: this.routing)
      lazy.runLazily(this.specs)
      // Arrivals at one instant reach the router together when they are known; one ahead, they come one by one.
      if Set(this.specs.map(\.arrivedAt)).count == this.specs.count {
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

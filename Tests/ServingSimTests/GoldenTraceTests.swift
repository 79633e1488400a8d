import ServingSim
import Testing

/// Two requests on one replica, event by event.
///
///     0 ms    R0 arrives, B0 = {R0: 8 prompt tokens}
///     5 ms    R1 arrives, the replica is busy
///     10 ms   B0 ends, R0 has its first token; prefill goes first: B1 = {R1: 4}
///     20 ms   B2 = {R0: 1, R1: 1}     30 ms   R1 done, B3 = {R0: 1}     40 ms   R0 done
@Suite struct GoldenTraceTests {
  let specs = [spec(0, 8, 3), spec(0.005, 4, 2)]

  @Test("events come with the creation ids and in the order of the worked example", arguments: SchedulerParity.allCases)
  func eventsAndIDs(parity: SchedulerParity) throws {
    var driver = try SimulationDriver(constantCluster(parity: parity))
    driver.run(specs)
    let log = try #require(driver.cluster.log)
    let expected: [(Int, Int, EventKind)] = [
      (0, 1, .requestArrival), (0, 3, .globalSchedule), (0, 4, .replicaSchedule), (0, 5, .batchStageArrival),
      (0, 6, .replicaStageSchedule), (5, 2, .requestArrival), (5, 8, .globalSchedule), (5, 9, .replicaSchedule),
      (10, 7, .batchStageEnd), (10, 10, .replicaStageSchedule), (10, 11, .batchEnd), (10, 12, .replicaSchedule),
      (10, 13, .batchStageArrival), (10, 14, .replicaStageSchedule), (20, 15, .batchStageEnd), (20, 16, .replicaStageSchedule),
      (20, 17, .batchEnd), (20, 18, .replicaSchedule), (20, 19, .batchStageArrival), (20, 20, .replicaStageSchedule),
      (30, 21, .batchStageEnd), (30, 22, .replicaStageSchedule), (30, 23, .batchEnd), (30, 24, .replicaSchedule),
      (30, 25, .batchStageArrival), (30, 26, .replicaStageSchedule), (40, 27, .batchStageEnd), (40, 28, .replicaStageSchedule),
      (40, 29, .batchEnd), (40, 30, .replicaSchedule),
    ]
    #expect(log.events.map { driver.milliseconds($0.time) } == expected.map(\.0))
    #expect(log.events.map(\.id) == expected.map(\.1))
    #expect(log.events.map(\.kind) == expected.map(\.2))
    #expect(driver.batchNotation == ["0[0:8]", "10[1:4]", "20[0:1 1:1]", "30[0:1]"])
    #expect(log.events[7].detail == .none)
    #expect(log.events[9].detail == .none)
    #expect(log.events[11].detail == .batches([1]))
    #expect(log.batches[0].allocatedBlocks == 1)
  }

  @Test("request times of the worked example")
  func requestTimes() throws {
    var driver = try SimulationDriver(constantCluster())
    driver.run(specs)
    let requests = driver.completed.sorted { $0.id < $1.id }
    try #require(requests.count == 2)
    let expected: [[Double]] = [[0.040, 0.030, 0.010, 0, 0.010], [0.025, 0.020, 0, 0.005, 0.015]]
    for (request, values) in zip(requests, expected) {
      let found = [
        request.endToEndSeconds, request.executionSeconds, request.preemptedSeconds, request.schedulingDelaySeconds,
        request.timeToFirstTokenSeconds,
      ]
      for (value, wanted) in zip(found, values) { #expect(abs(value - wanted) < 1e-12) }
    }
    #expect(driver.cluster.replica(0).allocatedBlocks == 0)
    #expect(driver.cluster.inFlightCount == 0)
  }

  @Test("sarathi mixes the second prompt with the first request's decode")
  func sarathiMixes() throws {
    var driver = try SimulationDriver(constantCluster(.sarathi(chunkTokens: 512)))
    driver.run(specs)
    #expect(driver.batchNotation[1] == "10[0:1 1:4]")
  }

  @Test("arrivals one ahead give the batches of arrivals known at the start")
  func lazyArrivals() throws {
    var eager = try SimulationDriver(constantCluster())
    eager.run(specs)
    var lazy = try SimulationDriver(constantCluster())
    lazy.runLazily(specs)
    #expect(lazy.completed == eager.completed)
    #expect(lazy.cluster.log?.batches == eager.cluster.log?.batches)
    #expect(lazy.cluster.log?.events.map(\.kind) == eager.cluster.log?.events.map(\.kind))
  }

  @Test("requests that arrive together are routed in one pass and wake each replica once, in ascending order")
  func simultaneousArrivals() throws {
    var cluster = try ClusterSimulation(constantCluster(replicas: 3))
    cluster.recordEvents()
    for _ in 0..<3 { cluster.enqueueArrival(spec(0, 8, 2)) }
    #expect(cluster.runUntilDecision() == 0)
    #expect(cluster.runUntilDecision() == 0)
    #expect(cluster.routerQueueLength == 3)
    cluster.route(to: 2)
    #expect(cluster.runUntilDecision() == 1)
    cluster.route(to: 0)
    #expect(cluster.runUntilDecision() == 2)
    cluster.route(to: 2)
    #expect(cluster.routerQueueLength == 0)
    #expect(cluster.runUntilDecision() == nil)
    let log = try #require(cluster.log)
    guard case .placements(let placements) = log.events[3].detail else {
      Issue.record("the first routing event holds no placements")
      return
    }
    #expect(placements.map(\.request) == [0, 1, 2])
    #expect(placements.map(\.replica) == [2, 0, 2])
    #expect(log.events.filter { $0.kind == .globalSchedule }.count == 3)
    #expect(log.events.filter { $0.kind == .replicaSchedule && $0.time == 0 }.map(\.replica) == [0, 2])
    #expect(cluster.completedCount == 3)
  }
}

import ServingSim
import Testing

/// Replicas that differ, drain, fail and come back; every stage takes 10 ms.
@Suite struct AvailabilityTests {
  func cluster(_ replicas: Int, _ changes: [(Double, AvailabilityChange.Kind, Int)]) throws -> ClusterSimulation {
    var configuration = constantCluster(replicas: replicas, parity: .sane)
    configuration.availability = changes.map { AvailabilityChange(time: $0.0, replica: $0.2, kind: $0.1) }
    return try ClusterSimulation(configuration)
  }

  @Test("requests of a failed replica are routed again, oldest first, and generate no token twice")
  func failure() throws {
    var cluster = try cluster(2, [(0.025, .fail, 0)])
    for (time, decode) in [(0.0, 5), (0.021, 3)] { cluster.enqueueArrival(spec(time, 8, decode)) }
    #expect(cluster.runUntilDecision() == 0)
    cluster.route(to: 0)
    #expect(cluster.runUntilDecision() == 1)
    cluster.route(to: 0)
    // At 25 ms R0 has 8 + 2 tokens done and the third step in flight is lost; R1 was still waiting.
    #expect(cluster.runUntilDecision() == 0)
    #expect(cluster.now == 0.025)
    #expect(cluster.routerQueueLength == 2)
    #expect(!cluster.canRoute(to: 0) && cluster.canRoute(to: 1))
    #expect(cluster.replica(0).availability == .failed)
    #expect(cluster.replica(0).allocatedBlocks == 0 && cluster.replica(0).outstandingTokens == 0)
    #expect(cluster.request(0).currentPrefillTokens == 10)
    cluster.route(to: 1)
    #expect(cluster.runUntilDecision() == 1)
    cluster.route(to: 1)
    #expect(cluster.runUntilDecision() == nil)
    let completed = cluster.takeCompletions().sorted { $0.id < $1.id }
    #expect(completed.map(\.reroutes) == [1, 1])
    #expect(completed.map(\.restarts) == [0, 0])
    #expect(completed.map(\.replica) == [1, 1])
    #expect(cluster.reroutedCount == 2)
    // Both prompts (10 and 8) in one batch from 25 ms on, then two steps each.
    #expect(completed.map { Int(($0.completedAt * 1000).rounded()) } == [55, 55])
    #expect(completed.map { Int(($0.prefillCompletedAt * 1000).rounded()) } == [10, 35])
    #expect(cluster.invariantViolations().isEmpty)
  }

  @Test("a draining replica finishes what it has and takes nothing; it may come back")
  func draining() throws {
    var cluster = try cluster(2, [(0.005, .drain, 0), (0.1, .recover, 0)])
    for time in [0.0, 0.01, 0.2] { cluster.enqueueArrival(spec(time, 8, 3)) }
    #expect(cluster.runUntilDecision() == 0)
    cluster.route(to: 0)
    #expect(cluster.runUntilDecision() == 1)
    #expect(cluster.replica(0).availability == .draining)
    #expect(!cluster.canRoute(to: 0) && cluster.canRoute(to: 1))
    cluster.route(to: 1)
    #expect(cluster.runUntilDecision() == 2)
    #expect(cluster.canRoute(to: 0))
    #expect(cluster.takeCompletions().map(\.replica) == [0, 1])
  }

  @Test("without an available replica requests wait in the router and no decision arises")
  func outage() throws {
    var cluster = try cluster(1, [(0.005, .fail, 0), (0.5, .recover, 0)])
    cluster.enqueueArrival(spec(0, 8, 3))
    #expect(cluster.runUntilDecision(pausesWithoutArrival: true) == 0)
    cluster.route(to: 0)
    cluster.enqueueArrival(spec(0.01, 8, 3))
    #expect(cluster.runUntilDecision(pausesWithoutArrival: true) == nil)
    #expect(cluster.now == 0.01)
    #expect(cluster.pendingArrivalCount == 0)
    cluster.enqueueArrival(spec(0.6, 8, 3))
    #expect(cluster.runUntilDecision(pausesWithoutArrival: true) == 0)
    #expect(cluster.now == 0.5)
    cluster.route(to: 0)
    #expect(cluster.runUntilDecision() == 1)
    cluster.route(to: 0)
    #expect(cluster.runUntilDecision() == 2)
    #expect(cluster.now == 0.6)
  }

  @Test("at one instant a change comes before the arrival")
  func order() throws {
    var cluster = try cluster(2, [(0.5, .fail, 0)])
    cluster.enqueueArrival(spec(0.5, 8, 3))
    #expect(cluster.runUntilDecision() == 0)
    #expect(!cluster.canRoute(to: 0))
  }

  @Test("a request goes only where it fits, and is turned away once no such replica is left")
  func differentMemory() throws {
    var configuration = constantCluster(replicas: 2, blockSize: 4, blockCount: 100, parity: .sane)
    configuration.replicas[1].blockCount = 10
    configuration.availability = [AvailabilityChange(time: 1, replica: 0, kind: .fail)]
    var cluster = try ClusterSimulation(configuration)
    cluster.enqueueArrival(spec(0, 100, 3))
    cluster.enqueueArrival(spec(0.99, 100, 300 - 7))
    cluster.enqueueArrival(spec(2, 8, 3))
    #expect(cluster.runUntilDecision() == 0)
    #expect(cluster.canRoute(to: 0) && !cluster.canRoute(to: 1))
    cluster.route(to: 0)
    #expect(cluster.runUntilDecision() == 1)
    cluster.route(to: 0)
    // Replica 0 takes request 1 with it: nothing else has room for it.
    #expect(cluster.runUntilDecision() == 2)
    #expect(cluster.takeRejections().map(\.reason) == [.noReplicaLeft])
    #expect(cluster.enqueueArrival(spec(3, 100, 3)) == nil)
    #expect(cluster.inFlightCount == 1)
    #expect(cluster.invariantViolations().isEmpty)
  }

  @Test("a replica at half its speed takes twice the time and shows it")
  func speed() throws {
    var configuration = constantCluster(replicas: 2, parity: .sane)
    configuration.replicas[1].speedFactor = 0.5
    var driver = try SimulationDriver(configuration, routing: .roundRobin)
    driver.run([spec(0, 8, 3), spec(0, 8, 3)])
    let times = driver.completed.sorted { $0.id < $1.id }.map { Int(($0.endToEndSeconds * 1000).rounded()) }
    #expect(times == [30, 60])
    #expect(driver.cluster.replica(0).relativeSpeed == 1)
    #expect(driver.cluster.replica(1).relativeSpeed == 0.5)
  }

  @Test("changes out of order, of unknown replicas or without an end are refused")
  func refusals() {
    func field(_ changes: [(Double, AvailabilityChange.Kind, Int)]) -> String? {
      do {
        _ = try cluster(2, changes)
        return nil
      } catch {
        return (error as? ServingError)?.field
      }
    }
    #expect(field([(1, .fail, 0)]) == nil)
    #expect(field([(1, .fail, 2)]) == "availability[0]")
    #expect(field([(1, .fail, 0), (0.5, .recover, 0)]) == "availability[1]")
    #expect(field([(.nan, .fail, 0)]) == "availability[0]")
    #expect(field([(1, .fail, 0), (2, .drain, 1)]) == "availability")
  }

  @Test("the log can be taken while the simulation runs, and nothing is lost")
  func streaming() throws {
    var whole = try SimulationDriver(constantCluster(replicas: 2, parity: .sane))
    let specs = (0..<40).map { spec(Double($0) * 0.004, 5 + $0 % 7, 2 + $0 % 5) }
    whole.run(specs)
    let expected = try #require(whole.cluster.log)
    var pieces = try SimulationDriver(constantCluster(replicas: 2, parity: .sane))
    for spec in specs { pieces.cluster.enqueueArrival(spec) }
    var events: [EventLog.Entry] = []
    var batches: [EventLog.BatchRecord] = []
    var stages: [EventLog.StageRecord] = []
    func take(_ cluster: inout ClusterSimulation) {
      guard let part = cluster.takeLog() else { return }
      events += part.events
      batches += part.batches
      stages += part.stages
    }
    while pieces.cluster.runUntilDecision() != nil {
      take(&pieces.cluster)
      pieces.cluster.route(to: pieces.choice())
      take(&pieces.cluster)
      #expect((pieces.cluster.log?.batches.count ?? 0) <= 4)
    }
    take(&pieces.cluster)
    #expect(events == expected.events)
    #expect(batches == expected.batches)
    #expect(stages == expected.stages)
  }
}

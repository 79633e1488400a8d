import ServingSim
import Testing

@testable import ServingEnv

@Suite struct WorkloadBoundsTests {
  /// Serves within `bounds` with one rule: all completions, and the environment at the end.
  func serve(
    _ configuration: RoutingConfiguration, _ bounds: WorkloadBounds
  ) throws -> (completed: [CompletedRequest], environment: RoutingEnvironment) {
    var environment = try RoutingEnvironment(configuration)
    environment.reset(seed: 5, chunk: 0, environment: 0, bounds: bounds)
    var rule = HeuristicPolicy.lorFull.router(seed: 5, chunk: 0, environment: 0)
    var completed: [CompletedRequest] = []
    while environment.pendingRequest != nil {
      _ = environment.step(rule.choose(cluster: environment.cluster))
      completed += environment.completions
    }
    return (completed, environment)
  }

  @Test("so many requests arrive, are served to their end, and nothing else")
  func requests() throws {
    let (completed, environment) = try serve(Fixtures.poisson(), WorkloadBounds(requests: 120))
    #expect(completed.count == 120 && environment.taken == 120 && environment.announced == 120)
    #expect(environment.cluster.inFlightCount == 0 && environment.cluster.pendingArrivalCount == 0)
    #expect(environment.closingRecord()?.values[0] == 120)
    // The same requests as without bounds.
    var workload = try Workload(Fixtures.poisson().workload, seed: 5)
    let arrivals = (0..<120).map { _ in workload.next().arrivedAt }
    #expect(completed.map(\.arrivedAt).sorted() == arrivals)
  }

  @Test("requests arrive up to a time; the one that comes too late is not taken")
  func arrivalEnd() throws {
    var workload = try Workload(Fixtures.poisson().workload, seed: 5)
    let arrivals = (0..<200).map { _ in workload.next().arrivedAt }
    // Up to an arrival's own time it does not count, a little later it does.
    for (end, count) in [(arrivals[50], 50), (arrivals[50].nextUp, 51), (arrivals[0], 0)] {
      let (completed, environment) = try serve(Fixtures.poisson(), WorkloadBounds(arrivalEnd: end))
      #expect(completed.count == count && environment.taken == count)
      #expect(environment.workload.clampedCount <= count)
    }
  }

  @Test("a simulation that is cut stands where the same one, run on, had stood")
  func end() throws {
    let whole = try serve(Fixtures.poisson(), WorkloadBounds(requests: 200))
    for time in [0.0, 1, 4.2, 9] {
      let (completed, environment) = try serve(Fixtures.poisson(), WorkloadBounds(requests: 200, end: time))
      #expect(completed == whole.completed.filter { $0.completedAt <= time }, "\(time) s")
      #expect(environment.cluster.now <= time)
      let arrived = completed.count + environment.cluster.inFlightCount
      var workload = try Workload(Fixtures.poisson().workload, seed: 5)
      #expect(arrived == (0..<200).count { _ in workload.next().arrivedAt <= time }, "\(time) s")
    }
  }

  @Test("an outage over the end of the workload brings no further requests")
  func outage() throws {
    var configuration = Fixtures.poisson(qps: 20)
    configuration.cluster = ClusterConfiguration(replicaCount: 2)
    configuration.cluster.availability = [0, 1].flatMap { replica in
      [
        AvailabilityChange(time: 2, replica: replica, kind: .fail), AvailabilityChange(time: 30, replica: replica, kind: .recover),
      ]
    }.sorted { ($0.time, $0.replica) < ($1.time, $1.replica) }
    let (completed, environment) = try serve(configuration, WorkloadBounds(requests: 60))
    #expect(completed.count == 60 && environment.announced == 60 && environment.cluster.reroutedCount > 0)
    // Cut in the middle of the outage all that has arrived waits.
    let cut = try serve(configuration, WorkloadBounds(requests: 60, end: 20))
    #expect(cut.environment.cluster.inFlightCount + cut.completed.count == 60 && cut.environment.cluster.routerQueueLength > 0)
  }

  @Test("requests that are turned away count as taken and can be had")
  func rejections() throws {
    let configuration = try Fixtures.replay(lengthPolicy: .clamp)
    var small = configuration
    small.cluster = ClusterConfiguration(replicaCount: 2, blockCount: 100)
    var environment = try RoutingEnvironment(small)
    environment.reset(seed: 1, chunk: 0, environment: 0, bounds: WorkloadBounds(requests: 150))
    var completed = 0
    while environment.pendingRequest != nil {
      _ = environment.step(environment.cluster.canRoute(to: 0) ? 0 : 1)
      completed += environment.completions.count
    }
    let rejected = environment.takeRejections().count
    #expect(rejected > 0 && completed + rejected == 150 && environment.taken == 150)
  }
}

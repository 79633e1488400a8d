import Environments
import ServingSim
import Testing

@testable import ServingEnv

@Suite struct RoutingEnvironmentTests {
  @Test("Poisson arrivals keep the environment contract")
  func poissonContract() throws {
    #expect(EnvironmentContract.violations(of: try RoutingEnvironment(Fixtures.poisson()), steps: 300) == [])
  }

  @Test("an overloaded cluster keeps the environment contract")
  func overloadContract() throws {
    #expect(EnvironmentContract.violations(of: try RoutingEnvironment(Fixtures.poisson(qps: 80)), seeds: [1], steps: 400) == [])
  }

  @Test("a replayed trace keeps the environment contract, shortened or with long requests left out", arguments: LengthPolicy.allCases)
  func traceContract(_ policy: LengthPolicy) throws {
    let environment = try RoutingEnvironment(Fixtures.replay(lengthPolicy: policy))
    #expect(EnvironmentContract.violations(of: environment, steps: 300) == [])
  }

  @Test("layouts of other sizes keep the environment contract")
  func layouts() throws {
    for bits in 0..<8 {
      let observation = ObservationConfiguration(
        queueSlots: bits, queueDelayFeatures: bits & 1 == 1, temporalFeatures: bits & 2 == 2, incomingRequestFeatures: bits & 4 == 4)
      let environment = try RoutingEnvironment(Fixtures.poisson(qps: 30, observation: observation))
      #expect(EnvironmentContract.violations(of: environment, seeds: [5], steps: 60) == [])
    }
  }

  @Test("one decision waits between steps; requests are conserved; the record adds up")
  func conservation() throws {
    var environment = try RoutingEnvironment(Fixtures.poisson(qps: 20))
    environment.reset(seed: 4, chunk: 2, environment: 3)
    #expect(environment.closingRecord() == nil)
    var router = HeuristicPolicy.lorFull.router(seed: 4, chunk: 2, environment: 3)
    var completed: [CompletedRequest] = []
    var total = 0.0
    for step in 1...500 {
      #expect(environment.cluster.routerQueueLength == 1)
      #expect(environment.cluster.pendingArrivalCount == 0)
      #expect(environment.pendingRequest == step - 1)
      let result = environment.step(router.choose(cluster: environment.cluster))
      #expect(!result.isEpisodeEnd && result.episode == nil)
      total += Double(result.reward)
      completed += environment.completions
      // The pending request is in flight for the cluster, not for the episode.
      #expect(environment.cluster.inFlightCount == step + 1 - completed.count)
    }
    #expect(environment.cluster.invariantViolations() == [])
    let record = try #require(environment.closingRecord())
    let values = Dictionary(uniqueKeysWithValues: zip(RoutingEnvironment.episodeFields, record.values))
    #expect(record.length == 500)
    #expect(record.return == total)
    #expect(values["completed"] == Double(completed.count))
    #expect(values["cut"] == Double(500 - completed.count))
    #expect(values["rejected"] == 0)
    #expect(values["duration"] == environment.cluster.now)
    let mean = completed.reduce(0) { $0 + $1.endToEndSeconds } / Double(completed.count)
    #expect(values["end_to_end_mean"] == mean)
    #expect(values["end_to_end_max"] == completed.map(\.endToEndSeconds).max())
    let firstToken = completed.reduce(0) { $0 + $1.timeToFirstTokenSeconds } / Double(completed.count)
    #expect(values["time_to_first_token_mean"] == firstToken)
  }

  @Test("with an end the last step returns everything that was in flight")
  func bounded() throws {
    var environment = try RoutingEnvironment(Fixtures.poisson())
    environment.reset(seed: 9, chunk: 1, environment: 0, bounds: WorkloadBounds(admitted: 200))
    var ids: [Int] = []
    for step in 0..<200 {
      _ = environment.step(step % 4)
      ids += environment.completions.map(\.id)
    }
    #expect(ids.sorted() == Array(0..<200))
    #expect(environment.pendingRequest == nil)
    let record = try #require(environment.closingRecord())
    #expect(record.length == 200)
    #expect(record.values[0] == 200 && record.values[1] == 0)
    // A reset makes it usable again.
    var fresh = try RoutingEnvironment(Fixtures.poisson())
    for seed: UInt64 in [9, 10] {
      environment.reset(seed: seed, chunk: 1, environment: 0)
      fresh.reset(seed: seed, chunk: 1, environment: 0)
      #expect(environment.observation == fresh.observation)
      #expect(environment.step(0) == fresh.step(0))
    }
  }

  @Test("too long requests of a trace are counted, shortened or left out without a decision")
  func longRequests() throws {
    // 12 of 200 rows have 5000 prompt tokens; one lap draws 201 rows.
    var clamped = try RoutingEnvironment(Fixtures.replay(lengthPolicy: .clamp))
    var rejected = try RoutingEnvironment(Fixtures.replay(lengthPolicy: .reject))
    clamped.reset(seed: 1, chunk: 1, environment: 0)
    rejected.reset(seed: 1, chunk: 1, environment: 0)
    for step in 0..<199 { _ = clamped.step(step % 4) }
    for step in 0..<187 { _ = rejected.step(step % 4) }
    let names = RoutingEnvironment.episodeFields
    let first = Dictionary(uniqueKeysWithValues: zip(names, clamped.closingRecord()?.values ?? []))
    let second = Dictionary(uniqueKeysWithValues: zip(names, rejected.closingRecord()?.values ?? []))
    #expect(first["clamped"] == 12 && first["rejected"] == 0)
    #expect(second["clamped"] == 0 && second["rejected"] == 12)
    #expect(clamped.cluster.now == rejected.cluster.now)
  }

  @Test("a request the cluster has no blocks for gives no decision and is counted")
  func noBlocks() throws {
    var configuration = Fixtures.poisson()
    configuration.cluster = ClusterConfiguration(blockCount: 64)  // 1024 tokens
    var environment = try RoutingEnvironment(configuration)
    environment.reset(seed: 1, chunk: 1, environment: 0)
    for step in 0..<100 { _ = environment.step(step % 4) }
    #expect(environment.cluster.rejectedCount > 20)
    #expect(environment.closingRecord()?.values[2] == Double(environment.cluster.rejectedCount))
    #expect(EnvironmentContract.violations(of: environment, seeds: [1], steps: 100) == [])
  }

  @Test("a workload that never fits and values out of range are refused by name")
  func refusals() throws {
    func field(_ change: (inout RoutingConfiguration) -> Void) -> String? {
      var configuration = Fixtures.poisson()
      change(&configuration)
      do throws(ServingError) {
        _ = try RoutingEnvironment(configuration)
        return nil
      } catch {
        return error.field
      }
    }
    #expect(field { _ in } == nil)
    #expect(field { $0.cluster = ClusterConfiguration(blockCount: 1) } == "workload")
    #expect(field { $0.reward.sigma = 0 } == "sigma")
    #expect(field { $0.reward.alpha = -.infinity } == "alpha")
    #expect(field { $0.reward.throughputTarget = 0 } == "throughputTarget")
    #expect(field { $0.reward.emaAlpha = 1.5 } == "emaAlpha")
    #expect(field { $0.observation.metricsWindowSeconds = 0 } == "metricsWindowSeconds")
    #expect(field { $0.observation.queueSlots = -1 } == "queueSlots")
  }

  @Test("the reward's target defaults to the arrival rate of the workload")
  func target() throws {
    #expect(Fixtures.poisson(qps: 17).arrivalRate == 17)
    #expect(try Fixtures.replay(qps: 5).arrivalRate == 5)
    #expect(abs(try Fixtures.replay().arrivalRate - 1 / 0.09) < 1e-9)
    var stated = Fixtures.poisson()
    stated.reward.throughputTarget = 24
    var twice = try RoutingEnvironment(stated)
    var once = try RoutingEnvironment(Fixtures.poisson())
    _ = twice.step(0)
    _ = once.step(0)
    let (a, b) = (twice.rewardComponents, once.rewardComponents)
    #expect(a.throughput == b.throughput)
    #expect(abs((b.absolute - a.absolute) - (b.throughput / 12 - b.throughput / 24)) < 1e-12)
  }

  @Test("info values are the terms of the last reward")
  func info() throws {
    var environment = try RoutingEnvironment(Fixtures.poisson())
    var reward: Float = 0
    for step in 0..<50 { reward = environment.step(step % 4).reward }
    var values = [Double](repeating: .nan, count: RoutingEnvironment.infoFields.count)
    var span = values.mutableSpan
    environment.info(into: &span)
    let named = Dictionary(uniqueKeysWithValues: zip(RoutingEnvironment.infoFields, values))
    #expect(Float(try #require(named["reward"])) == reward)
    #expect(named["raw"] == environment.rewardComponents.raw)
    #expect(named["imbalance"] == environment.rewardComponents.imbalance)
    #expect(named["stale"] == 0)
    #expect(named["in_flight"] == Double(environment.cluster.inFlightCount - 1))
  }

  @Test("a bad action and a step without a pending decision trap")
  func traps() async {
    await #expect(processExitsWith: .failure) {
      var environment = try RoutingEnvironment(Fixtures.poisson())
      _ = environment.step(4)
    }
    await #expect(processExitsWith: .failure) {
      var environment = try RoutingEnvironment(Fixtures.poisson())
      environment.reset(seed: 1, chunk: 0, environment: 0, bounds: WorkloadBounds(requests: 1))
      _ = environment.step(0)
      _ = environment.step(0)
    }
  }
}

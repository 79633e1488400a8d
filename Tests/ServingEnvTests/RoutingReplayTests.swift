import Environments
import ServingSim
import Testing

@testable import ServingEnv

/// Goal: a run can be rebuilt from its actions, and a copy is a snapshot. Method: a digest over every bit that the policy gets.
@Suite struct RoutingReplayTests {
  /// FNV-1a over observations and rewards of `actions`.
  private func digest(_ environment: inout RoutingEnvironment, _ actions: ArraySlice<Int>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ word: UInt32) { hash = (hash ^ UInt64(word)) &* 0x100_0000_01b3 }
    for action in actions {
      for value in environment.observation { add(value.bitPattern) }
      add(environment.step(action).reward.bitPattern)
    }
    return hash
  }

  /// Actions of a rule that looks at the cluster, with a share of random ones.
  private func record(_ prototype: RoutingEnvironment, steps: Int) -> [Int] {
    var environment = prototype
    var best = HeuristicPolicy.leastOutstandingTokens.router(seed: 3, chunk: 1, environment: 2)
    var random = HeuristicPolicy.random.router(seed: 3, chunk: 1, environment: 2)
    return (0..<steps).map { step in
      let action = step % 3 == 0 ? random.choose(cluster: environment.cluster) : best.choose(cluster: environment.cluster)
      _ = environment.step(action)
      return action
    }
  }

  @Test("replayed actions give the same digest, from a used environment too; one other action another one")
  func replay() throws {
    for configuration in [Fixtures.poisson(qps: 16), try Fixtures.replay()] {
      var environment = try RoutingEnvironment(configuration)
      environment.reset(seed: 3, chunk: 1, environment: 2)
      var actions = record(environment, steps: 600)
      let expected = digest(&environment, actions[...])
      environment.reset(seed: 3, chunk: 1, environment: 2)
      #expect(digest(&environment, actions[...]) == expected)
      actions[300] = (actions[300] + 1) % 4
      environment.reset(seed: 3, chunk: 1, environment: 2)
      #expect(digest(&environment, actions[...]) != expected)
    }
  }

  @Test("a copy at any point continues like the original and neither disturbs the other")
  func copies() throws {
    var environment = try RoutingEnvironment(Fixtures.poisson(qps: 16))
    environment.reset(seed: 3, chunk: 1, environment: 2)
    let actions = record(environment, steps: 300)
    var snapshots: [(step: Int, environment: RoutingEnvironment)] = []
    for (step, action) in actions.enumerated() {
      if step % 50 == 0 { snapshots.append((step, environment)) }
      // A look-ahead with other actions, thrown away.
      if step % 70 == 0 {
        var ahead = environment
        for other in 0..<20 { _ = ahead.step(other % 4) }
      }
      _ = environment.step(action)
    }
    var digests: [UInt64] = []
    for (step, snapshot) in snapshots {
      var copy = snapshot
      _ = digest(&copy, actions[step..<250])
      digests.append(digest(&copy, actions[250...]))
    }
    #expect(Set(digests).count == 1)
    // Against a run that was never copied.
    var fresh = try RoutingEnvironment(Fixtures.poisson(qps: 16))
    fresh.reset(seed: 3, chunk: 1, environment: 2)
    _ = digest(&fresh, actions[..<250])
    #expect(digest(&fresh, actions[250...]) == digests[0])
  }

  @Test(
    "100 steps of a plain cluster are pinned",
    arguments: [
      (ReplicaSchedulerConfiguration.Kind.vllm(), 2_929_023_203_952_705_863 as UInt64), (.vllmV1(), 10_200_579_482_292_922_927),
    ])
  func pinned(kind: ReplicaSchedulerConfiguration.Kind, expected: UInt64) throws {
    let configuration = RoutingConfiguration(
      cluster: ClusterConfiguration(
        scheduler: ReplicaSchedulerConfiguration(kind: kind), timeModel: .linear(a: 0.01, b: 1e-4, c: 1e-4, d: 0), blockCount: 400),
      workload: WorkloadConfiguration(source: .poisson(.init(qps: 16, lengths: .fixed(prefillTokens: 700, decodeTokens: 60)))))
    var environment = try RoutingEnvironment(configuration)
    environment.reset(seed: 3, chunk: 1, environment: 2)
    let actions = (0..<100).map { $0 * $0 % 4 }
    let found = digest(&environment, actions[...])
    #expect(found == expected, "digest \(found)")
  }

  /// Replica 1 fails for a while, then every replica at once, with different speeds.
  private func failing() -> RoutingConfiguration {
    var configuration = Fixtures.poisson(qps: 16)
    configuration.cluster.replicas[2].speedFactor = 0.5
    configuration.cluster.availability =
      [AvailabilityChange(time: 5, replica: 1, kind: .fail), AvailabilityChange(time: 8, replica: 1, kind: .recover)]
      + (0..<4).map { AvailabilityChange(time: 12, replica: $0, kind: $0 == 3 ? .drain : .fail) }
      + (0..<4).map { AvailabilityChange(time: 13, replica: $0, kind: .recover) }
    return configuration
  }

  private func mask(_ environment: RoutingEnvironment) -> [UInt8] {
    var values = [UInt8](repeating: 9, count: environment.actionCount)
    var span = values.mutableSpan
    environment.actionMask(into: &span)
    return values
  }

  @Test("with replicas that fail the mask follows them, re-routes are decisions, and a replay gives the same bits")
  func failures() throws {
    var environment = try RoutingEnvironment(failing())
    environment.reset(seed: 3, chunk: 1, environment: 2)
    var actions: [Int] = []
    var masks: Set<[UInt8]> = []
    var rule = HeuristicPolicy.lorFull.router(seed: 3, chunk: 1, environment: 2)
    for _ in 0..<400 {
      masks.insert(mask(environment))
      actions.append(rule.choose(cluster: environment.cluster))
      #expect(mask(environment)[actions.last ?? 0] == 1)
      _ = environment.step(actions.last ?? 0)
    }
    #expect(environment.cluster.now > 14)
    #expect(environment.cluster.reroutedCount > 5)
    #expect(environment.announced + environment.cluster.reroutedCount == 401 + environment.cluster.routerQueueLength - 1)
    #expect(masks == [[1, 1, 1, 1], [1, 0, 1, 1]])
    environment.reset(seed: 3, chunk: 1, environment: 2)
    let expected = digest(&environment, actions[...])
    environment.reset(seed: 3, chunk: 1, environment: 2)
    var copy = environment
    _ = digest(&copy, actions[..<170])
    let snapshot = copy
    _ = copy.step(actions[170])
    var again = snapshot
    environment.reset(seed: 3, chunk: 1, environment: 2)
    #expect(digest(&environment, actions[...]) == expected)
    var other = snapshot
    #expect(digest(&again, actions[170...]) == digest(&other, actions[170...]))
  }

  @Test("an evaluation over failures serves every request")
  func evaluation() throws {
    for policy in HeuristicPolicy.allCases {
      var environment = try RoutingEnvironment(failing())
      environment.reset(seed: 3, chunk: 0, environment: 1, bounds: WorkloadBounds(admitted: 300))
      var rule = policy.router(seed: 3, chunk: 0, environment: 1)
      var completed = 0
      while environment.pendingRequest != nil {
        _ = environment.step(rule.choose(cluster: environment.cluster))
        completed += environment.completions.count
      }
      #expect(completed == 300)
      #expect(environment.cluster.inFlightCount == 0)
      #expect(environment.closingRecord()?.values[1] == 0)
    }
  }
}

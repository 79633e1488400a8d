import Environments
import ServingSim
import Testing

@testable import ServingEnv

/// Credit by copies against a second simulation that starts at time zero and knows nothing of copies.
@Suite struct CreditTests {
  static func configuration(qps: Double, weights: LatencyObjective = LatencyObjective(referenceRequests: 50)) -> RoutingConfiguration {
    var configuration = Fixtures.poisson(qps: qps)
    configuration.objective = weights
    configuration.measuresCosts = true
    return configuration
  }

  /// A run of `count` decisions by a rule that spreads badly, with the environments before each.
  static func drive(_ environment: RoutingEnvironment, seed: UInt64, count: Int) -> (before: [RoutingEnvironment], decisions: [Decision]) {
    var environment = environment
    environment.reset(seed: seed, chunk: 3, environment: 1)
    var before: [RoutingEnvironment] = []
    var decisions: [Decision] = []
    var router = HeuristicPolicy.random.router(seed: seed, chunk: 3, environment: 1)
    for _ in 0..<count {
      before.append(environment)
      let action = router.choose(cluster: environment.cluster)
      decisions.append(Decision(subject: environment.subject, action: action))
      _ = environment.step(action)
    }
    return (before, decisions)
  }

  /// The whole simulation again from an empty cluster: request i goes to `replicas[i]`, later ones to the least loaded; stops at the arrival of
  /// request `end`, or serves requests 0..<end to their end without further ones.
  static func resimulate(
    _ configuration: RoutingConfiguration, seed: UInt64, replicas: [Int], end: Int, drains: Bool
  ) throws -> (cluster: ClusterSimulation, completed: [CompletedRequest]) {
    var cluster = try ClusterSimulation(configuration.cluster)
    var workload = try Workload(configuration.workload)
    workload.reset(seed: seed, chunk: 3, environment: 1)
    for request in 0..<(drains ? end : end + 1) {
      while cluster.enqueueArrival(workload.next()) == nil {}
      let waiting = cluster.runUntilDecision()
      #expect(waiting == request)
      if request == end { break }
      var target = 0
      if request < replicas.count {
        target = replicas[request]
      } else {
        for replica in 1..<cluster.replicaCount
        where cluster.replica(replica).outstandingRequests < cluster.replica(target).outstandingRequests { target = replica }
      }
      cluster.route(to: target)
    }
    if drains { #expect(cluster.runUntilDecision() == nil) }
    return (cluster, cluster.takeCompletions())
  }

  /// The objective's cost of requests 0..<end, from their times alone.
  static func cost(
    _ configuration: RoutingConfiguration, reference: LatencyFigures, _ result: (cluster: ClusterSimulation, completed: [CompletedRequest])
  ) -> Double {
    let o = configuration.objective
    let sum = o.endToEndWeight + o.firstTokenWeight + o.firstTokenSquaredWeight
    var total = 0.0
    func add(_ endToEnd: Double, _ first: Double) {
      total += o.endToEndWeight / sum * endToEnd / reference.endToEnd
      total += o.firstTokenWeight / sum * first / reference.firstToken
      total += o.firstTokenSquaredWeight / sum * first * first / reference.firstTokenSquared
    }
    for request in result.completed { add(request.completedAt - request.arrivedAt, request.prefillCompletedAt - request.arrivedAt) }
    let now = result.cluster.now
    result.cluster.forEachLiveRequest { add(now - $0.arrivedAt, ($0.prefillCompletedAt ?? now) - $0.arrivedAt) }
    return total
  }

  static func reference(_ configuration: RoutingConfiguration, seed: UInt64) throws -> LatencyFigures {
    let count = configuration.objective.referenceRequests
    return LatencyFigures(meanOf: try resimulate(configuration, seed: seed, replicas: [], end: count, drains: true).completed)
  }

  @Test(
    "differences between actions are those of whole simulations, with the future inside and beyond what was recorded",
    arguments: [(12.0, false), (12.0, true), (40.0, false), (40.0, true)])
  func actionCosts(_ qps: Double, _ drains: Bool) throws {
    let configuration = Self.configuration(qps: qps)
    let environment = try RoutingEnvironment(configuration)
    for seed: UInt64 in [1, 2] {
      let (before, decisions) = Self.drive(environment, seed: seed, count: 90)
      let reference = try Self.reference(configuration, seed: seed)
      for place in [0, 17, 60, 89] {
        for horizon in [0, 1, 25] {
          let costs = before[place].actionCosts(
            later: Array(decisions.dropFirst(place + 1)), horizon: CostHorizon(decisions: horizon, drains: drains))
          let expected = try (0..<4).map { action in
            var replicas = decisions.map(\.action)
            replicas[place] = action
            let again = try Self.resimulate(configuration, seed: seed, replicas: replicas, end: place + horizon + 1, drains: drains)
            return Self.cost(configuration, reference: reference, again)
          }
          for action in 1..<4 {
            let difference = costs[action] - costs[0]
            let wanted = expected[action] - expected[0]
            #expect(abs(difference - wanted) < 1e-8, "seed \(seed), place \(place), horizon \(horizon), action \(action)")
          }
        }
      }
    }
  }

  @Test("asking changes nothing, and the answer depends on nothing else")
  func pure() throws {
    let environment = try RoutingEnvironment(Self.configuration(qps: 20))
    let (before, decisions) = Self.drive(environment, seed: 5, count: 40)
    var asked = before[10]
    let later = Array(decisions.dropFirst(11))
    let horizon = CostHorizon(decisions: 20, drains: false)
    let first = asked.actionCosts(later: later, horizon: horizon)
    #expect(asked.actionCosts(later: later, horizon: horizon) == first)
    _ = asked.ownCosts(of: Array(decisions.dropFirst(10)))
    for decision in decisions.dropFirst(10) { _ = asked.step(decision.action) }
    var other = before[39]
    _ = other.step(decisions[39].action)
    #expect(asked.observation == other.observation)
  }

  @Test("own costs are those of the routed requests in a whole simulation that goes on with lor_full")
  func ownCosts() throws {
    let configuration = Self.configuration(qps: 20)
    let environment = try RoutingEnvironment(configuration)
    let (before, decisions) = Self.drive(environment, seed: 3, count: 60)
    let reference = try Self.reference(configuration, seed: 3)
    let again = try Self.resimulate(configuration, seed: 3, replicas: decisions.map(\.action), end: 1500, drains: false)
    let scale = ObjectiveScale(configuration.objective, reference: reference)
    for begin in [0, 20] {
      let costs = before[begin].ownCosts(of: Array(decisions[begin..<50]))
      for (place, cost) in costs.enumerated() {
        // The copy knows 50 decisions, the simulation 60: requests that were served before number 50 arrived are alike.
        guard let request = again.completed.first(where: { $0.id == begin + place }), request.completedAt < before[50].cluster.now else {
          continue
        }
        #expect(abs(cost - scale.cost(request)) < 1e-12)
      }
      #expect(costs.allSatisfy { $0.isFinite && $0 > 0 })
    }
    let exact = try Self.resimulate(configuration, seed: 3, replicas: Array(decisions.map(\.action)[..<50]), end: 1500, drains: false)
    let costs = before[20].ownCosts(of: Array(decisions[20..<50]))
    for (place, cost) in costs.enumerated() {
      let request = try #require(exact.completed.first { $0.id == 20 + place })
      #expect(abs(cost - scale.cost(request)) < 1e-12)
    }
  }

  @Test("what accrues between decisions adds up to what requests cost when they complete")
  func accrual() throws {
    func total(_ mode: RewardConfiguration.Mode) throws -> (rewards: Double, live: Double) {
      var configuration = Self.configuration(qps: 25)
      configuration.reward.mode = mode
      var environment = try RoutingEnvironment(configuration)
      environment.reset(seed: 8, chunk: 1, environment: 0)
      var sum = 0.0
      for step in 0..<300 {
        _ = environment.step((step * 7) % 4)
        sum += environment.rewardComponents.reward
      }
      return (sum, environment.objectiveScale.liveCost(environment.cluster))
    }
    let (accrued, live) = try total(.accrual)
    let (completed, _) = try total(.completion)
    #expect(live > 0 && completed < 0)
    #expect(abs(accrued - (completed - live)) < 1e-7 * abs(accrued))
  }

  @Test("lor_full scores 1 by the objective on its own workload, a worse rule more, whatever the weights")
  func objective() throws {
    for weights in [LatencyObjective(), LatencyObjective(endToEndWeight: 3, firstTokenWeight: 0, firstTokenSquaredWeight: 1)] {
      let reference = LatencyFigures(endToEnd: 4, firstToken: 0.5, firstTokenSquared: 0.4)
      #expect(abs(weights.score(reference, reference: reference) - 1) < 1e-15)
      let worse = LatencyFigures(endToEnd: 8, firstToken: 0.5, firstTokenSquared: 0.4)
      #expect(weights.score(worse, reference: reference) > 1.3)
    }
    // 1/3 of twice, once and four times
    let score = LatencyObjective().score(
      LatencyFigures(endToEnd: 8, firstToken: 0.5, firstTokenSquared: 1.6),
      reference: LatencyFigures(endToEnd: 4, firstToken: 0.5, firstTokenSquared: 0.4))
    #expect(abs(score - 7.0 / 3) < 1e-15)
  }

  @Test("with failing replicas forbidden actions have no cost, every other has one")
  func failures() throws {
    var configuration = Self.configuration(qps: 30)
    configuration.cluster.availability = [
      AvailabilityChange(time: 1, replica: 1, kind: .fail), AvailabilityChange(time: 2, replica: 2, kind: .drain),
      AvailabilityChange(time: 4, replica: 1, kind: .recover),
    ]
    configuration.observation.replicaStatusFeatures = true
    configuration.observation.replicasMax = 6
    let environment = try RoutingEnvironment(configuration)
    let (before, decisions) = Self.drive(environment, seed: 4, count: 200)
    var forbidden = 0
    for place in stride(from: 0, to: 200, by: 20) {
      let costs = before[place].actionCosts(
        later: Array(decisions.dropFirst(place + 1)), horizon: CostHorizon(decisions: 40, drains: true))
      #expect(costs.count == 6 && costs[4].isNaN && costs[5].isNaN && costs[0].isFinite && costs[0] > 0)
      if costs[1].isNaN || costs[2].isNaN { forbidden += 1 }
      #expect(before[place].ownCosts(of: Array(decisions[place..<min(place + 30, 200)])).allSatisfy { $0.isFinite })
    }
    #expect(forbidden > 0)
  }

  @Test("padding is zero, masked, and changes nothing else")
  func padding() throws {
    let plain = try RoutingEnvironment(Fixtures.poisson(qps: 20))
    let padded = try RoutingEnvironment(Fixtures.poisson(qps: 20, observation: ObservationConfiguration(replicasMax: 7)))
    #expect(EnvironmentContract.violations(of: padded, seeds: [4], steps: 100) == [])
    var (left, right) = (plain, padded)
    left.reset(seed: 2, chunk: 1, environment: 0)
    right.reset(seed: 2, chunk: 1, environment: 0)
    for step in 0..<60 {
      let (a, b) = (left.observation, right.observation)
      #expect(Array(b[..<200]) == Array(a[..<200]) && Array(b[350...]) == Array(a[200...]))
      #expect(b[200..<350].allSatisfy { $0 == 0 })
      var mask = [UInt8](repeating: 9, count: 7)
      var span = mask.mutableSpan
      right.actionMask(into: &span)
      #expect(mask == [1, 1, 1, 1, 0, 0, 0])
      #expect(left.step(step % 4) == right.step(step % 4))
    }
  }
}

@Suite struct CurriculumTests {
  static let curriculum = Curriculum(stages: [
    .init(chunks: 2, rateScale: 0.5, latencyThresholdScale: 1.2), .init(chunks: 1, rateScale: 1, latencyThresholdScale: 1),
    .init(chunks: 1, rateScale: 2, latencyThresholdScale: 0.9),
  ])

  @Test("stages follow the chunks, the last one stays, evaluations have the task as configured")
  func stages() {
    #expect((0...7).map { Self.curriculum.stage(chunk: $0).rateScale } == [1, 0.5, 0.5, 1, 2, 2, 2, 2])
    #expect(Curriculum().stage(chunk: 5) == .plain)
  }

  @Test("the rate scales the arrivals of the same requests; threshold and target follow")
  func effect() throws {
    var configuration = Fixtures.poisson(qps: 10)
    let plain = try RoutingEnvironment(configuration)
    configuration.curriculum = Self.curriculum
    let staged = try RoutingEnvironment(configuration)
    func times(_ environment: RoutingEnvironment, chunk: Int) -> [Double] {
      var copy = environment
      copy.reset(seed: 1, chunk: chunk, environment: 0)
      return (0..<50).map { step in
        defer { _ = copy.step(step % 4) }
        return copy.cluster.now
      }
    }
    #expect(times(staged, chunk: 0) == times(plain, chunk: 0))
    #expect(times(staged, chunk: 3) == times(plain, chunk: 3))
    #expect(times(staged, chunk: 1) == times(plain, chunk: 1).map { $0 / 0.5 })
    #expect(times(staged, chunk: 9) == times(plain, chunk: 9).map { $0 / 2 })
    let reward = configuration.reward(in: Self.curriculum.stage(chunk: 1))
    #expect(reward.target == 5 && abs(reward.configuration.latencyThreshold - 4.8) < 1e-15)
    #expect(EnvironmentContract.violations(of: staged, seeds: [1], steps: 60) == [])
  }

  @Test("a stage that makes no sense is refused by name")
  func refusal() {
    for (stage, field) in [
      (Curriculum.Stage(chunks: 0, rateScale: 1, latencyThresholdScale: 1), "curriculum[0].chunks"),
      (Curriculum.Stage(chunks: 1, rateScale: 0, latencyThresholdScale: 1), "curriculum[0].rateScale"),
      (Curriculum.Stage(chunks: 1, rateScale: 1, latencyThresholdScale: .infinity), "curriculum[0].latencyThresholdScale"),
    ] {
      var configuration = Fixtures.poisson()
      configuration.curriculum = Curriculum(stages: [stage])
      #expect { try RoutingEnvironment(configuration) } throws: { ($0 as? ServingError)?.field == field }
    }
  }
}

import Environments
import Neural
import PPO
import Randomness
import RunConfig
import Testing

@testable import Training

/// The rules of a rollout (2 and 5 to 9), on an environment that says where it stands.
@Suite("Rules of a rollout")
struct RolloutRuleTests {
  private let settings: TrainingSettings
  private let network: Network
  private let parameters: [Float]

  init() throws {
    settings = TrainingSettings(try TrainingHarness().configuration)
    network = Network(.recurrent(hidden: 16, layers: 1, projection: 16), observationSize: 4, actionCount: 3)
    parameters = network.initialParameters(seed: 5).map { $0 * 3 }
  }

  private func collector(_ environments: Range<Int>, chunk: Int = 2) -> RolloutCollector<ScriptedEnvironment> {
    var collector = RolloutCollector(settings: settings, network: network, prototype: ScriptedEnvironment(), environments: environments)
    collector.beginChunk(chunk)
    return collector
  }

  private func collect(
    _ collector: inout RolloutCollector<ScriptedEnvironment>, shares: [Int], isLast: Bool = false, chunk: Int = 2,
    frozen: FrozenStatistics? = nil, scaling: ReturnScaling? = nil
  ) throws -> Rollout {
    try collector.collect(
      chunk: chunk, shares: shares, isLast: isLast, parameters: parameters, frozen: frozen ?? FrozenStatistics(identity: 4),
      scaling: scaling,
      stopRequested: { nil }
    ).get()
  }

  /// Value of one observation, and the state after it.
  private func pass(_ observation: [Float], _ state: [Float]) -> (value: Float, state: [Float]) {
    var logits = [Float](repeating: 0, count: 3)
    var values: [Float] = [0]
    var next = state
    network.forward(
      parameters: parameters, observations: observation, states: state, rows: 1, outputs: .policyAndValue,
      activations: network.makeActivations(rows: 1), logits: &logits, values: &values, nextStates: &next)
    return (values[0], next)
  }

  @Test("2: a chunk begins alike whatever came before it")
  func chunkStart() throws {
    var used = collector(0..<2, chunk: 1)
    _ = try collect(&used, shares: [7, 5], chunk: 1)
    #expect(used.runners[0].policyState.contains { $0 != 0 } && used.runners[0].discountedReturn != 0)
    used.clearSlots()
    used.beginChunk(2)
    var fresh = collector(0..<2)
    for (i, runner) in used.runners.enumerated() {
      #expect(runner.state == .empty(stateSize: network.stateSize))
      #expect(runner.episodes.isEmpty && runner.rewardSum == 0)
      #expect(runner.state == fresh.runners[i].state)
    }
    #expect(try collect(&used, shares: [4, 4]) == collect(&fresh, shares: [4, 4]))
    #expect(used.runners.map(\.state) == fresh.runners.map(\.state))
    #expect(used.slots == fresh.slots)
  }

  @Test("2: real environments begin a chunk alike after any past")
  func realEnvironments() throws {
    func check<E: Environment>(_ prototype: E) {
      var digests: [[String]] = []
      for past in [0, 1, 40] {
        var runner = EnvironmentRunner(index: 1, prototype: prototype, stateSize: 3)
        runner.beginChunk(seed: 1, chunk: 1)
        for step in 0..<past {
          runner.observe()
          _ = runner.step(step % 2, discount: 0.9)
        }
        runner.policyState = [1, 2, 3]
        runner.beginChunk(seed: 1, chunk: 2)
        #expect(runner.state == .empty(stateSize: 3))
        for step in 0..<30 {
          runner.observe()
          _ = runner.step(step / 2 % 2, discount: 0.9)
        }
        runner.endIteration()
        digests.append(runner.digests.map(\.hex) + ["\(runner.discountedReturn)"])
      }
      #expect(digests[0] == digests[1] && digests[0] == digests[2])
    }
    check(CartPole())
    check(try TrainingHarness().routing())
  }

  @Test("5 and 8: ends, cuts and bootstrap values, with the recurrent state a replay by hand finds", arguments: [false, true])
  func ends(isLast: Bool) throws {
    var collector = collector(0..<4)
    let shares = [7, 7, 6, 6]
    let rollout = try collect(&collector, shares: shares, isLast: isLast)
    for environment in 0..<4 {
      let isEven = environment % 2 == 0
      var state = [Float](repeating: 0, count: network.stateSize)
      var discounted = 0.0
      for t in 0..<shares[environment] {
        let index = rollout.index(environment: environment, t: t)
        let observation = Array(rollout.observations[(index * 4)..<(index * 4 + 4)])
        #expect(Array(rollout.states[(index * network.stateSize)..<((index + 1) * network.stateSize)]) == state, "\(environment) \(t)")
        let (value, next) = pass(observation, state)
        #expect(rollout.values[index] == value)
        state = next
        discounted = settings.gamma * discounted + Double(rollout.rewards[index])
        let isEnd = (t + 1) % 3 == 0
        let isLastStep = t == shares[environment] - 1
        let following: [Float] = [2, Float(environment), Float(t + 1), Float(rollout.actions[index])]
        #expect(rollout.terminal[index] == (isEnd && isEven ? 1 : 0))
        #expect(rollout.cut[index] == ((isEnd && !isEven) || (isLast && isLastStep && !isEnd) ? 1 : 0), "\(environment) \(t)")
        if isEnd {
          // A cut is followed by the value of the observation the episode ended in, an end by nothing; both forget the past.
          #expect(rollout.valuesNext[index] == (isEven ? 0 : pass(following.map { $0 + 0.25 }, state).value))
          state = state.map { _ in 0 }
          discounted = 0
        } else {
          #expect(rollout.valuesNext[index] == (isLastStep ? pass(following, state).value : 0))
        }
      }
      #expect(collector.runners[environment].policyState == state, "the bootstrap moved the state of \(environment)")
      #expect(collector.runners[environment].discountedReturn == discounted)
    }
    // The episode that a chunk's end cuts is recorded with the others.
    #expect(collector.runners[0].episodes.map(\.length) == (isLast ? [3, 3, 1] : [3, 3]))
    #expect(collector.runners[2].episodes.map(\.length) == [3, 3])
  }

  @Test("6: transitions are ordered by environment, then time, also with a finished environment and any division among ranks")
  func order() throws {
    let shares = [3, 0, 5, 4, 1]
    var whole = collector(0..<5)
    let expected = try collect(&whole, shares: shares)
    let places = (0..<expected.count).map { [Int(expected.observations[$0 * 4 + 1]), Int(expected.observations[$0 * 4 + 2])] }
    #expect(places == (0..<5).flatMap { environment in (0..<shares[environment]).map { [environment, $0] } })
    for cut in 1..<5 {
      var (low, high) = (collector(0..<cut), collector(cut..<5))
      let parts = [try collect(&low, shares: Array(shares[..<cut])), try collect(&high, shares: Array(shares[cut...]))]
      #expect(Rollout(concatenating: parts) == expected)
      #expect((low.runners + high.runners).map(\.state) == whole.runners.map(\.state))
      #expect(low.slots + high.slots == whole.slots)
    }
  }

  @Test("6: ranks drive contiguous blocks that leave no environment out")
  func blocks() {
    for size in 1...9 {
      let blocks = (0..<size).map { RolloutCollector<CartPole>.environments(of: $0, worldSize: size, environmentCount: 9) }
      #expect(blocks.flatMap { Array($0) } == Array(0..<9))
      #expect(blocks.allSatisfy { !$0.isEmpty })
    }
  }

  @Test("7: observations and rewards of a rollout are all normalised with the statistics of its begin")
  func frozenStatistics() throws {
    var observations = RunningStatistics(dimension: 4)
    var returns = RunningStatistics(dimension: 1)
    for i in 0..<20 {
      observations.add([Float(i), Float(i % 3), Float(i * i), -1].span)
      returns.add(Double(i))
    }
    let (frozen, scaling) = (FrozenStatistics(observations), ReturnScaling(returns))
    var (plain, normalised) = (collector(0..<3), collector(0..<3))
    let rollout = try collect(&normalised, shares: [9, 8, 7], frozen: frozen, scaling: scaling)
    _ = try collect(&plain, shares: [9, 8, 7])
    for environment in 0..<3 {
      var lastAction: Float = 0
      for t in 0..<rollout.segmentLengths[environment] {
        let index = rollout.index(environment: environment, t: t)
        var expected: [Float] = [0, 0, 0, 0]
        frozen.normalise([2, Float(environment), Float(t), lastAction], row: 0, into: &expected)
        #expect(Array(rollout.observations[(index * 4)..<(index * 4 + 4)]) == expected)
        lastAction = Float(rollout.actions[index])
        #expect(rollout.rewards[index] == scaling.scale(lastAction - 0.5 * Float(t % 5)))
      }
      // Counted when acted on: one sample a decision, none for the observation that bootstraps. Raw, not normalised.
      let slot = normalised.slots[environment]
      #expect(slot.observations.count == rollout.segmentLengths[environment] && slot.returns.count == slot.observations.count)
      #expect(slot.observations.mean[2] == Double(rollout.segmentLengths[environment] - 1) / 2)
    }
  }

  @Test("7 and 11: draws are named by environment and decision, so another environment shifts none of them")
  func keyedDraws() throws {
    var (two, three) = (collector(0..<2), collector(0..<3))
    _ = try collect(&two, shares: [20, 20])
    let rollout = try collect(&three, shares: [20, 20, 20])
    var sampler = ActionSampler(actionCount: 3)
    for environment in 0..<3 {
      for t in 0..<20 {
        let index = rollout.index(environment: environment, t: t)
        var stream = RandomStream(seed: settings.seed, purpose: .action, chunk: 2, environment: environment, index: t)
        let chosen = sampler.sample(logits: rollout.logits, masks: rollout.masks, row: index, temperature: 1, uniform: stream.uniform())
        #expect(rollout.actions[index] == Int32(chosen.action))
      }
    }
    #expect(two.runners.map(\.actions) == three.runners[..<2].map(\.actions))
    #expect(two.runners[0].actions != two.runners[1].actions)

    var (few, many) = (collector(0..<2), collector(0..<3))
    #expect(few.stabilise(chunk: 2, shares: [20, 20], isLast: false, stopRequested: { nil }) == nil)
    #expect(many.stabilise(chunk: 2, shares: [20, 20, 20], isLast: false, stopRequested: { nil }) == nil)
    #expect(few.runners.map(\.state) == many.runners[..<2].map(\.state))
    for runner in many.runners {
      // The uniform draw over the allowed actions, by hand; no policy moved.
      let expected = (0..<20).map { decision in
        var stream = RandomStream(
          seed: settings.seed, purpose: .stabilisation, chunk: 2, environment: runner.index, index: decision)
        return UInt16((0..<3).filter { $0 != decision % 3 }[stream.bounded(2)])
      }
      #expect(runner.actions == expected)
      #expect(runner.policyState.allSatisfy { $0 == 0 })
    }
    #expect(many.slots.map(\.observations.count) == [20, 20, 20])
  }

  @Test("9: negative zero survives the exchange, and slots are folded in environment order")
  func slots() throws {
    func slot(_ values: [Float]) -> StatisticsSlot {
      var slot = StatisticsSlot(observationSize: 1)
      for value in values {
        slot.observations.add([value].span)
        slot.returns.add(Double(value))
      }
      return slot
    }
    let filled = [slot([0.1, 3e7]), slot([1e-7, 5, 0.3]), slot([-4e5]), slot([7, 0.7])]
    func folded(_ order: [Int]) -> RunningStatistics {
      var global = StatisticsSlot(observationSize: 1)
      for environment in order { StatisticsSlot.fold([filled[environment]], into: &global) }
      return global.observations
    }
    #expect(folded([3, 2, 1, 0]) != folded([0, 1, 2, 3]), "the values do not tell orders apart")
    for owners in [[[0, 1], [2, 3]], [[3], [0, 2], [1]], [[1, 3], [0, 2]]] {
      var exchanged = SyncSlots(environmentCount: 4, shape: StatisticsShape(observationSize: 1), worldSize: owners.count)
      for (rank, environments) in owners.enumerated() {
        var own = SyncSlots(environmentCount: 4, shape: StatisticsShape(observationSize: 1), worldSize: owners.count)
        own.set(.complete, rank: rank)
        for environment in environments { own.fill(environment: environment, filled[environment]) }
        for i in own.words.indices { exchanged.words[i] |= own.words[i] }
      }
      var global = StatisticsSlot(observationSize: 1)
      exchanged.fold(into: &global)
      #expect(global.observations == folded([0, 1, 2, 3]))
      #expect(exchanged.outcome == .complete)
    }
    // Bits, not numbers: a sum would turn -0.0 into 0.0.
    var zero = SyncSlots(environmentCount: 2, shape: StatisticsShape(observationSize: 1), worldSize: 1)
    var negative = StatisticsSlot(observationSize: 1)
    negative.observations = try #require(RunningStatistics(count: 1, mean: [-0.0], m2: [0]))
    zero.fill(environment: 1, negative)
    var global = StatisticsSlot(observationSize: 1)
    zero.fold(into: &global)
    #expect(global.observations.mean[0].sign == .minus && global.observations.count == 1)
  }

  @Test("9: a failure outweighs a stop, a stop outweighs completion, the lowest rank counts")
  func outcomes() {
    var slots = SyncSlots(environmentCount: 1, shape: StatisticsShape(observationSize: 1), worldSize: 4)
    #expect(slots.outcome == .complete)
    slots.set(.stopped(.maxChunks), rank: 3)
    #expect(slots.outcome == .stopped(.maxChunks))
    slots.set(.stopped(.signal(-7)), rank: 1)
    #expect(slots.outcome == .stopped(.signal(-7)))
    slots.set(.failed(.inputOutput), rank: 2)
    #expect(slots.outcome == .failed(.inputOutput))
    slots.clear()
    #expect(slots.outcome == .complete)
  }
}

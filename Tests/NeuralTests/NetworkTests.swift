import Neural
import Testing

@Suite("network")
struct NetworkTests {
  /// The closed form for the recurrent network with a plain head.
  private func formula(_ D: Int, _ A: Int, _ H: Int, _ L: Int, _ F: Int, norm: Bool) -> Int {
    let projection = (D * F + F) + (F * H + H) + (H * H + 3 * H)
    let core = L * (6 * H * H + 6 * H) + 2 * H
    let heads = 2 * 2 * (H * H + 3 * H) + (H * A + A) + (6 * H * H + 6 * H) + (H + 1)
    return (norm ? 2 * D : 0) + projection + core + heads
  }

  @Test("parameter counts are those of the closed form")
  func counts() {
    #expect(Network(.recurrent(), observationSize: 210, actionCount: 4).parameterCount == 468_869)
    #expect(Network(.recurrent(inputLayerNorm: true), observationSize: 210, actionCount: 4).parameterCount == 469_289)
    let bounded = Network(.recurrent(inputLayerNorm: true, boundedLogits: true), observationSize: 310, actionCount: 4)
    #expect(bounded.parameterCount == 495_097)
    #expect(Network(.recurrent(inputLayerNorm: true, boundedLogits: true), observationSize: 210, actionCount: 4).parameterCount == 469_297)
    let wide = NetworkConfiguration.recurrent(hidden: 320, layers: 3, inputLayerNorm: true, boundedLogits: true)
    #expect(Network(wide, observationSize: 198, actionCount: 4).parameterCount == 3_117_913)
    for (D, A, H, L, F) in [(1, 1, 16, 1, 1), (12, 7, 48, 3, 20), (198, 17, 64, 2, 256)] {
      for norm in [false, true] {
        let network = Network(
          .recurrent(hidden: H, layers: L, projection: F, inputLayerNorm: norm), observationSize: D, actionCount: A)
        #expect(network.parameterCount == formula(D, A, H, L, F, norm: norm))
        #expect(network.stateSize == (L + 1) * H)
      }
    }
    let cartPole = Network(.mlp(hidden: [64, 64]), observationSize: 4, actionCount: 2)
    #expect(cartPole.parameterCount == 2 * (4 * 64 + 64 + 64 * 64 + 64) + 64 * 2 + 2 + 64 + 1)
    #expect(cartPole.stateSize == 0)
  }

  @Test("a row's results do not depend on the batch", arguments: NetworkGradientTests.networks)
  func rowInvariance(network: Network) {
    let rows = 23
    let p = network.initialParameters(seed: 3)
    let x = TestData.uniform(rows * network.observationSize, index: 1)
    let h = TestData.uniform(rows * network.stateSize, index: 2)
    func run(_ range: Range<Int>) -> [UInt32] {
      let count = range.count
      let activations = network.makeActivations(rows: count)
      var logits = [Float](repeating: 0, count: count * network.actionCount)
      var values = [Float](repeating: 0, count: count)
      var next = [Float](repeating: 0, count: count * network.stateSize)
      network.forward(
        parameters: p, observations: Array(x[(range.lowerBound * network.observationSize)..<(range.upperBound * network.observationSize)]),
        states: Array(h[(range.lowerBound * network.stateSize)..<(range.upperBound * network.stateSize)]), rows: count,
        activations: activations, logits: &logits, values: &values, nextStates: &next)
      var bits: [UInt32] = []
      for r in 0..<count {
        for a in 0..<network.actionCount { bits.append(logits[r * network.actionCount + a].bitPattern) }
        bits.append(values[r].bitPattern)
        for s in 0..<network.stateSize { bits.append(next[r * network.stateSize + s].bitPattern) }
      }
      return bits
    }
    let whole = run(0..<rows)
    for size in 1...12 {
      var pieces: [UInt32] = []
      for first in stride(from: 0, to: rows, by: size) { pieces += run(first..<min(first + size, rows)) }
      #expect(pieces == whole, "batches of \(size)")
    }
  }

  @Test("policy only and value only give the same numbers as both")
  func partialOutputs() {
    let network = NetworkGradientTests.networks[0]
    let p = network.initialParameters(seed: 3)
    let x = TestData.uniform(2 * network.observationSize, index: 1)
    let h = TestData.uniform(2 * network.stateSize, index: 2)
    func run(_ outputs: NetworkOutputs) -> (logits: [Float], values: [Float], next: [Float]) {
      let activations = network.makeActivations(rows: 2)
      var logits = [Float](repeating: -7, count: 2 * network.actionCount)
      var values = [Float](repeating: -7, count: 2)
      var next = [Float](repeating: -7, count: 2 * network.stateSize)
      network.forward(
        parameters: p, observations: x, states: h, rows: 2, outputs: outputs, activations: activations, logits: &logits, values: &values,
        nextStates: &next)
      return (logits, values, next)
    }
    let both = run(.policyAndValue)
    let policy = run(.policy)
    let value = run(.value)
    #expect(policy.logits == both.logits)
    #expect(policy.values == [-7, -7])
    #expect(value.values == both.values)
    #expect(value.logits.allSatisfy { $0 == -7 })
    #expect(value.next.allSatisfy { $0 == -7 })
    let width = 16
    for row in 0..<2 {
      let first = row * network.stateSize
      #expect(policy.next[first..<(first + 2 * width)] == both.next[first..<(first + 2 * width)])
      #expect(policy.next[(first + 2 * width)..<(first + 3 * width)] == h[(first + 2 * width)..<(first + 3 * width)])
    }
  }

  @Test("coupled form: parameter count, one state a layer, policy alone moves the whole state")
  func coupled() {
    let (D, A, H, L, F, M) = (12, 3, 16, 2, 20, 3)
    let network = Network(
      .recurrent(hidden: H, layers: L, projection: F, form: .coupled(sharedLayers: M)), observationSize: D, actionCount: A)
    let layers = (D * F + F) + (F * H + H) + (1 + M) * (H * H + 3 * H) + L * (6 * H * H + 6 * H) + 2 * H
    #expect(network.parameterCount == layers + (H * A + A) + (H + 1))
    #expect(network.stateSize == L * H)
  }
}

import Neural
import Randomness
import Testing

/// The set encoder's promises: order of replicas, number of replicas, masked replicas.
@Suite("set encoder")
struct SetEncoderTests {
  static let forms: [(attention: Bool, memory: Bool)] = [(false, false), (false, true), (true, false), (true, true)]
  static let block = 6
  static let cluster = 4

  static func network(_ form: (attention: Bool, memory: Bool), replicas: Int, width: Int = 32) -> Network {
    Network(
      .setEncoder(width: width, layers: 2, attention: form.attention, memory: form.memory, replicaBlockSize: block),
      observationSize: replicas * block + cluster, actionCount: replicas)
  }

  struct Heads: Equatable {
    var logits: [UInt32]
    var value: UInt32
    var state: [UInt32]
  }

  /// One decision; the observation by its parts.
  static func run(_ network: Network, _ parameters: [Float], blocks: [[Float]], cluster: [Float], state: [Float], mask: [UInt8]) -> Heads {
    let activations = network.makeActivations(rows: 1)
    var (logits, value, next) = ([Float](repeating: 0, count: blocks.count), [Float(0)], state)
    network.forward(
      parameters: parameters, observations: blocks.flatMap { $0 } + cluster, states: state, masks: mask, rows: 1, activations: activations,
      logits: &logits, values: &value, nextStates: &next)
    return Heads(logits: logits.map(\.bitPattern), value: value[0].bitPattern, state: next.map(\.bitPattern))
  }

  /// Parameters away from their symmetric beginnings, blocks, cluster, state and a mask with an available replica.
  static func sample(_ network: Network, seed: Int) -> (p: [Float], blocks: [[Float]], cluster: [Float], state: [Float], mask: [UInt8]) {
    var p = network.initialParameters(seed: UInt64(seed))
    for tensor in network.layout.tensors where tensor.shape.count == 1 {
      network.layout.store(TestData.uniform(tensor.count, -0.5...1.5, index: 900 + 50 * seed + tensor.index), of: tensor, into: &p)
    }
    var stream = RandomStream(seed: 17, purpose: .bootstrap, index: seed)
    let blocks = (0..<network.actionCount).map { TestData.uniform(block, -3...3, index: 1000 * seed + $0) }
    var mask = blocks.map { _ in UInt8(stream.bounded(4) == 0 ? 0 : 1) }
    mask[stream.bounded(mask.count)] = 1
    return (
      p, blocks, TestData.uniform(cluster, index: 1000 * seed + 500), TestData.uniform(network.stateSize, index: 1000 * seed + 501), mask
    )
  }

  @Test("permuting replicas permutes logits and changes nothing else, bit for bit", arguments: forms)
  func equivariance(form: (attention: Bool, memory: Bool)) {
    for seed in 0..<40 {
      let replicas = 1 + seed % 9
      let network = Self.network(form, replicas: replicas, width: seed % 2 == 0 ? 16 : 48)
      let s = Self.sample(network, seed: seed)
      let plain = Self.run(network, s.p, blocks: s.blocks, cluster: s.cluster, state: s.state, mask: s.mask)
      var order = Array(0..<replicas)
      var stream = RandomStream(seed: 18, purpose: .bootstrap, index: seed)
      for _ in 0..<4 {
        stream.shuffle(&order)
        let permuted = Self.run(
          network, s.p, blocks: order.map { s.blocks[$0] }, cluster: s.cluster, state: s.state, mask: order.map { s.mask[$0] })
        #expect(permuted.logits == order.map { plain.logits[$0] }, "seed \(seed), order \(order)")
        #expect(permuted.value == plain.value, "seed \(seed), order \(order)")
        #expect(permuted.state == plain.state, "seed \(seed), order \(order)")
      }
    }
  }

  @Test("parameters serve any number of replicas, and padding is in no sum: masked tokens change no bit of the others", arguments: forms)
  func padding(form: (attention: Bool, memory: Bool)) {
    for seed in 0..<20 {
      let replicas = 1 + seed % 5
      let small = Self.network(form, replicas: replicas)
      let large = Self.network(form, replicas: 8)
      #expect(small.layout == large.layout)
      let s = Self.sample(small, seed: seed)
      let own = Self.run(small, s.p, blocks: s.blocks, cluster: s.cluster, state: s.state, mask: s.mask)
      for filling in [Float(0), 7] {
        let rest = (replicas..<8).map { _ in [Float](repeating: filling, count: Self.block) }
        let padded = Self.run(
          large, s.p, blocks: s.blocks + rest, cluster: s.cluster, state: s.state, mask: s.mask + rest.map { _ in 0 })
        #expect(Array(padded.logits[..<replicas]) == own.logits, "seed \(seed)")
        #expect(padded.value == own.value && padded.state == own.state, "seed \(seed)")
      }
    }
  }

  @Test("a masked replica's gradient is zero, and the others' are those without it", arguments: forms)
  func maskedGradient(form: (attention: Bool, memory: Bool)) {
    func gradient(_ network: Network, _ p: [Float], x: [Float], state: [Float], mask: [UInt8], dLogits: [Float]) -> [Float] {
      let activations = network.makeActivations(rows: 1, gradients: true)
      var (logits, value, next) = (dLogits, [Float(0)], state)
      network.forward(
        parameters: p, observations: x, states: state, masks: mask, rows: 1, activations: activations, logits: &logits, values: &value,
        nextStates: &next)
      var gradients = [Float](repeating: 0, count: p.count)
      var span = gradients.mutableSpan
      network.backward(
        parameters: p.span, activations: activations, logitGradients: dLogits.span, valueGradients: [Float(0.7)].span, gradients: &span)
      return gradients
    }
    let small = Self.network(form, replicas: 3)
    let large = Self.network(form, replicas: 5)
    let s = Self.sample(small, seed: 4)
    let mask: [UInt8] = [1, 1, 1]
    let x = s.blocks.flatMap { $0 }
    let rest = [Float](repeating: 3, count: 2 * Self.block)
    let own = gradient(small, s.p, x: x + s.cluster, state: s.state, mask: mask, dLogits: [1, -2, 0.5])
    let padded = gradient(large, s.p, x: x + rest + s.cluster, state: s.state, mask: mask + [0, 0], dLogits: [1, -2, 0.5, 0, 0])
    #expect(own.contains { $0 != 0 })
    for (a, b) in zip(own, padded) { #expect(a == b) }
  }

  @Test("a value that is not a number reaches logits and value")
  func notANumber() {
    for form in Self.forms {
      let network = Self.network(form, replicas: 3)
      let s = Self.sample(network, seed: 2)
      var blocks = s.blocks
      blocks[1][2] = .nan
      let heads = Self.run(network, s.p, blocks: blocks, cluster: s.cluster, state: s.state, mask: [1, 1, 1])
      #expect(Float(bitPattern: heads.logits[0]).isNaN && Float(bitPattern: heads.value).isNaN)
    }
  }
}

import Neural
import Testing

/// Whole networks: forward pass against the double-precision form by tensor name, backward pass against its central differences.
@Suite("network gradients")
struct NetworkGradientTests {
  static let networks = [
    Network(.recurrent(hidden: 16, layers: 2, projection: 24), observationSize: 10, actionCount: 3),
    Network(
      .recurrent(hidden: 16, layers: 1, projection: 20, inputLayerNorm: true, boundedLogits: true), observationSize: 9, actionCount: 4),
    Network(.mlp(hidden: [12, 20]), observationSize: 4, actionCount: 2),
  ]

  /// Random tensors: initial ones would hide errors behind zero biases and a tiny head.
  private func parameters(_ network: Network) -> [Float] {
    var buffer = [Float](repeating: 0, count: network.layout.storedCount)
    for tensor in network.layout.tensors {
      let values = TestData.uniform(tensor.count, -0.5...0.5, index: 200 + tensor.index)
      network.layout.store(
        tensor.initialisation == .ones ? values.map { 1 + $0 } : values, of: tensor, into: &buffer)
    }
    return buffer
  }

  private func named(_ network: Network, _ parameters: [Float]) -> [String: [Double]] {
    var result: [String: [Double]] = [:]
    for tensor in network.layout.tensors {
      result[tensor.name] = network.layout.logical(of: tensor, from: parameters).map { Double($0) }
    }
    return result
  }

  @Test("backward agrees with central differences of the reference", arguments: networks)
  func gradients(network: Network) {
    let rows = 4
    let p = parameters(network)
    let observations = TestData.uniform(rows * network.observationSize, index: 1)
    let states = TestData.uniform(rows * network.stateSize, index: 2)
    let activations = network.makeActivations(rows: rows + 3, gradients: true)
    var logits = [Float](repeating: 0, count: rows * network.actionCount)
    var values = [Float](repeating: 0, count: rows)
    var next = states
    network.forward(
      parameters: p, observations: observations, states: states, rows: rows, activations: activations, logits: &logits, values: &values,
      nextStates: &next)
    let inputs = TestData.rows(observations, network.observationSize)
    let hidden = network.stateSize > 0 ? TestData.rows(states, network.stateSize) : inputs.map { _ in [] }
    var tensors = named(network, p)
    let reference = DoubleReference.network(network, tensors, observations: inputs, states: hidden)
    for (x, y) in zip(logits, reference.logits.joined()) { #expect(TestData.close(Double(x), y, tolerance: 1e-5, floor: 1)) }
    for (x, y) in zip(values, reference.values) { #expect(TestData.close(Double(x), y, tolerance: 1e-5, floor: 1)) }
    for (x, y) in zip(next, reference.nextStates.joined()) { #expect(TestData.close(Double(x), y, tolerance: 1e-5, floor: 1)) }

    let logitWeights = TestData.uniform(logits.count, index: 3)
    let valueWeights = TestData.uniform(rows, index: 4)
    var gradients = TestData.uniform(network.layout.storedCount, index: 5)
    var span = gradients.mutableSpan
    network.backward(
      parameters: p.span, activations: activations, logitGradients: logitWeights.span, valueGradients: valueWeights.span, gradients: &span)
    #expect(network.layout.paddingIsZero(in: gradients))
    for tensor in network.layout.tensors {
      let analytic = network.layout.logical(of: tensor, from: gradients)
      let scale = analytic.reduce(0) { max($0, abs(Double($1))) }
      #expect(scale > 0, "\(tensor.name) gets no gradient")
      var point = tensors[tensor.name]!
      let kept = point
      // A stride that is coprime to the widths visits all corners of the larger tensors.
      let step = max(1, tensor.count / 41)
      for i in stride(from: 0, to: tensor.count, by: step) {
        let slope = TestData.slope(&point, i) { changed in
          tensors[tensor.name] = changed
          let output = DoubleReference.network(network, tensors, observations: inputs, states: hidden)
          var loss = 0.0
          for (y, w) in zip(output.logits.joined(), logitWeights) { loss += y * Double(w) }
          for (y, w) in zip(output.values, valueWeights) { loss += y * Double(w) }
          return loss
        }
        #expect(
          TestData.close(Double(analytic[i]), slope, tolerance: 1e-3, floor: 0.05 * scale), "\(tensor.name)[\(i)]: \(analytic[i]) \(slope)")
      }
      tensors[tensor.name] = kept
    }
  }

  @Test("training buffers give the gradients of the network, for gathered rows")
  func gathered() {
    let network = Self.networks[0]
    let p = parameters(network)
    let zeros = [Float](repeating: 0, count: p.count)
    let observations = TestData.uniform(9 * network.observationSize, index: 1)
    let states = TestData.uniform(9 * network.stateSize, index: 2)
    let order: [Int32] = [8, 3, 5, 0, 1]
    let range = 1..<4
    let buffers = TrainingBuffers(network, rows: 3)
    buffers.load(parameters: p.span, firstMoments: zeros.span, secondMoments: zeros.span)
    var logits = [Float](repeating: 0, count: 9)
    var values = [Float](repeating: 0, count: 3)
    let weights = TestData.uniform(9, index: 3)
    buffers.forward(observations: observations, states: states, order: order, range: range, logits: &logits, values: &values)
    let norm = buffers.backward(logitGradients: weights.span, valueGradients: weights.span.extracting(0..<3))
    var fast = zeros
    buffers.copyGradients(into: &fast)
    #expect(abs(AdamW.norm(of: fast.span) - norm) < 1e-12)

    var picked: (x: [Float], h: [Float]) = ([], [])
    for t in order[range].map({ Int($0) }) {
      picked.x += observations[(t * network.observationSize)..<((t + 1) * network.observationSize)]
      picked.h += states[(t * network.stateSize)..<((t + 1) * network.stateSize)]
    }
    let activations = network.makeActivations(rows: 3, gradients: true)
    var plainLogits = logits
    var plainValues = values
    var next = picked.h
    network.forward(
      parameters: p, observations: picked.x, states: picked.h, rows: 3, activations: activations, logits: &plainLogits,
      values: &plainValues, nextStates: &next)
    var plain = zeros
    var span = plain.mutableSpan
    network.backward(
      parameters: p.span, activations: activations, logitGradients: weights.span, valueGradients: weights.span.extracting(0..<3),
      gradients: &span)
    #expect(plainLogits == logits)
    #expect(plainValues == values)
    #expect(plain == fast)
  }
}

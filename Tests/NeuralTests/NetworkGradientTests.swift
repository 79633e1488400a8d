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
    Network(
      .recurrent(hidden: 16, layers: 2, projection: 16, form: .coupled(sharedLayers: 2)), observationSize: 7, actionCount: 3),
    Network(.recurrent(hidden: 16, layers: 2, projection: 16, cell: .layerNorm), observationSize: 7, actionCount: 3),
    Network(.setEncoder(width: 16, layers: 1, memory: false, replicaBlockSize: 5), observationSize: 5 * 4 + 3, actionCount: 4),
    Network(.setEncoder(width: 16, layers: 3, memory: true, replicaBlockSize: 5), observationSize: 5 * 3 + 3, actionCount: 3),
    Network(
      .setEncoder(width: 32, layers: 2, attention: true, memory: true, replicaBlockSize: 5), observationSize: 5 * 4 + 3, actionCount: 4),
  ]

  /// Some action is masked in every row, some is not.
  private func masks(_ network: Network, rows: Int) -> [UInt8] {
    (0..<rows).flatMap { row in (0..<network.actionCount).map { $0 == row % network.actionCount ? 0 : 1 } }
  }

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
    let available = masks(network, rows: rows)
    let availableRows = (0..<rows).map { Array(available[($0 * network.actionCount)..<(($0 + 1) * network.actionCount)]) }
    network.forward(
      parameters: p, observations: observations, states: states, masks: available, rows: rows, activations: activations, logits: &logits,
      values: &values, nextStates: &next)
    let inputs = TestData.rows(observations, network.observationSize)
    let hidden = network.stateSize > 0 ? TestData.rows(states, network.stateSize) : inputs.map { _ in [] }
    var tensors = named(network, p)
    let reference = DoubleReference.network(network, tensors, observations: inputs, states: hidden, masks: availableRows)
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
          let output = DoubleReference.network(network, tensors, observations: inputs, states: hidden, masks: availableRows)
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
    buffers.forward(
      observations: observations, states: states, masks: [], order: order, range: range, logits: &logits, values: &values)
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

  @Test(
    "through time: sequences of 4, 2 and 1 steps agree with stepping the reference and with its central differences", arguments: networks)
  func sequences(network: Network) {
    let p = parameters(network)
    let zeros = [Float](repeating: 0, count: p.count)
    // Rows of the arrays: sequence by sequence. Rows of the batch: step by step.
    let sequences: [[Int]] = [[0, 1, 2, 3], [4, 5], [6]]
    let order: [Int32] = [0, 4, 6, 1, 5, 2, 3]
    var steps = TimeSteps(rows: 3)
    for count in [2, 1, 1] { steps.append(rows: count) }
    let count = order.count
    let observations = TestData.uniform(count * network.observationSize, index: 1)
    let states = TestData.uniform(count * network.stateSize, index: 2)
    let available = masks(network, rows: count)
    let buffers = TrainingBuffers(network, rows: count)
    buffers.load(parameters: p.span, firstMoments: zeros.span, secondMoments: zeros.span)
    var logits = [Float](repeating: 0, count: count * network.actionCount)
    var values = [Float](repeating: 0, count: count)
    buffers.forward(
      observations: observations, states: states, masks: available, order: order, range: 0..<count, steps: steps, logits: &logits,
      values: &values)
    let logitWeights = TestData.uniform(logits.count, index: 3)
    let valueWeights = TestData.uniform(count, index: 4)
    _ = buffers.backward(logitGradients: logitWeights.span, valueGradients: valueWeights.span)
    var gradients = zeros
    buffers.copyGradients(into: &gradients)

    let inputs = TestData.rows(observations, network.observationSize)
    let hidden = network.stateSize > 0 ? TestData.rows(states, network.stateSize) : inputs.map { _ in [] }
    func heads(_ tensors: [String: [Double]]) -> (logits: [[Double]], values: [Double]) {
      var result = (logits: [[Double]](repeating: [], count: count), values: [Double](repeating: 0, count: count))
      for sequence in sequences {
        var state = hidden[sequence[0]]
        for row in sequence {
          let mask = Array(available[(row * network.actionCount)..<((row + 1) * network.actionCount)])
          let output = DoubleReference.network(network, tensors, observations: [inputs[row]], states: [state], masks: [mask])
          result.logits[row] = output.logits[0]
          result.values[row] = output.values[0]
          state = output.nextStates[0]
        }
      }
      return result
    }
    var tensors = named(network, p)
    let reference = heads(tensors)
    for (position, row) in order.enumerated() {
      for a in 0..<network.actionCount {
        #expect(
          TestData.close(Double(logits[position * network.actionCount + a]), reference.logits[Int(row)][a], tolerance: 1e-5, floor: 1))
      }
      #expect(TestData.close(Double(values[position]), reference.values[Int(row)], tolerance: 1e-5, floor: 1))
    }
    for tensor in network.layout.tensors {
      let analytic = network.layout.logical(of: tensor, from: gradients)
      let scale = analytic.reduce(0) { max($0, abs(Double($1))) }
      var point = tensors[tensor.name]!
      let kept = point
      for i in stride(from: 0, to: tensor.count, by: max(1, tensor.count / 13)) {
        let slope = TestData.slope(&point, i) { changed in
          tensors[tensor.name] = changed
          let output = heads(tensors)
          var loss = 0.0
          for (position, row) in order.enumerated() {
            for a in 0..<network.actionCount {
              loss += output.logits[Int(row)][a] * Double(logitWeights[position * network.actionCount + a])
            }
            loss += output.values[Int(row)] * Double(valueWeights[position])
          }
          return loss
        }
        #expect(
          TestData.close(Double(analytic[i]), slope, tolerance: 1e-3, floor: 0.05 * scale), "\(tensor.name)[\(i)]: \(analytic[i]) \(slope)")
      }
      tensors[tensor.name] = kept
    }
  }

  @Test("steps of a sequence have the bits of acting step by step", arguments: networks)
  func sequenceBits(network: Network) {
    let p = network.initialParameters(seed: 5)
    let zeros = [Float](repeating: 0, count: p.count)
    let length = 6
    let observations = TestData.uniform(length * network.observationSize, index: 1)
    let first = TestData.uniform(network.stateSize, index: 2)
    let available = masks(network, rows: length)
    var states = [Float](repeating: .nan, count: length * network.stateSize)
    for i in first.indices { states[i] = first[i] }
    let buffers = TrainingBuffers(network, rows: length)
    buffers.load(parameters: p.span, firstMoments: zeros.span, secondMoments: zeros.span)
    var steps = TimeSteps(rows: 1)
    for _ in 1..<length { steps.append(rows: 1) }
    var logits = [Float](repeating: 0, count: length * network.actionCount)
    var values = [Float](repeating: 0, count: length)
    buffers.forward(
      observations: observations, states: states, masks: available, order: (0..<length).map { Int32($0) }, range: 0..<length, steps: steps,
      logits: &logits, values: &values)
    let activations = network.makeActivations(rows: 1)
    var state = first
    for t in 0..<length {
      var (rowLogits, rowValue, next) = ([Float](repeating: 0, count: network.actionCount), [Float(0)], state)
      network.forward(
        parameters: p, observations: Array(observations[(t * network.observationSize)..<((t + 1) * network.observationSize)]),
        states: state,
        masks: Array(available[(t * network.actionCount)..<((t + 1) * network.actionCount)]), rows: 1, activations: activations,
        logits: &rowLogits, values: &rowValue, nextStates: &next)
      #expect(rowLogits.map(\.bitPattern) == logits[(t * network.actionCount)..<((t + 1) * network.actionCount)].map(\.bitPattern))
      #expect(rowValue[0].bitPattern == values[t].bitPattern)
      state = next
    }
  }
}

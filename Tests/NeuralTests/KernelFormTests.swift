import CKernels
import Neural
import Testing

/// Both forms of the kernels carry a network to the same bits. Other suites may run meanwhile: the form is a performance setting only.
@Suite("kernel forms")
struct KernelFormTests {
  @Test("forward, backward and optimizer steps give the same bits in both forms", arguments: NetworkGradientTests.networks)
  func sameBits(network: Network) {
    func run(portable: Bool) -> [UInt32] {
      _ = ck_select(portable ? 1 : 0)
      var parameters = network.initialParameters(seed: 2)
      var first = [Float](repeating: 0, count: parameters.count)
      var second = first
      let buffers = TrainingBuffers(network, rows: 13)
      buffers.load(parameters: parameters.span, firstMoments: first.span, secondMoments: second.span)
      let observations = TestData.uniform(13 * network.observationSize, index: 1)
      let states = TestData.uniform(13 * network.stateSize, index: 2)
      var logits = [Float](repeating: 0, count: 13 * network.actionCount)
      var values = [Float](repeating: 0, count: 13)
      var bits: [UInt32] = []
      for step in 1...3 {
        buffers.forward(
          observations: observations, states: states, masks: [UInt8](repeating: 1, count: 13 * network.actionCount),
          order: (0..<13).map { Int32($0) }, range: 0..<13, logits: &logits, values: &values)
        let norm = buffers.backward(
          logitGradients: TestData.uniform(logits.count, index: 3).span, valueGradients: TestData.uniform(13, index: 4).span)
        buffers.step(AdamW(), gradientScale: AdamW.clipFactor(norm: norm, maximum: 0.5), learningRate: 1e-2, step: step)
        bits += logits.map { $0.bitPattern } + values.map { $0.bitPattern }
      }
      buffers.store(parameters: &parameters, firstMoments: &first, secondMoments: &second)
      for buffer in [parameters, first, second] { bits += buffer.map { $0.bitPattern } }
      return bits
    }
    let portable = run(portable: true)
    let best = run(portable: false)
    #expect(portable == best)
  }
}

import Neural
import Testing

@Suite("initial parameters")
struct InitialisationTests {
  /// Largest deviation of W W^T or W^T W (the shorter side) from gain^2 times the identity.
  private func deviation(_ w: [Float], rows: Int, columns: Int, gain: Double) -> Double {
    let short = min(rows, columns)
    let long = max(rows, columns)
    func element(_ vector: Int, _ k: Int) -> Double {
      Double(rows <= columns ? w[vector * columns + k] : w[k * columns + vector])
    }
    var worst = 0.0
    for i in 0..<short {
      for j in 0...i {
        var product = 0.0
        for k in 0..<long { product += element(i, k) * element(j, k) }
        worst = max(worst, abs(product - (i == j ? gain * gain : 0)))
      }
    }
    return worst
  }

  @Test("every matrix is orthogonal with its gain, gates of a GRU one by one; biases are 0")
  func orthogonality() {
    let network = Network(.recurrent(hidden: 32, layers: 2, projection: 40), observationSize: 21, actionCount: 3)
    let parameters = network.initialParameters(seed: 5)
    #expect(network.layout.paddingIsZero(in: parameters))
    for tensor in network.layout.tensors {
      let values = network.layout.logical(of: tensor, from: parameters)
      switch tensor.initialisation {
      case .zeros: #expect(values.allSatisfy { $0 == 0 }, "\(tensor.name)")
      case .ones: #expect(values.allSatisfy { $0 == 1 }, "\(tensor.name)")
      case .orthogonal(let gain, let blocks):
        let height = tensor.outputs / blocks
        for block in 0..<blocks {
          let part = Array(values[(block * height * tensor.inputs)..<((block + 1) * height * tensor.inputs)])
          #expect(deviation(part, rows: height, columns: tensor.inputs, gain: gain) < 1e-6 * max(1, gain * gain), "\(tensor.name)")
        }
      }
    }
    func gain(_ name: String) -> Initialisation? { network.layout.tensor(named: name)?.initialisation }
    #expect(gain("actor_head.0.weight") == .orthogonal(gain: 0.01, blocks: 1))
    #expect(gain("critic_head.weight") == .orthogonal(gain: 1, blocks: 1))
    #expect(gain("gru.weight_hh_l0") == .orthogonal(gain: 1, blocks: 3))
    #expect(gain("shared_mlp.0.weight") == .orthogonal(gain: 2.0.squareRoot(), blocks: 1))
  }

  @Test("the seed alone decides")
  func determinism() {
    let network = Network(.mlp(hidden: [8]), observationSize: 3, actionCount: 2)
    #expect(network.initialParameters(seed: 1) == network.initialParameters(seed: 1))
    #expect(network.initialParameters(seed: 1) != network.initialParameters(seed: 2))
  }
}

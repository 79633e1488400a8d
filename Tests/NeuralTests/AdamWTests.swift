import Neural
import Testing

@Suite("AdamW")
struct AdamWTests {
  /// Three steps against the formulas in double precision; decay reaches the matrix and not the bias.
  @Test("steps follow the formulas, decay reaches matrices only")
  func steps() {
    var layout = ParameterLayout()
    let matrix = layout.append("w", outputs: 3, inputs: 2, gain: 1)
    let vector = layout.append("b", count: 3)
    let optimizer = AdamW(weightDecay: 0.1)
    var p = [Float](repeating: 0, count: layout.storedCount)
    layout.store(TestData.uniform(6, index: 1), of: matrix, into: &p)
    layout.store(TestData.uniform(3, index: 2), of: vector, into: &p)
    var m = [Float](repeating: 0, count: p.count)
    var v = m
    func all(_ buffer: [Float]) -> [Double] {
      (layout.logical(of: matrix, from: buffer) + layout.logical(of: vector, from: buffer)).map { Double($0) }
    }
    var expected = all(p)
    var (first, second) = ([Double](repeating: 0, count: 9), [Double](repeating: 0, count: 9))
    for step in 1...3 {
      var g = [Float](repeating: 0, count: p.count)
      layout.store(TestData.uniform(6, index: 10 + step), of: matrix, into: &g)
      layout.store(TestData.uniform(3, index: 20 + step), of: vector, into: &g)
      var ps = p.mutableSpan
      var ms = m.mutableSpan
      var vs = v.mutableSpan
      optimizer.update(
        parameters: &ps, firstMoments: &ms, secondMoments: &vs, gradients: g.span, layout: layout, gradientScale: 0.5, learningRate: 0.01,
        step: step)
      let gradient = all(g)
      var (b1, b2) = (1.0, 1.0)
      for _ in 1...step { (b1, b2) = (b1 * 0.9, b2 * 0.999) }
      for i in 0..<9 {
        let scaled = 0.5 * gradient[i]
        first[i] = 0.9 * first[i] + 0.1 * scaled
        second[i] = 0.999 * second[i] + 0.001 * scaled * scaled
        let decay = i < 6 ? 0.1 : 0.0
        expected[i] = expected[i] * (1 - 0.01 * decay) - 0.01 * (first[i] / (1 - b1)) / ((second[i] / (1 - b2)).squareRoot() + 1e-5)
      }
    }
    for (x, y) in zip(all(p), expected) { #expect(abs(x - y) < 2e-6, "\(x) and \(y)") }
    for (x, y) in zip(all(m), first) { #expect(abs(x - y) < 1e-6) }
    for (x, y) in zip(all(v), second) { #expect(abs(x - y) < 1e-6) }
    #expect(layout.paddingIsZero(in: p))
  }

  @Test("clipping scales down to the largest norm and never up")
  func clipping() {
    #expect(AdamW.clipFactor(norm: 0.25, maximum: 0.5) == 1)
    #expect(AdamW.clipFactor(norm: 0, maximum: 0.5) == 1)
    #expect(abs(AdamW.clipFactor(norm: 5, maximum: 0.5) - 0.1) < 1e-6)
    let gradients = [Float](repeating: 3, count: 16)
    #expect(AdamW.norm(of: gradients.span) == 12)
  }
}

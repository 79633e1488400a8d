import Testing

@testable import Neural

/// Each layer's forward pass against the double-precision form, and its backward pass against central differences of that form.
///
/// The loss is a fixed random weighting of the outputs, so that the gradient at the output is the weighting itself.
@Suite("layers")
struct LayerGradientTests {
  static let rows = 5

  private func buffer(_ flat: [Float], _ columns: Int) -> ActivationBuffer {
    let buffer = ActivationBuffer(rows: flat.count / columns, columns: columns)
    buffer.copyIn(flat.span, sourceStride: columns, column: 0, rows: flat.count / columns)
    return buffer
  }

  private func flat(_ buffer: ActivationBuffer) -> [Float] {
    var result = [Float](repeating: 0, count: buffer.rows * buffer.columns)
    var span = result.mutableSpan
    buffer.copyOut(&span, targetStride: buffer.columns, column: 0, rows: buffer.rows)
    return result
  }

  private func doubles(_ values: [Float]) -> [Double] { values.map { Double($0) } }

  private func weighted(_ y: [[Double]], _ weights: [Double]) -> Double {
    var sum = 0.0
    for (value, weight) in zip(y.joined(), weights) { sum += value * weight }
    return sum
  }

  /// Compares `analytic` with the slopes of `loss` at `x`.
  private func check(_ what: String, _ analytic: [Float], at x: [Float], _ loss: ([Double]) -> Double) {
    var point = doubles(x)
    let scale = analytic.reduce(0) { max($0, abs(Double($1))) }
    for i in x.indices {
      let slope = TestData.slope(&point, i, loss)
      #expect(
        TestData.close(Double(analytic[i]), slope, tolerance: 2e-4, floor: 0.05 * scale + 1e-3),
        "\(what)[\(i)]: \(analytic[i]), slope \(slope)")
    }
  }

  private func expectClose(_ a: [Float], _ b: [[Double]]) {
    for (x, y) in zip(a, b.joined()) { #expect(TestData.close(Double(x), y, tolerance: 1e-5, floor: 1), "\(x) and \(y)") }
  }

  /// Random values in every tensor, and zero padding.
  private func parameters(_ layout: ParameterLayout) -> [Float] {
    var buffer = [Float](repeating: 0, count: layout.storedCount)
    for tensor in layout.tensors {
      layout.store(TestData.uniform(tensor.count, -0.6...0.6, index: 100 + tensor.index), of: tensor, into: &buffer)
    }
    return buffer
  }

  @Test("linear", arguments: [(7, 3), (16, 16), (5, 33), (20, 1)])
  func linear(inputs: Int, outputs: Int) {
    let rows = Self.rows
    var layout = ParameterLayout()
    let layer = LinearLayer("l", inputs: inputs, outputs: outputs, gain: 1, layout: &layout)
    let p = parameters(layout)
    let x = TestData.uniform(rows * inputs, index: 1)
    let dy = TestData.uniform(rows * outputs, index: 2)
    let (w, b) = (layout.logical(of: layout.tensors[0], from: p), layout.logical(of: layout.tensors[1], from: p))
    let y = ActivationBuffer(rows: rows, columns: outputs)
    let dx = ActivationBuffer(rows: rows, columns: inputs)
    var gradients = TestData.uniform(layout.storedCount, index: 3)
    p.withUnsafeBufferPointer { layer.forward($0.baseAddress!, buffer(x, inputs), y, rows: rows) }
    p.withUnsafeBufferPointer { p in
      gradients.withUnsafeMutableBufferPointer { g in
        layer.backward(p.baseAddress!, g.baseAddress!, x: buffer(x, inputs), dy: buffer(dy, outputs), dx: dx, rows: rows)
      }
    }
    let weights = doubles(dy)
    expectClose(flat(y), DoubleReference.linear(TestData.rows(x, inputs), doubles(w), doubles(b)))
    #expect(layout.paddingIsZero(in: gradients))
    check("x", flat(dx), at: x) {
      weighted(DoubleReference.linear(split($0, inputs), doubles(w), doubles(b)), weights)
    }
    check("W", layout.logical(of: layout.tensors[0], from: gradients), at: w) {
      weighted(DoubleReference.linear(TestData.rows(x, inputs), $0, doubles(b)), weights)
    }
    check("b", layout.logical(of: layout.tensors[1], from: gradients), at: b) {
      weighted(DoubleReference.linear(TestData.rows(x, inputs), doubles(w), $0), weights)
    }
  }

  @Test("layer norm", arguments: [3, 16, 21], [false, true])
  func layerNorm(count: Int, relu: Bool) {
    let rows = Self.rows
    var layout = ParameterLayout()
    let layer = LayerNormLayer("n", count: count, relu: relu, layout: &layout)
    let p = parameters(layout)
    let x = TestData.uniform(rows * count, -2...2, index: 4)
    let dy = TestData.uniform(rows * count, index: 5)
    let (gain, shift) = (layout.logical(of: layout.tensors[0], from: p), layout.logical(of: layout.tensors[1], from: p))
    let y = ActivationBuffer(rows: rows, columns: count)
    let dx = ActivationBuffer(rows: rows, columns: count)
    let moments = NormMoments(rows: rows)
    let input = buffer(x, count)
    var gradients = TestData.uniform(layout.storedCount, index: 6)
    p.withUnsafeBufferPointer { p in
      layer.forward(p.baseAddress!, input, y, moments: moments, rows: rows)
      gradients.withUnsafeMutableBufferPointer { g in
        layer.backward(
          p.baseAddress!, g.baseAddress!, x: input, y: y, moments: moments, dy: buffer(dy, count), dx: dx, rows: rows)
      }
    }
    func reference(_ x: [[Double]], _ gain: [Double], _ shift: [Double]) -> Double {
      weighted(DoubleReference.layerNorm(x, gain, shift, relu: relu), doubles(dy))
    }
    let points = TestData.rows(x, count)
    expectClose(flat(y), DoubleReference.layerNorm(points, doubles(gain), doubles(shift), relu: relu))
    #expect(layout.paddingIsZero(in: gradients))
    check("x", flat(dx), at: x) { reference(split($0, count), doubles(gain), doubles(shift)) }
    check("gain", layout.logical(of: layout.tensors[0], from: gradients), at: gain) { reference(points, $0, doubles(shift)) }
    check("shift", layout.logical(of: layout.tensors[1], from: gradients), at: shift) { reference(points, doubles(gain), $0) }
  }

  @Test("gelu and tanh")
  func elementwise() {
    let rows = Self.rows
    let count = 19
    let x = TestData.uniform(rows * count, -4...4, index: 7)
    let dy = TestData.uniform(rows * count, index: 8)
    let input = buffer(x, count)
    let y = ActivationBuffer(rows: rows, columns: count)
    let dx = ActivationBuffer(rows: rows, columns: count)
    Nonlinearity.gelu(input, y, rows: rows)
    Nonlinearity.geluBackward(x: input, dy: buffer(dy, count), dx: dx, rows: rows)
    expectClose(flat(y), DoubleReference.gelu(TestData.rows(x, count)))
    check("gelu", flat(dx), at: x) { weighted(DoubleReference.gelu(split($0, count)), doubles(dy)) }
    Nonlinearity.tanh(input, y, rows: rows)
    Nonlinearity.tanhBackward(y: y, dy: buffer(dy, count), dx: dx, rows: rows)
    expectClose(flat(y), DoubleReference.tanh(TestData.rows(x, count)))
    check("tanh", flat(dx), at: x) { weighted(DoubleReference.tanh(split($0, count)), doubles(dy)) }
  }

  @Test("gru", arguments: [(16, 16), (5, 32)])
  func gru(inputs: Int, hidden: Int) {
    let rows = Self.rows
    var layout = ParameterLayout()
    let layer = GRULayer("g", layer: 0, inputs: inputs, hidden: hidden, layout: &layout)
    let p = parameters(layout)
    let x = TestData.uniform(rows * inputs, index: 9)
    let h = TestData.uniform(rows * hidden, index: 10)
    let dNext = TestData.uniform(rows * hidden, index: 11)
    let cell = GRUActivations(rows: rows, hidden: hidden)
    cell.state.copyIn(h.span, sourceStride: hidden, column: 0, rows: rows)
    let dx = ActivationBuffer(rows: rows, columns: inputs)
    var gradients = TestData.uniform(layout.storedCount, index: 12)
    p.withUnsafeBufferPointer { p in
      layer.forward(p.baseAddress!, buffer(x, inputs), cell, steps: TimeSteps(rows: rows))
      gradients.withUnsafeMutableBufferPointer { g in
        layer.backward(
          p.baseAddress!, g.baseAddress!, x: buffer(x, inputs), cell, dNext: buffer(dNext, hidden),
          carried: ActivationBuffer(rows: rows, columns: hidden), dx: dx, steps: TimeSteps(rows: rows))
      }
    }
    let tensors = layout.tensors.map { doubles(layout.logical(of: $0, from: p)) }
    func reference(_ x: [[Double]], _ t: [[Double]]) -> [[Double]] {
      DoubleReference.gru(x, TestData.rows(h, hidden), t[0], t[1], t[2], t[3])
    }
    expectClose(flat(cell.next), reference(TestData.rows(x, inputs), tensors))
    check("x", flat(dx), at: x) { weighted(reference(split($0, inputs), tensors), doubles(dNext)) }
    for (position, tensor) in layout.tensors.enumerated() {
      check(tensor.name, layout.logical(of: tensor, from: gradients), at: layout.logical(of: tensor, from: p)) { values in
        var changed = tensors
        changed[position] = values
        return weighted(reference(TestData.rows(x, inputs), changed), doubles(dNext))
      }
    }
  }

  private func split(_ flat: [Double], _ width: Int) -> [[Double]] {
    stride(from: 0, to: flat.count, by: width).map { Array(flat[$0..<($0 + width)]) }
  }
}

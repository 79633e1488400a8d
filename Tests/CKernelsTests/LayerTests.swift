import CKernels
import Testing

/// Layers against their formulas in double precision. The references use the functions of `Glibc` through `reference...` below, never the
/// kernels.
@Suite("Layers")
struct LayerTests {
  private static let shapes: [(Int, Int)] = [(1, 1), (1, 128), (2, 7), (3, 8), (3, 17), (4, 24), (5, 100), (7, 33), (12, 256)]

  // MARK: Layer normalisation

  private struct Norm {
    let x: Rows, y: Rows, gain: Rows, shift: Rows, mean: Rows, rstd: Rows
    let relu: Bool

    init(rows: Int, n: Int, relu: Bool, extraStride: Int = 0) {
      var random = TestRandom(UInt64(rows * 1000 + n))
      self.relu = relu
      x = Rows(rows, n, stride: padded(n) + extraStride, initial: 99).fill { _, _ in 3 + 2 * random.float() }
      y = Rows(rows, n, stride: padded(n) + extraStride, initial: 7)
      gain = Rows(1, n).fill { _, _ in random.float() }
      shift = Rows(1, n).fill { _, _ in random.float() }
      mean = Rows(1, rows)
      rstd = Rows(1, rows)
    }

    func forward(_ form: KernelForm) {
      form.table.layernorm_forward(
        y.pointer, y.span, mean.pointer, rstd.pointer, x.pointer, x.span, gain.pointer, shift.pointer, Int64(x.rows), Int64(x.columns),
        1e-5,
        relu ? 1 : 0)
    }

    /// Output of one row in double precision, for any x.
    func reference(_ x: [Double]) -> [Double] {
      let n = Double(x.count)
      let mean = x.reduce(0, +) / n
      let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
      return x.indices.map { i in
        let value = (x[i] - mean) / (variance + 1e-5).squareRoot() * Double(gain[0, i]) + Double(shift[0, i])
        return relu ? max(value, 0) : value
      }
    }
  }

  @Test("layer normalisation agrees with double precision and writes zero padding", arguments: KernelForm.all)
  func layerNormForward(form: KernelForm) {
    for (rows, n) in LayerTests.shapes {
      for relu in [false, true] {
        let norm = Norm(rows: rows, n: n, relu: relu, extraStride: 32)
        norm.forward(form)
        for row in 0..<rows {
          let expected = norm.reference((0..<n).map { Double(norm.x[row, $0]) })
          #expect((0..<n).allSatisfy { abs(Double(norm.y[row, $0]) - expected[$0]) <= 2e-5 }, "rows \(rows), n \(n)")
        }
        #expect(norm.y.paddingIsZero && norm.y.guardsAreIntact)
      }
    }
  }

  @Test("gradients of layer normalisation agree with central differences", arguments: KernelForm.all)
  func layerNormBackward(form: KernelForm) {
    for (rows, n) in LayerTests.shapes where n > 1 {
      for relu in [false, true] {
        let norm = Norm(rows: rows, n: n, relu: relu)
        norm.forward(form)
        var random = TestRandom(77)
        let dy = Rows(rows, n, initial: 50).fill { _, _ in random.float() }
        let dx = Rows(rows, n, initial: 7)
        let dgain = Rows(1, n)
        let dshift = Rows(1, n)
        for i in 0..<n { (dgain[0, i], dshift[0, i]) = (1, 2) }
        form.table.layernorm_backward(
          dx.pointer, dx.span, dgain.pointer, dshift.pointer, dy.pointer, dy.span, norm.y.pointer, norm.y.span, norm.x.pointer, norm.x.span,
          norm.mean.pointer, norm.rstd.pointer, norm.gain.pointer, Int64(rows), Int64(n), relu ? 1 : 0)
        for row in 0..<rows {
          let x = (0..<n).map { Double(norm.x[row, $0]) }
          let value = norm.reference(x)
          // A kink within the step would make the difference meaningless.
          if relu && value.contains(where: { $0 != 0 && abs($0) < 1e-4 }) { continue }
          func loss(_ x: [Double]) -> Double { norm.reference(x).enumerated().reduce(0) { $0 + $1.element * Double(dy[row, $1.offset]) } }
          for i in 0..<n {
            let step = 1e-6
            var up = x
            var down = x
            up[i] += step
            down[i] -= step
            let slope = (loss(up) - loss(down)) / (2 * step)
            #expect(abs(Double(dx[row, i]) - slope) <= 1e-4 * (1 + abs(slope)), "rows \(rows), n \(n), relu \(relu)")
          }
        }
        for i in 0..<n {
          var gain = 1.0
          var shift = 2.0
          for row in 0..<rows where !relu || norm.y[row, i] > 0 {
            gain += Double(dy[row, i]) * Double((norm.x[row, i] - norm.mean[0, row]) * norm.rstd[0, row])
            shift += Double(dy[row, i])
          }
          #expect(
            abs(Double(dgain[0, i]) - gain) <= 1e-5 * Double(rows + 1) && abs(Double(dshift[0, i]) - shift) <= 1e-5 * Double(rows + 1))
        }
        #expect(dx.paddingIsZero && dgain.paddingIsZero && dshift.paddingIsZero && dx.guardsAreIntact && dgain.guardsAreIntact)
      }
    }
  }

  @Test("both forms of layer normalisation give the same bits, forward and backward")
  func layerNormForms() {
    for (rows, n) in LayerTests.shapes {
      let results = KernelForm.all.map { form in
        let norm = Norm(rows: rows, n: n, relu: true)
        norm.forward(form)
        let dx = Rows(rows, n)
        let dgain = Rows(1, n)
        let dshift = Rows(1, n)
        form.table.layernorm_backward(
          dx.pointer, dx.span, dgain.pointer, dshift.pointer, norm.gain.pointer, 0, norm.y.pointer, norm.y.span, norm.x.pointer,
          norm.x.span,
          norm.mean.pointer, norm.rstd.pointer, norm.gain.pointer, Int64(rows), Int64(n), 1)
        return [norm.y, norm.mean, norm.rstd, dx, dgain, dshift]
      }
      #expect(zip(results[0], results[1]).allSatisfy { $0.hasSameBits(as: $1) }, "rows \(rows), n \(n)")
    }
  }

  // MARK: Elementwise

  @Test("GELU and its gradient follow the error function, at every count", arguments: KernelForm.all)
  func gelu(form: KernelForm) {
    var random = TestRandom(8)
    for count in [1, 5, 8, 13, 64, 1001] {
      let x = Rows(1, count, stride: count).fill { _, _ in 6 * random.float() }
      let dy = Rows(1, count, stride: count).fill { _, _ in random.float() }
      let y = Rows(1, count, stride: count)
      let dx = Rows(1, count, stride: count)
      form.table.gelu_forward(y.pointer, x.pointer, Int64(count))
      form.table.gelu_backward(dx.pointer, dy.pointer, x.pointer, Int64(count))
      for i in 0..<count {
        let value = Double(x[0, i])
        let cumulative = 0.5 * (1 + referenceErf(value * 0.5.squareRoot()))
        let density = referenceExp(-0.5 * value * value) / (2 * Double.pi).squareRoot()
        #expect(abs(Double(y[0, i]) - value * cumulative) <= 1.6e-7 * abs(value))
        #expect(abs(Double(dx[0, i]) - Double(dy[0, i]) * (cumulative + value * density)) <= 3e-7)
      }
      #expect(y.guardsAreIntact && dx.guardsAreIntact)
    }
  }

  @Test("the gradient of tanh is dy (1 - y^2)", arguments: KernelForm.all)
  func tanhBackward(form: KernelForm) {
    var random = TestRandom(12)
    for count in [1, 8, 21] {
      let y = Rows(1, count, stride: count).fill { _, _ in random.float() }
      let dy = Rows(1, count, stride: count).fill { _, _ in random.float() }
      let dx = Rows(1, count, stride: count)
      form.table.tanh_backward(dx.pointer, dy.pointer, y.pointer, Int64(count))
      for i in 0..<count {
        let expected = Double(dy[0, i]) * (1 - Double(y[0, i]) * Double(y[0, i]))
        #expect(abs(Double(dx[0, i]) - expected) <= 1.2e-7 * abs(expected))
      }
      #expect(dx.guardsAreIntact)
    }
  }

  @Test("elementwise layers have the same bits in both forms, special values included")
  func elementwiseForms() {
    var random = TestRandom(31)
    let x = Rows(1, 4003, stride: 4003).fill { _, _ in 8 * random.wildFloat() }
    let dy = Rows(1, 4003, stride: 4003).fill { _, _ in random.wildFloat() }
    let results = KernelForm.all.map { form in
      let outputs = (0..<3).map { _ in Rows(1, 4003, stride: 4003) }
      form.table.gelu_forward(outputs[0].pointer, x.pointer, 4003)
      form.table.gelu_backward(outputs[1].pointer, dy.pointer, x.pointer, 4003)
      form.table.tanh_backward(outputs[2].pointer, dy.pointer, x.pointer, 4003)
      return outputs
    }
    #expect(zip(results[0], results[1]).allSatisfy { $0.hasSameBits(as: $1) })
  }
}

import CKernels
import Testing

/// Inputs of one product with all its operands.
private struct LinearCase {
  let x: Rows
  let dy: Rows
  let weights: Panels
  let bias: Rows

  init(rows: Int, inputs: Int, outputs: Int, extraStride: Int = 0, wild: Bool = false, seed: UInt64 = 1) {
    var random = TestRandom(seed &+ UInt64(rows * 1_000_003 + inputs * 1009 + outputs))
    func value() -> Float { wild ? random.wildFloat() : random.float() }
    x = Rows(rows, inputs, stride: padded(inputs) + extraStride).fill { _, _ in value() }
    dy = Rows(rows, outputs, stride: padded(outputs) + extraStride).fill { _, _ in value() }
    weights = Panels(inputs: inputs, outputs: outputs)
    for o in 0..<outputs { for i in 0..<inputs { weights[o, i] = value() } }
    bias = Rows(1, outputs).fill { _, _ in value() }
  }

  var rows: Int { x.rows }

  func forward(_ form: KernelForm, rows count: Int? = nil, from first: Int = 0, withBias: Bool = true) -> Rows {
    let y = Rows(count ?? rows, weights.outputs, stride: dy.stride, initial: 7)
    form.table.linear_forward(
      y.pointer, y.span, x.pointer + first * x.stride, x.span, weights.storage.pointer, withBias ? bias.pointer : nil, Int64(y.rows),
      Int64(weights.inputs), Int64(weights.outputs))
    return y
  }

  func inputGradient(_ form: KernelForm, rows count: Int? = nil, from first: Int = 0, onto start: Rows? = nil) -> Rows {
    let dx = start?.copy() ?? Rows(count ?? rows, weights.inputs, stride: x.stride, initial: 7)
    form.table.linear_input_gradient(
      dx.pointer, dx.span, dy.pointer + first * dy.stride, dy.span, weights.storage.pointer, Int64(dx.rows), Int64(weights.inputs),
      Int64(weights.outputs), start == nil ? 0 : 1)
    return dx
  }

  func weightGradient(_ form: KernelForm, into gradient: Panels, _ biasGradient: Rows, from first: Int, rows: Int, accumulate: Bool) {
    form.table.linear_weight_gradient(
      gradient.storage.pointer, biasGradient.pointer, x.pointer + first * x.stride, x.span, dy.pointer + first * dy.stride, dy.span,
      Int64(rows), Int64(weights.inputs), Int64(weights.outputs), accumulate ? 1 : 0)
  }
}

/// rows, inputs, outputs
private let shapes: [(Int, Int, Int)] = [
  (1, 1, 1), (1, 16, 16), (1, 212, 256), (2, 33, 97), (3, 5, 48), (4, 17, 15), (5, 128, 100), (6, 31, 33), (7, 64, 16), (8, 212, 40),
  (9, 3, 300), (13, 50, 37), (14, 20, 272), (64, 40, 30), (64, 128, 128),
]

@Suite("Matrix products over panels")
struct LinearTests {
  @Test(
    "an output is one chain of fused multiply-adds over the inputs, from the bias on, in every form and shape", arguments: KernelForm.all)
  func forwardIsOneChain(form: KernelForm) {
    for (rows, inputs, outputs) in shapes {
      for withBias in [true, false] {
        let problem = LinearCase(rows: rows, inputs: inputs, outputs: outputs, extraStride: 32)
        let y = problem.forward(form, withBias: withBias)
        var exact = true
        for r in 0..<rows {
          for o in 0..<outputs {
            var sum: Float = withBias ? problem.bias[0, o] : 0
            for i in 0..<inputs { sum = sum.addingProduct(problem.x[r, i], problem.weights[o, i]) }
            exact = exact && sameBits(sum, y[r, o])
          }
        }
        #expect(exact, "rows \(rows), inputs \(inputs), outputs \(outputs)")
        #expect(y.paddingIsZero && y.guardsAreIntact)
      }
    }
  }

  @Test("dx is one chain over the outputs, overwritten or added to", arguments: KernelForm.all)
  func inputGradientIsOneChain(form: KernelForm) {
    for (rows, inputs, outputs) in shapes + [(6, 40, 600)] {
      let problem = LinearCase(rows: rows, inputs: inputs, outputs: outputs, extraStride: 16)
      let plain = problem.inputGradient(form)
      let start = problem.x
      let added = problem.inputGradient(form, onto: start)
      var exact = true
      for r in 0..<rows {
        for i in 0..<inputs {
          var sum: Float = 0
          var onto: Float = start[r, i]
          for o in 0..<outputs {
            sum = sum.addingProduct(problem.dy[r, o], problem.weights[o, i])
            onto = onto.addingProduct(problem.dy[r, o], problem.weights[o, i])
          }
          exact = exact && sameBits(sum, plain[r, i]) && sameBits(onto, added[r, i])
        }
      }
      #expect(exact, "rows \(rows), inputs \(inputs), outputs \(outputs)")
      #expect(plain.paddingIsZero && added.paddingIsZero && plain.guardsAreIntact && added.guardsAreIntact)
    }
  }

  @Test("dW and db are chains over the rows; padding stays 0 even if dy carries something there", arguments: KernelForm.all)
  func weightGradientIsOneChain(form: KernelForm) {
    for (rows, inputs, outputs) in shapes {
      let problem = LinearCase(rows: rows, inputs: inputs, outputs: outputs, extraStride: 16)
      for r in 0..<rows { for o in outputs..<padded(outputs) { problem.dy[r, o] = .nan } }
      let gradient = Panels(inputs: inputs, outputs: outputs)
      let bias = Rows(1, outputs)
      problem.weightGradient(form, into: gradient, bias, from: 0, rows: rows, accumulate: false)
      var exact = true
      for o in 0..<outputs {
        var biasSum: Float = 0
        for r in 0..<rows { biasSum += problem.dy[r, o] }
        exact = exact && sameBits(biasSum, bias[0, o])
        for i in 0..<inputs {
          var sum: Float = 0
          for r in 0..<rows { sum = sum.addingProduct(problem.x[r, i], problem.dy[r, o]) }
          exact = exact && sameBits(sum, gradient[o, i])
        }
      }
      #expect(exact, "rows \(rows), inputs \(inputs), outputs \(outputs)")
      #expect(gradient.paddingIsZero && bias.paddingIsZero && gradient.storage.guardsAreIntact && bias.guardsAreIntact)
    }
  }

  @Test("the products agree with double precision within the bound of a chain")
  func agreesWithDouble() {
    for (rows, inputs, outputs) in shapes {
      let problem = LinearCase(rows: rows, inputs: inputs, outputs: outputs)
      let y = problem.forward(KernelForm(portable: false))
      for r in 0..<rows {
        for o in 0..<outputs {
          var sum = Double(problem.bias[0, o])
          var magnitude = abs(sum)
          for i in 0..<inputs {
            let term = Double(problem.x[r, i]) * Double(problem.weights[o, i])
            sum += term
            magnitude += abs(term)
          }
          #expect(abs(Double(y[r, o]) - sum) <= chainBound(inputs, magnitude))
        }
      }
    }
  }

  @Test("a row has the same bits in every batch of 1 to 256 rows")
  func rowsAreInvariant() {
    let form = KernelForm(portable: false)
    let problem = LinearCase(rows: 256, inputs: 37, outputs: 50)
    let wide = LinearCase(rows: 256, inputs: 20, outputs: 128)
    for problem in [problem, wide] {
      let alone = (0..<256).map { problem.forward(form, rows: 1, from: $0) }
      let aloneBack = (0..<256).map { problem.inputGradient(form, rows: 1, from: $0) }
      for rows in 1...256 {
        let y = problem.forward(form, rows: rows)
        let dx = problem.inputGradient(form, rows: rows)
        let same = (0..<rows).allSatisfy { row in
          (0..<y.columns).allSatisfy { y[row, $0].bitPattern == alone[row][0, $0].bitPattern }
            && (0..<dx.columns).allSatisfy { dx[row, $0].bitPattern == aloneBack[row][0, $0].bitPattern }
        }
        #expect(same, "batch of \(rows)")
      }
    }
  }

  @Test("a weight gradient made in two parts has the bits of one made at once", arguments: KernelForm.all)
  func accumulationContinuesTheChain(form: KernelForm) {
    let problem = LinearCase(rows: 20, inputs: 22, outputs: 35)
    let whole = Panels(inputs: 22, outputs: 35)
    let parts = Panels(inputs: 22, outputs: 35)
    let wholeBias = Rows(1, 35)
    let partsBias = Rows(1, 35)
    problem.weightGradient(form, into: whole, wholeBias, from: 0, rows: 20, accumulate: false)
    for split in 1..<20 {
      problem.weightGradient(form, into: parts, partsBias, from: 0, rows: split, accumulate: false)
      problem.weightGradient(form, into: parts, partsBias, from: split, rows: 20 - split, accumulate: true)
      #expect(parts.storage.hasSameBits(as: whole.storage) && partsBias.hasSameBits(as: wholeBias), "split at \(split)")
    }
  }

  @Test("both forms give the same bits, denormals, infinities and NaN included")
  func formsAgree() {
    let best = KernelForm(portable: false)
    let portable = KernelForm(portable: true)
    for seed in 0..<6 as Range<UInt64> {
      for (rows, inputs, outputs) in shapes where rows < 20 {
        let problem = LinearCase(rows: rows, inputs: inputs, outputs: outputs, wild: true, seed: seed)
        let label: Comment = "seed \(seed), rows \(rows), inputs \(inputs), outputs \(outputs)"
        #expect(problem.forward(best).hasSameBits(as: problem.forward(portable)), label)
        #expect(problem.inputGradient(best).hasSameBits(as: problem.inputGradient(portable)), label)
        let a = Panels(inputs: inputs, outputs: outputs)
        let b = Panels(inputs: inputs, outputs: outputs)
        let aBias = Rows(1, outputs)
        let bBias = Rows(1, outputs)
        problem.weightGradient(best, into: a, aBias, from: 0, rows: rows, accumulate: false)
        problem.weightGradient(portable, into: b, bBias, from: 0, rows: rows, accumulate: false)
        #expect(a.storage.hasSameBits(as: b.storage) && aBias.hasSameBits(as: bBias), label)
      }
    }
  }

  @Test("large strides touch nothing between the rows")
  func largeStrides() {
    let problem = LinearCase(rows: 9, inputs: 30, outputs: 20, extraStride: 4096)
    let y = problem.forward(KernelForm(portable: false))
    let dx = problem.inputGradient(KernelForm(portable: false))
    for row in 0..<9 {
      #expect((32..<y.stride).allSatisfy { y[row, $0] == 7 })
      #expect((32..<dx.stride).allSatisfy { dx[row, $0] == 7 })
    }
  }

  @Test("no rows: nothing is written, and a gradient that does not accumulate is 0")
  func noRows() {
    let problem = LinearCase(rows: 1, inputs: 18, outputs: 20)
    let gradient = Panels(inputs: 18, outputs: 20)
    gradient.storage.fill { _, _ in 3 }
    let bias = Rows(1, 20, initial: 3)
    problem.weightGradient(KernelForm(portable: false), into: gradient, bias, from: 0, rows: 0, accumulate: false)
    #expect((0..<20).allSatisfy { bias[0, $0] == 0 } && (0..<gradient.storage.columns).allSatisfy { gradient.storage[0, $0] == 0 })
  }
}

import CKernels
import Testing

/// Runs a kernel on seeded inputs and returns the bits of everything it wrote.
struct KernelRun: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let bits: @Sendable (_ rows: Int, _ seed: UInt64) -> [UInt32]

  static let all: [KernelRun] =
    [
      KernelRun(testDescription: "linear forward") { rows, seed in
        var random = TestRandom(seed)
        let (inputs, outputs) = (1 + Int(random.next() % 60), 1 + Int(random.next() % 150))
        let x = Matrix(rows: rows, columns: inputs, random: &random)
        let w = Panels(inputs: inputs, outputs: outputs, random: &random)
        let bias = seed % 2 == 0 ? paddedVector(outputs, &random) : nil
        return forward(x, w, bias: bias, extra: 1).bits
      },
      KernelRun(testDescription: "linear input gradient") { rows, seed in
        var random = TestRandom(seed)
        let (inputs, outputs) = (1 + Int(random.next() % 60), 1 + Int(random.next() % 300))
        let dy = Matrix(rows: rows, columns: outputs, random: &random)
        let w = Panels(inputs: inputs, outputs: outputs, random: &random)
        let old = seed % 2 == 0 ? oldValues(rows: rows, columns: inputs, extra: 1, random: &random) : nil
        return inputGradient(dy, w, into: old, extra: 1).bits
      },
      KernelRun(testDescription: "linear weight gradient") { rows, seed in
        var random = TestRandom(seed)
        let (inputs, outputs) = (1 + Int(random.next() % 60), 1 + Int(random.next() % 90))
        let x = Matrix(rows: rows, columns: inputs, random: &random)
        let dy = Matrix(rows: rows, columns: outputs, random: &random)
        var dw = Panels(inputs: inputs, outputs: outputs, random: &random)
        var db = paddedVector(outputs, &random)
        weightGradient(x, dy, dw: &dw, db: &db, accumulate: seed % 2 == 0)
        return (dw.values + db).map(\.bitPattern)
      },
      KernelRun(testDescription: "layer normalisation") { rows, seed in
        var random = TestRandom(seed)
        let n = 1 + Int(random.next() % 130)
        let layer = LayerNorm(rows: rows, n: n, relu: seed % 2 == 0, seed: seed)
        let dy = Matrix(rows: rows, columns: n, random: &random)
        var dgain = paddedVector(n, &random)
        var dshift = paddedVector(n, &random)
        let dx = layer.backward(dy, dgain: &dgain, dshift: &dshift)
        return layer.y.bits + dx.bits + (layer.mean + layer.rstd + dgain + dshift).map(\.bitPattern)
      },
      KernelRun(testDescription: "gelu and tanh") { rows, seed in
        var random = TestRandom(seed)
        let count = 8 * rows
        let x = random.values(count, scale: 8)
        let dy = random.values(count)
        var results = [[Float]](repeating: x, count: 4)
        ck_gelu_forward(&results[0], x, Int64(count))
        ck_gelu_backward(&results[1], dy, x, Int64(count))
        ck_tanh_forward(&results[2], x, Int64(count))
        ck_tanh_backward(&results[3], dy, results[2], Int64(count))
        return results.joined().map(\.bitPattern)
      },
      KernelRun(testDescription: "gated recurrent unit") { rows, seed in
        var random = TestRandom(seed)
        let step = GRUStep(rows: rows, hidden: 16 * (1 + Int(random.next() % 4)), seed: seed)
        let dNext = Matrix(rows: rows, columns: step.h.columns, random: &random)
        let gradients = step.backward(dNext)
        return step.next.bits + step.gates.bits + gradients.dgi.bits + gradients.dgh.bits + gradients.dh.bits
      },
      KernelRun(testDescription: "AdamW and the sum of squares") { rows, seed in
        var random = TestRandom(seed)
        let count = 16 * rows
        var p = random.values(count)
        var m = random.values(count)
        var v = random.values(count).map { $0 * $0 }
        for step in 1...3 {
          let g = random.values(count, scale: 3)
          ck_adamw(&p, &m, &v, g, Int64(count), 0.7, 1e-3, 0.9, 0.999, 1e-8, 0.01, 0.1 * Float(step), 0.001 * Float(step))
        }
        let sum = ck_sum_squares(p, Int64(count - 3)).bitPattern
        return (p + m + v).map(\.bitPattern) + [UInt32(truncatingIfNeeded: sum), UInt32(sum >> 32)]
      },
    ]
    + VectorFunction.all.map { function in
      KernelRun(testDescription: function.testDescription) { rows, seed in
        var random = TestRandom(seed)
        // Any bits: denormals, infinities and NaN come up too.
        let anything = (0..<200 * rows).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) }
        return function(anything + random.values(200 * rows + 3, scale: 12) + specialFloats).map(\.bitPattern)
      }
    }
}

/// The selection is a property of the process: one suite owns it and its tests run one after another. Other suites may run meanwhile, since
/// both forms have to satisfy them.
@Suite("portable and AVX2 forms", .serialized)
struct FormsTests {
  @Test("have the same bits", arguments: KernelRun.all)
  func sameBits(kernel: KernelRun) {
    defer { _ = ck_select(0) }
    for rows in rowCounts {
      let seed = UInt64(1000 + rows)
      _ = ck_select(1)
      let portable = kernel.bits(rows, seed)
      _ = ck_select(0)
      #expect(kernel.bits(rows, seed) == portable, "\(rows) rows, seed \(seed)")
    }
  }

  @Test("are selected as asked for")
  func selection() {
    defer { _ = ck_select(0) }
    #expect(ck_select(1) == 0)
    #expect(ck_uses_avx2() == 0)
    let best = ck_select(0)
    #expect(ck_uses_avx2() == best)
  }

  @Test("find the default floating-point environment")
  func environment() { #expect(ck_float_environment_is_default() == 1) }
}

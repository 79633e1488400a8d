import CKernels
import Testing

@Suite("Optimizer kernels")
struct OptimizerTests {
  private struct State {
    let p: Rows, m: Rows, v: Rows, g: Rows
    init(_ count: Int, seed: UInt64) {
      var random = TestRandom(seed)
      p = Rows(1, count, stride: count).fill { _, _ in random.float() }
      m = Rows(1, count, stride: count).fill { _, _ in 0.1 * random.float() }
      v = Rows(1, count, stride: count).fill { _, _ in 0.01 * abs(random.float()) }
      g = Rows(1, count, stride: count).fill { _, _ in random.float() }
    }
    func step(_ form: KernelForm) {
      form.table.adamw(p.pointer, m.pointer, v.pointer, g.pointer, Int64(p.columns), 0.5, 3e-4, 0.9, 0.999, 1e-5, 0.01, 0.19, 0.001999)
    }
  }

  @Test("AdamW follows its formula in double precision", arguments: KernelForm.all)
  func adamWFollowsFormula(form: KernelForm) {
    for count in [1, 7, 8, 9, 16, 100, 1003] {
      let state = State(count, seed: 5)
      let old = State(count, seed: 5)
      state.step(form)
      for i in 0..<count {
        let g = 0.5 * Double(old.g[0, i])
        let m = Double(Float(0.9)) * Double(old.m[0, i]) + (1 - Double(Float(0.9))) * g
        let v = Double(Float(0.999)) * Double(old.v[0, i]) + (1 - Double(Float(0.999))) * g * g
        let p = Double(old.p[0, i]) * (1 - 3e-4 * 0.01) - 3e-4 / 0.19 * m / (v.squareRoot() / 0.001999.squareRoot() + 1e-5)
        #expect(abs(Double(state.m[0, i]) - m) <= 3e-7 * (abs(m) + abs(g)))
        #expect(abs(Double(state.v[0, i]) - v) <= 1e-6 * v)
        #expect(abs(Double(state.p[0, i]) - p) <= 2e-7 * (abs(p) + 1))
      }
      #expect(state.p.guardsAreIntact && state.m.guardsAreIntact && state.v.guardsAreIntact)
    }
  }

  @Test("an element has the same bits wherever it stands, in both forms")
  func elementwise() {
    let whole = State(61, seed: 9)
    let portable = State(61, seed: 9)
    whole.step(KernelForm(portable: false))
    portable.step(KernelForm(portable: true))
    #expect(whole.p.hasSameBits(as: portable.p) && whole.m.hasSameBits(as: portable.m) && whole.v.hasSameBits(as: portable.v))
    let reference = State(61, seed: 9)
    for i in 0..<61 {
      let one = State(1, seed: 0)
      (one.p[0, 0], one.m[0, 0], one.v[0, 0], one.g[0, 0]) = (reference.p[0, i], reference.m[0, i], reference.v[0, i], reference.g[0, i])
      one.step(KernelForm(portable: false))
      #expect(sameBits(one.p[0, 0], whole.p[0, i]))
    }
  }

  @Test("padding stays 0 through AdamW")
  func paddingStaysZero() {
    let state = State(16, seed: 3)
    for rows in [state.p, state.m, state.v, state.g] { rows.fill { _, _ in 0 } }
    for _ in 0..<3 { state.step(KernelForm(portable: false)) }
    #expect((0..<16).allSatisfy { state.p[0, $0] == 0 && state.m[0, $0] == 0 && state.v[0, $0] == 0 })
  }

  @Test("the sum of squares is near exact and the same in both forms")
  func sumOfSquares() {
    var random = TestRandom(4)
    for count in [0, 1, 7, 8, 9, 64, 1000, 4099] {
      let x = Rows(1, max(count, 1)).fill { _, _ in random.float() }
      var expected = 0.0
      for i in 0..<count { expected += Double(x[0, i]) * Double(x[0, i]) }
      let best = KernelForm(portable: false).table.sum_squares(x.pointer, Int64(count))
      #expect(abs(best - expected) <= 1e-14 * expected)
      #expect(best.bitPattern == KernelForm(portable: true).table.sum_squares(x.pointer, Int64(count)).bitPattern)
    }
    // Squares beyond the range of Float are still finite.
    let huge = Rows(1, 16).fill { _, _ in 0x1p100 }
    #expect(ck_sum_squares(huge.pointer, 16) == 16 * 0x1p200)
  }
}

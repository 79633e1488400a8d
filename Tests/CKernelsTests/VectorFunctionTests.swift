import CKernels
import Testing

/// One elementary function on floats: array form, scalar form, reference, documented error in ulp.
private struct VectorFunction: CustomTestStringConvertible, Sendable {
  let name: String
  let array: @Sendable (ck_kernel_table) -> @convention(c) (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int64) -> Void
  let scalar: @Sendable (ck_kernel_table) -> @convention(c) (Float) -> Float
  let reference: @Sendable (Double) -> Double
  let ulp: Double
  var testDescription: String { name }

  static let all = [
    VectorFunction(name: "exp", array: { $0.exp_f32 }, scalar: { $0.expf }, reference: referenceExp, ulp: 0.80),
    VectorFunction(name: "log", array: { $0.log_f32 }, scalar: { $0.logf }, reference: referenceLog, ulp: 0.88),
    VectorFunction(name: "tanh", array: { $0.tanh_f32 }, scalar: { $0.tanhf }, reference: referenceTanh, ulp: 1.35),
    VectorFunction(name: "sigmoid", array: { $0.sigmoid_f32 }, scalar: { $0.sigmoidf }, reference: referenceSigmoid, ulp: 2.41),
    VectorFunction(name: "erf", array: { $0.erf_f32 }, scalar: { $0.erff }, reference: referenceErf, ulp: 1.07),
  ]

  func callAsFunction(_ x: Float, _ form: KernelForm = KernelForm(portable: false)) -> Float { scalar(form.table)(x) }
}

/// Error of `value` in units in the last place of a float at `exact`. Values that round to infinity count as 0 if `value` is infinite.
private func ulpError(_ value: Float, _ exact: Double) -> Double {
  if exact.isNaN || value.isNaN { return exact.isNaN && value.isNaN ? 0 : .infinity }
  let rounded = Float(exact)
  if rounded.isInfinite || value.isInfinite { return rounded == value ? 0 : .infinity }
  let magnitude = max(abs(exact), Double(Float.leastNormalMagnitude))
  let unit = Double(sign: .plus, exponent: magnitude.exponent - 23, significand: 1)
  return abs(Double(value) - exact) / unit
}

@Suite("Elementary functions on floats")
struct VectorFunctionTests {
  // Every 997th bit pattern: 4.3 million arguments over the whole range. The documented bounds were measured over all of them.
  @Test("errors stay within the documented ulp over the whole range", arguments: VectorFunction.all)
  private func errorBound(function: VectorFunction) {
    let apply = function.array(KernelForm(portable: false).table)
    let x = Rows(1, 4096)
    let y = Rows(1, 4096)
    var worst = 0.0
    var worstAt: Float = 0
    var pattern: UInt64 = 0
    while pattern < 1 << 32 {
      for i in 0..<4096 {
        x[0, i] = Float(bitPattern: UInt32(truncatingIfNeeded: min(pattern, 0xffff_ffff)))
        pattern += 997
      }
      apply(y.pointer, x.pointer, 4096)
      for i in 0..<4096 {
        let error = ulpError(y[0, i], function.reference(Double(x[0, i])))
        if !(error <= worst) { (worst, worstAt) = (error, x[0, i]) }
      }
    }
    #expect(worst <= function.ulp, "\(worst) ulp at \(worstAt)")
  }

  @Test("both forms give the same bits over the whole range", arguments: VectorFunction.all)
  private func formsAgree(function: VectorFunction) {
    let best = function.array(KernelForm(portable: false).table)
    let portable = function.array(KernelForm(portable: true).table)
    let x = Rows(1, 4096)
    let a = Rows(1, 4096)
    let b = Rows(1, 4096)
    var pattern: UInt64 = 0
    while pattern < 1 << 32 {
      for i in 0..<4096 {
        x[0, i] = Float(bitPattern: UInt32(truncatingIfNeeded: min(pattern, 0xffff_ffff)))
        pattern += 7919
      }
      best(a.pointer, x.pointer, 4096)
      portable(b.pointer, x.pointer, 4096)
      #expect(a.hasSameBits(as: b))
    }
  }

  @Test("an element has the same bits at every position of every count, in place or not, and as a scalar", arguments: VectorFunction.all)
  private func positionsAgree(function: VectorFunction) {
    var random = TestRandom(6)
    for form in KernelForm.all {
      for count in 0..<40 {
        let x = Rows(1, max(count, 1), stride: max(count, 1)).fill { _, _ in 5 * random.wildFloat() }
        let y = Rows(1, max(count, 1), stride: max(count, 1))
        let inPlace = x.copy()
        function.array(form.table)(y.pointer, x.pointer, Int64(count))
        function.array(form.table)(inPlace.pointer, UnsafePointer(inPlace.pointer), Int64(count))
        #expect((0..<count).allSatisfy { sameBits(y[0, $0], function(x[0, $0], form)) && sameBits(y[0, $0], inPlace[0, $0]) })
        #expect(y.guardsAreIntact && inPlace.guardsAreIntact)
      }
    }
  }

  @Test("zeros, infinities, NaN and the ends of the ranges")
  func specialValues() {
    for form in KernelForm.all {
      let table = form.table
      #expect(table.expf(0) == 1 && table.expf(-.infinity) == 0 && table.expf(.infinity) == .infinity)
      #expect(table.expf(89) == .infinity && table.expf(1e30) == .infinity && table.expf(-104) == 0 && table.expf(-1e30) == 0)
      #expect(table.expf(-103) == .leastNonzeroMagnitude && table.expf(88.72283) < .infinity)
      #expect(table.logf(1).bitPattern == 0 && table.logf(0) == -.infinity && table.logf(-0.0) == -.infinity)
      #expect(table.logf(.infinity) == .infinity && table.logf(-1).isNaN && table.logf(-.infinity).isNaN)
      #expect(table.logf(.leastNonzeroMagnitude) == -103.27893)
      for (function, limit) in [(table.tanhf, Float(1)), (table.erff, 1)] {
        #expect(function(0).bitPattern == 0 && function(-0.0).bitPattern == (-0.0 as Float).bitPattern)
        #expect(function(.infinity) == limit && function(-.infinity) == -limit && function(50) == limit && function(-50) == -limit)
      }
      #expect(table.tanhf(.leastNonzeroMagnitude) == .leastNonzeroMagnitude)
      #expect(table.sigmoidf(0) == 0.5 && table.sigmoidf(.infinity) == 1 && table.sigmoidf(-.infinity) == 0 && table.sigmoidf(-1000) == 0)
      #expect(table.sigmoidf(-100) > 0)
      for function in [table.expf, table.logf, table.tanhf, table.sigmoidf, table.erff] { #expect(function(.nan).isNaN) }
    }
  }

  @Test("the public names give the bits of the forms, and the floating-point control word is the default one")
  func publicNames() {
    #expect(ck_expf(1) == KernelForm(portable: true).table.expf(1))
    #expect(ck_float_environment_is_default() == 1)
  }
}

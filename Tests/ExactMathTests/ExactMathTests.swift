import CKernels
import ExactMath
import Glibc
import Testing

/// One function of one double with its golden table and documented error.
struct DoubleFunction: CustomTestStringConvertible, Sendable {
  let name: String
  let apply: @Sendable (Double) -> Double
  let golden: [UInt64]
  let ulp: Double
  var testDescription: String { name }

  static let all = [
    DoubleFunction(name: "exp", apply: { ExactMath.exp($0) }, golden: GoldenMath.exp, ulp: 0.54),
    DoubleFunction(name: "log", apply: { ExactMath.log($0) }, golden: GoldenMath.log, ulp: 0.51),
    DoubleFunction(name: "log1p", apply: { ExactMath.log1p($0) }, golden: GoldenMath.log1p, ulp: 0.51),
    DoubleFunction(name: "expm1", apply: { ExactMath.expm1($0) }, golden: GoldenMath.expm1, ulp: 0.63),
    DoubleFunction(name: "sin", apply: { ExactMath.sin($0) }, golden: GoldenMath.sin, ulp: 0.78),
    DoubleFunction(name: "cos", apply: { ExactMath.cos($0) }, golden: GoldenMath.cos, ulp: 0.78),
    DoubleFunction(name: "tanh", apply: { ExactMath.tanh($0) }, golden: GoldenMath.tanh, ulp: 0.58),
    DoubleFunction(name: "erf", apply: { ExactMath.erf($0) }, golden: GoldenMath.erf, ulp: 0.86),
  ]
}

/// How many doubles lie between two of one sign.
func steps(_ a: Double, _ b: Double) -> UInt64 {
  if a == b { return 0 }
  guard a.sign == b.sign, !a.isNaN, !b.isNaN else { return .max }
  return a.bitPattern > b.bitPattern ? a.bitPattern - b.bitPattern : b.bitPattern - a.bitPattern
}

@Suite("Exact elementary functions")
struct ExactMathTests {
  @Test("at most one double away from the correctly rounded value", arguments: DoubleFunction.all)
  func golden(function: DoubleFunction) {
    for i in stride(from: 0, to: function.golden.count, by: 2) {
      let x = Double(bitPattern: function.golden[i])
      let expected = Double(bitPattern: function.golden[i + 1])
      let value = function.apply(x)
      #expect(steps(value, expected) <= 1, "\(function.name)(\(x)) = \(value), not \(expected)")
    }
  }

  @Test("powers are at most one double away from the correctly rounded value")
  func goldenPower() {
    for i in stride(from: 0, to: GoldenMath.pow.count, by: 3) {
      let x = Double(bitPattern: GoldenMath.pow[i])
      let y = Double(bitPattern: GoldenMath.pow[i + 1])
      let expected = Double(bitPattern: GoldenMath.pow[i + 2])
      #expect(steps(ExactMath.pow(x, y), expected) <= 1, "pow(\(x), \(y)) = \(ExactMath.pow(x, y)), not \(expected)")
    }
  }

  @Test("zeros, infinities, NaN and arguments outside the domain")
  func specialValues() {
    for function in DoubleFunction.all { #expect(function.apply(.nan).isNaN) }
    #expect(ExactMath.exp(0.0) == 1 && ExactMath.exp(-.infinity as Double) == 0 && ExactMath.exp(.infinity as Double) == .infinity)
    #expect(ExactMath.exp(709.7827128933841 as Double) == .infinity && ExactMath.exp(-745.14 as Double) == 0)
    #expect(ExactMath.log(0.0) == -.infinity && ExactMath.log(-0.0 as Double) == -.infinity && ExactMath.log(-1.0).isNaN)
    #expect(ExactMath.log(1.0).bitPattern == 0 && ExactMath.log(Double.infinity) == .infinity && ExactMath.log(-Double.infinity).isNaN)
    #expect(ExactMath.log1p(-1) == -.infinity && ExactMath.log1p(-1.5).isNaN && ExactMath.log1p(.infinity) == .infinity)
    #expect(ExactMath.expm1(-.infinity) == -1 && ExactMath.expm1(.infinity) == .infinity && ExactMath.expm1(710) == .infinity)
    #expect(ExactMath.tanh(Double.infinity) == 1 && ExactMath.tanh(-Double.infinity) == -1 && ExactMath.tanh(30.0) == 1)
    #expect(ExactMath.erf(Double.infinity) == 1 && ExactMath.erf(-Double.infinity) == -1)
    #expect(ExactMath.sin(.infinity).isNaN && ExactMath.cos(-.infinity).isNaN && ExactMath.cos(0) == 1)
    let tiny = Double.leastNonzeroMagnitude
    for function in [{ ExactMath.log1p($0) }, { ExactMath.expm1($0) }, { ExactMath.sin($0) }, { ExactMath.tanh($0) }]
      as [(Double) -> Double]
    {
      #expect(function(-0.0).bitPattern == (-0.0).bitPattern && function(0).bitPattern == 0)
      #expect(function(tiny) == tiny && function(-tiny) == -tiny)
    }
    #expect(ExactMath.erf(-0.0 as Double).bitPattern == (-0.0).bitPattern && ExactMath.erf(tiny) == tiny)
  }

  @Test("the special cases of the power agree with the C library, sign of zero included")
  func specialPowers() {
    let values: [Double] = [
      0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 4, -4, 1.5, -1.5, .infinity, -.infinity, .nan, 1e300, -1e300,
      .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
      9_007_199_254_740_991, -9_007_199_254_740_991, 9_007_199_254_740_992, 1e17, -1e17, 0.9999999999999999, 1.0000000000000002,
    ]
    for x in values {
      for y in values {
        let value = ExactMath.pow(x, y)
        let expected = Glibc.pow(x, y)
        let agrees = value.isNaN ? expected.isNaN : value.sign == expected.sign && steps(value, expected) <= 1
        #expect(agrees, "pow(\(x), \(y)) = \(value), not \(expected)")
      }
    }
  }

  @Test("the float overloads have the bits of the kernels")
  func floats() {
    for x in [-3.5, -0.1, 0, 0.7, 2, 40] as [Float] {
      #expect(ExactMath.exp(x) == ck_expf(x) && ExactMath.tanh(x) == ck_tanhf(x))
      #expect(ExactMath.sigmoid(x) == ck_sigmoidf(x) && ExactMath.erf(x) == ck_erff(x))
      #expect(ExactMath.log(abs(x)) == ck_logf(abs(x)))
    }
  }

  @Test("sine and cosine keep their identities: odd and even, squares sum to 1")
  func identities() {
    for i in 0..<2000 {
      let x = Double(i) * 0.37
      #expect(ExactMath.sin(-x) == -ExactMath.sin(x) && ExactMath.cos(-x) == ExactMath.cos(x))
      let s = ExactMath.sin(x)
      let c = ExactMath.cos(x)
      #expect(abs(s * s + c * c - 1) <= 4e-16)
    }
  }

  @Test("the portable form gives the bits of the best one for every double function")
  func formsAgree() {
    let best = ck_table(0).pointee
    let portable = ck_table(1).pointee
    let functions = [
      (best.exp, portable.exp), (best.log, portable.log), (best.log1p, portable.log1p), (best.expm1, portable.expm1),
      (best.sin, portable.sin),
      (best.cos, portable.cos), (best.tanh, portable.tanh), (best.erf, portable.erf),
    ]
    var state: UInt64 = 1
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 31)
    }
    var differences = 0
    func compare(_ a: Double, _ b: Double) { if a.bitPattern != b.bitPattern && !(a.isNaN && b.isNaN) { differences += 1 } }
    for i in 0..<100_000 {
      // Half of the arguments any bit pattern, half of them of everyday size.
      let x = i % 2 == 0 ? Double(bitPattern: next()) : Double(Int64(bitPattern: next())) * 0x1p-58
      let y = i % 3 == 0 ? Double(bitPattern: next()) : Double(Int64(bitPattern: next())) * 0x1p-60
      for (a, b) in functions { compare(a(x), b(x)) }
      compare(best.pow(x, y), portable.pow(x, y))
      compare(best.pow(abs(x), y), portable.pow(abs(x), y))
    }
    #expect(differences == 0)
  }

  @Test("the floating-point control word is the default one")
  func environment() {
    #expect(FloatingPointEnvironment.isDefault())
  }

  // The one test that selects: the choice is the process's, and suites run side by side. Both forms give the same bits, so no other test
  // notices.
  @Test("a selection is in force and reported")
  func selection() {
    let best = KernelSelection.select(portable: false)
    #expect(KernelSelection.usesAVX2 == best)
    #expect(!KernelSelection.select(portable: true) && !KernelSelection.usesAVX2)
    #expect(KernelSelection.select(portable: false) == best)
  }
}

import ExactMath
import Glibc
import Testing

/// A float function with a double precision reference and the error that `ExactMath` documents.
struct FloatFunction: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let bound: Double
  let value: @Sendable (Float) -> Float
  let reference: @Sendable (Double) -> Double

  static let all = [
    FloatFunction(testDescription: "exp", bound: 1.1, value: { ExactMath.exp($0) }, reference: { Glibc.exp($0) }),
    FloatFunction(testDescription: "log", bound: 0.9, value: { ExactMath.log($0) }, reference: { Glibc.log($0) }),
    FloatFunction(testDescription: "tanh", bound: 2.8, value: { ExactMath.tanh($0) }, reference: { Glibc.tanh($0) }),
    FloatFunction(testDescription: "sigmoid", bound: 2.5, value: { ExactMath.sigmoid($0) }, reference: { 1 / (1 + Glibc.exp(-$0)) }),
    FloatFunction(testDescription: "erf", bound: 2.5, value: { ExactMath.erf($0) }, reference: { Glibc.erf($0) }),
  ]

  /// Units in the last place between the result and the exact value; infinity if they are of different kinds.
  func error(_ x: Float) -> Double {
    let actual = value(x)
    let exact = reference(Double(x))
    if exact.isNaN || actual.isNaN { return exact.isNaN && actual.isNaN ? 0 : .infinity }
    let rounded = Float(exact)
    if rounded.isInfinite || actual.isInfinite {
      // One step beyond the largest float counts as one.
      let finite = min(abs(Double(actual)), 0x1p128)
      let wanted = min(abs(exact), 0x1p128)
      return actual.sign == rounded.sign ? abs(finite - wanted) / 0x1p104 : .infinity
    }
    return abs(Double(actual) - exact) / Double(rounded.ulp)
  }
}

@Suite("float functions")
struct FloatFunctionTests {
  @Test("stay within their documented errors over all bit patterns in strides", arguments: FloatFunction.all)
  func allBitPatterns(function: FloatFunction) {
    expectWithinBound(function, patterns: stride(from: 0, through: UInt32.max, by: 1021))
  }

  /// Where the functions bend and change their method: 2^-6 to 2^7, both signs.
  @Test("stay within their documented errors over a dense sweep", arguments: FloatFunction.all, [UInt32(0), 0x8000_0000])
  func denseSweep(function: FloatFunction, sign: UInt32) {
    let low = Float(0x1p-6).bitPattern | sign
    let high = Float(0x1p7).bitPattern | sign
    expectWithinBound(function, patterns: stride(from: low, through: high, by: 53))
  }

  @Test("log stays within its documented error next to 1")
  func logNearOne() {
    let one = Float(1).bitPattern
    expectWithinBound(FloatFunction.all[1], patterns: stride(from: one - 2_000_000, through: one + 2_000_000, by: 7))
  }

  @Test("special values")
  func specialValues() {
    let infinity = Float.infinity
    func same(_ a: Float, _ b: Float) -> Bool { a == b && a.sign == b.sign }
    for function in FloatFunction.all { #expect(function.value(.nan).isNaN) }
    for x in [0, -0.0, .leastNonzeroMagnitude, -Float.leastNonzeroMagnitude] {
      #expect(same(ExactMath.tanh(x), x))
      #expect(same(ExactMath.erf(x), x))
      #expect(ExactMath.exp(x) == 1)
      #expect(ExactMath.sigmoid(x) == 0.5)
    }
    #expect(ExactMath.exp(infinity) == infinity && same(ExactMath.exp(-infinity), 0))
    #expect(ExactMath.exp(Float(88.73)) == infinity && ExactMath.exp(Float(88.72)).isFinite)
    #expect(ExactMath.exp(Float(-103.9)) == .leastNonzeroMagnitude && ExactMath.exp(Float(-104)) == 0)
    #expect(ExactMath.log(infinity) == infinity && ExactMath.log(Float(0)) == -infinity && ExactMath.log(Float(-0.0)) == -infinity)
    #expect(ExactMath.log(Float(-1)).isNaN && ExactMath.log(-infinity).isNaN && same(ExactMath.log(Float(1)), 0))
    #expect(ExactMath.tanh(infinity) == 1 && ExactMath.tanh(-infinity) == -1)
    #expect(ExactMath.sigmoid(infinity) == 1 && same(ExactMath.sigmoid(-infinity), 0))
    #expect(ExactMath.erf(infinity) == 1 && ExactMath.erf(-infinity) == -1)
  }

  @Test("tanh and erf are odd to the bit")
  func oddSymmetry() {
    for pattern in stride(from: 0, through: Float.infinity.bitPattern, by: 65_521) {
      let x = Float(bitPattern: pattern)
      #expect(ExactMath.tanh(-x).bitPattern == (-ExactMath.tanh(x)).bitPattern)
      #expect(ExactMath.erf(-x).bitPattern == (-ExactMath.erf(x)).bitPattern)
    }
  }

  private func expectWithinBound(_ function: FloatFunction, patterns: some Sequence<UInt32>) {
    var worst = (error: 0.0, x: Float(0))
    for pattern in patterns {
      let x = Float(bitPattern: pattern)
      let error = function.error(x)
      if error > worst.error { worst = (error, x) }
    }
    #expect(worst.error <= function.bound, "\(function.testDescription)(\(worst.x)) is off by \(worst.error) ulp")
  }
}

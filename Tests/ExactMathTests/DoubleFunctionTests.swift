import ExactMath
import Testing

/// A double function with its exact values and the error that `ExactMath` documents.
struct DoubleFunction: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let points: [GoldenPoint]
  let bound: Double
  let value: @Sendable (Double, Double) -> Double

  init(_ name: String, _ points: [GoldenPoint], bound: Double, _ value: @escaping @Sendable (Double, Double) -> Double) {
    testDescription = name
    self.points = points
    self.bound = bound
    self.value = value
  }

  static let all = [
    DoubleFunction("exp", ExactMathGolden.exp, bound: 0.9) { x, _ in ExactMath.exp(x) },
    DoubleFunction("log", ExactMathGolden.log, bound: 0.9) { x, _ in ExactMath.log(x) },
    DoubleFunction("log1p", ExactMathGolden.log1p, bound: 0.9) { x, _ in ExactMath.log1p(x) },
    DoubleFunction("expm1", ExactMathGolden.expm1, bound: 3.5) { x, _ in ExactMath.expm1(x) },
    DoubleFunction("pow", ExactMathGolden.pow, bound: 1) { x, y in ExactMath.pow(x, y) },
    DoubleFunction("sin", ExactMathGolden.sin, bound: 0.8) { x, _ in ExactMath.sin(x) },
    DoubleFunction("cos", ExactMathGolden.cos, bound: 0.8) { x, _ in ExactMath.cos(x) },
    DoubleFunction("tanh", ExactMathGolden.tanh, bound: 2.8) { x, _ in ExactMath.tanh(x) },
    DoubleFunction("erf", ExactMathGolden.erf, bound: 14) { x, _ in ExactMath.erf(x) },
  ]
}

@Suite("double functions")
struct DoubleFunctionTests {
  @Test("stay within their documented errors", arguments: DoubleFunction.all)
  func withinBounds(function: DoubleFunction) {
    #expect(function.points.count == 40)
    for point in function.points {
      let actual = function.value(point.x, point.y)
      // Four decimals of the residue are kept.
      let error = abs((actual - point.result) / point.result.ulp - point.residue)
      #expect(error <= function.bound + 1e-4, "\(point.x), \(point.y): \(actual) instead of \(point.result)")
    }
  }

  @Test("keep NaN", arguments: DoubleFunction.all)
  func nan(function: DoubleFunction) { #expect(function.value(.nan, 2).isNaN) }

  /// `==` with the sign of zero.
  private func same(_ a: Double, _ b: Double) -> Bool { a == b && a.sign == b.sign }

  @Test("odd functions keep the sign of zero and of denormals")
  func zeros() {
    for x in [0, -0.0, .leastNonzeroMagnitude, -Double.leastNonzeroMagnitude] {
      #expect(same(ExactMath.log1p(x), x))
      #expect(same(ExactMath.expm1(x), x))
      #expect(same(ExactMath.sin(x), x))
      #expect(same(ExactMath.tanh(x), x))
      #expect(same(ExactMath.erf(x), x))
      #expect(ExactMath.exp(x) == 1)
      #expect(ExactMath.cos(x) == 1)
    }
  }

  @Test("limits and poles")
  func limits() {
    let infinity = Double.infinity
    #expect(ExactMath.exp(infinity) == infinity && same(ExactMath.exp(-infinity), 0))
    #expect(ExactMath.exp(709.79) == infinity && ExactMath.exp(-746.0) == 0 && ExactMath.exp(-745.14) == 0)
    #expect(ExactMath.exp(-745.13) == .leastNonzeroMagnitude && ExactMath.exp(709.78).isFinite)
    #expect(ExactMath.log(infinity) == infinity && ExactMath.log(0.0) == -infinity && ExactMath.log(-0.0) == -infinity)
    #expect(ExactMath.log(-1.0).isNaN && ExactMath.log(-infinity).isNaN && same(ExactMath.log(1.0), 0))
    #expect(ExactMath.log1p(-1) == -infinity && ExactMath.log1p(-1.5).isNaN && ExactMath.log1p(infinity) == infinity)
    #expect(ExactMath.log1p(-infinity).isNaN)
    #expect(ExactMath.expm1(infinity) == infinity && ExactMath.expm1(-infinity) == -1)
    #expect(ExactMath.tanh(infinity) == 1 && ExactMath.tanh(-infinity) == -1)
    #expect(ExactMath.erf(infinity) == 1 && ExactMath.erf(-infinity) == -1)
    for x in [infinity, -infinity, 1_048_577, -1_048_577] {
      #expect(ExactMath.sin(x).isNaN && ExactMath.cos(x).isNaN)
    }
    #expect(!ExactMath.sin(-1_048_576).isNaN && !ExactMath.cos(1_048_576).isNaN)
  }

  @Test("pow has the special cases of C")
  func powSpecialCases() {
    let infinity = Double.infinity
    for x in [0, -0.0, 1, -1, infinity, -infinity, .nan, .leastNonzeroMagnitude] {
      #expect(ExactMath.pow(x, 0) == 1 && ExactMath.pow(x, -0.0) == 1)
      #expect(ExactMath.pow(1, x) == 1)
    }
    #expect(ExactMath.pow(-1, infinity) == 1 && ExactMath.pow(-1, -infinity) == 1)
    #expect(ExactMath.pow(2, infinity) == infinity && ExactMath.pow(2, -infinity) == 0)
    #expect(ExactMath.pow(0.5, infinity) == 0 && ExactMath.pow(-0.5, -infinity) == infinity)
    #expect(same(ExactMath.pow(-0.0, 3), -0.0) && same(ExactMath.pow(-0.0, 2), 0) && same(ExactMath.pow(-0.0, 0.5), 0))
    #expect(ExactMath.pow(-0.0, -3) == -infinity && ExactMath.pow(-0.0, -2) == infinity && ExactMath.pow(0, -0.5) == infinity)
    #expect(ExactMath.pow(-infinity, 3) == -infinity && ExactMath.pow(-infinity, 2) == infinity)
    #expect(same(ExactMath.pow(-infinity, -3), -0.0) && same(ExactMath.pow(-infinity, -2), 0))
    #expect(ExactMath.pow(infinity, 0.5) == infinity && ExactMath.pow(-infinity, 0.5) == infinity)
    #expect(ExactMath.pow(-8, 1.0 / 3).isNaN && ExactMath.pow(2, .nan).isNaN)
    #expect(ExactMath.pow(-1, 0x1p53) == 1 && ExactMath.pow(-1, 0x1p53 - 1) == -1)
    #expect(ExactMath.pow(2, 1024) == infinity && ExactMath.pow(-2, 1025) == -infinity && ExactMath.pow(2, -1076) == 0)
    #expect(ExactMath.pow(2, -1074) == .leastNonzeroMagnitude && ExactMath.pow(2, 1023) == 0x1p1023)
    #expect(ExactMath.pow(2, 1e300) == infinity && ExactMath.pow(1 + 0x1p-52, -1e300) == 0)
  }

  @Test("integral powers of two and ten that fit are exact")
  func exactPowers() {
    var ten = 1.0
    for n in 0...22 {
      #expect(ExactMath.pow(10, Double(n)) == ten)
      ten *= 10
    }
    for n in -1074...1023 { #expect(ExactMath.pow(2, Double(n)) == Double(sign: .plus, exponent: n, significand: 1)) }
  }
}

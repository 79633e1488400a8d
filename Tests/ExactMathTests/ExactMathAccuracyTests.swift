import ExactMath
import Glibc
import Testing

#if arch(x86_64)
  /// The C library's extended precision, 64 significant bits, as the reference: its own error shows as thousandths of a double's ulp.
  private let extended: [String: @Sendable (Float80) -> Float80] = [
    "exp": { Glibc.exp($0) }, "log": { Glibc.log($0) }, "log1p": { Glibc.log1p($0) }, "expm1": { Glibc.expm1($0) },
    "sin": { Glibc.sin($0) },
    "cos": { Glibc.cos($0) }, "tanh": { Glibc.tanh($0) }, "erf": { Glibc.erf($0) },
  ]

  /// Error of `value` in units in the last place of a double at `exact`.
  private func ulpError(_ value: Double, _ exact: Float80) -> Double {
    let magnitude = max(abs(exact), Float80(Double.leastNormalMagnitude))
    return Double(abs(Float80(value) - exact) / Float80(sign: .plus, exponent: Float80.Exponent(magnitude.exponent) - 52, significand: 1))
  }

  private struct Uniform {
    var state: UInt64
    mutating func callAsFunction(_ low: Double, _ high: Double) -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return low + (high - low) * Double((state ^ (state >> 29)) >> 11) * 0x1p-53
    }
  }

  @Suite("Accuracy of the exact functions")
  struct ExactMathAccuracyTests {
    /// Ranges of arguments: uniform ones, and ones whose logarithm is uniform.
    private static let uniform: [String: [(Double, Double)]] = [
      "exp": [(-708, 709.7), (-1, 1)], "log": [(0.5, 2), (0, 1e6)], "log1p": [(-1, 1), (1, 100)], "expm1": [(-2, 2), (-40, 709)],
      "sin": [(-0.8, 0.8), (-10, 10), (-1e5, 1e5)], "cos": [(-0.8, 0.8), (-10, 10), (-1e5, 1e5)], "tanh": [(-1, 1), (-22, 22)],
      "erf": [(-1.3, 1.3), (-6, 6)],
    ]
    private static let logarithmic: [String: (Double, Double)] = [
      "exp": (1e-18, 700), "log": (1e-308, 1e308), "log1p": (1e-300, 1e300), "expm1": (1e-300, 700), "sin": (1e-300, 1e18),
      "cos": (1e-10, 1e18),
      "tanh": (1e-300, 20), "erf": (1e-300, 6),
    ]

    @Test("random arguments stay within the documented ulp", arguments: DoubleFunction.all)
    func randomArguments(function: DoubleFunction) throws {
      let reference = try #require(extended[function.name])
      var random = Uniform(state: 99)
      var worst = 0.0
      var worstAt = 0.0
      func check(_ x: Double) {
        let error = ulpError(function.apply(x), reference(Float80(x)))
        if !(error <= worst) { (worst, worstAt) = (error, x) }
      }
      for (low, high) in try #require(Self.uniform[function.name]) { for _ in 0..<100_000 { check(random(low, high)) } }
      let (low, high) = try #require(Self.logarithmic[function.name])
      for _ in 0..<100_000 { check(Glibc.exp(random(Glibc.log(low), Glibc.log(high)))) }
      #expect(worst <= function.ulp + 0.002, "\(worst) ulp at \(worstAt)")
    }

    @Test("random powers stay within 1.1 ulp")
    func randomPowers() {
      var random = Uniform(state: 7)
      var worst = 0.0
      var worstAt = (0.0, 0.0)
      for i in 0..<200_000 {
        let x = i % 2 == 0 ? Glibc.exp(random(-690, 690)) : random(0.5, 2)
        let y = i % 2 == 0 ? random(-700, 700) / Glibc.log(x) : random(-100, 100)
        let exact = Glibc.pow(Float80(x), Float80(y))
        guard exact > 1e-307, exact < 1e308 else { continue }
        let error = ulpError(ExactMath.pow(x, y), exact)
        if !(error <= worst) { (worst, worstAt) = (error, (x, y)) }
      }
      #expect(worst <= 1.1, "\(worst) ulp at \(worstAt)")
    }
  }
#endif

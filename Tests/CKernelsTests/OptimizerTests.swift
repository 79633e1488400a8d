import CKernels
import Glibc
import Testing

@Suite("optimizer")
struct OptimizerTests {
  @Test("AdamW follows its double reference over several steps", arguments: [Float(0), 0.01, 0.3], [Float(1), 0.37])
  func adamwAgrees(weightDecay: Float, scale: Float) {
    let count = 104
    var random = TestRandom(31)
    var p = random.values(count) + [Float](repeating: untouched, count: 8)
    var m = [Float](repeating: 0, count: count) + [Float](repeating: untouched, count: 8)
    var v = m
    let (lr, beta1, beta2, eps) = (Float(3e-3), Float(0.9), Float(0.999), Float(1e-5))
    var reference = p.prefix(count).map { (p: Double($0), m: 0.0, v: 0.0, magnitude: 0.0, moved: 0.0) }
    for step in 1...25 {
      var g = random.values(count, scale: 2)
      // Gradients of zero must leave a parameter to the decay alone.
      for i in 0..<4 { g[i] = 0 }
      let correction1 = Float(1 - pow(Double(beta1), Double(step)))
      let correction2 = Float(1 - pow(Double(beta2), Double(step)))
      ck_adamw(&p, &m, &v, g, Int64(count), scale, lr, beta1, beta2, eps, weightDecay, correction1, correction2)
      var failures: [String] = []
      for i in 0..<count {
        let gradient = Double(g[i]) * Double(scale)
        reference[i].m = Double(beta1) * reference[i].m + (1 - Double(beta1)) * gradient
        reference[i].v = Double(beta2) * reference[i].v + (1 - Double(beta2)) * gradient * gradient
        reference[i].magnitude = Double(beta1) * reference[i].magnitude + (1 - Double(beta1)) * abs(gradient)
        let root = (reference[i].v / Double(correction2)).squareRoot() + Double(eps)
        let change = Double(lr) * reference[i].m / Double(correction1) / root
        reference[i].p = reference[i].p * (1 - Double(lr) * Double(weightDecay)) - change
        reference[i].moved += Double(lr) * reference[i].magnitude / Double(correction1) / root
        let expected = reference[i]
        let steps = Double(step)
        if !(abs(Double(m[i]) - expected.m) <= (3 * steps + 3) * unit * expected.magnitude) { failures.append("m \(i)") }
        if !(abs(Double(v[i]) - expected.v) <= (3 * steps + 3) * unit * expected.v) { failures.append("v \(i)") }
        if !(abs(Double(p[i]) - expected.p) <= (3 * steps) * unit * (1 + expected.moved) + 100 * unit * expected.moved) {
          failures.append("p \(i)")
        }
      }
      #expect(failures.isEmpty, "step \(step)")
    }
    #expect((p.suffix(8) + m.suffix(8) + v.suffix(8)).allSatisfy { $0 == untouched })
  }

  @Test("AdamW touches [0, count) only, with the bits of a longer array")
  func adamwCounts() {
    var random = TestRandom(32)
    let g = random.values(48)
    let start = random.values(48)
    func results(_ count: Int) -> [[Float]] {
      var p = start
      var m = start
      var v = start.map { $0 * $0 }
      ck_adamw(&p, &m, &v, g, Int64(count), 1, 1e-3, 0.9, 0.999, 1e-5, 0.01, 0.1, 0.001)
      return [p, m, v]
    }
    let whole = results(48)
    let none = results(0)
    #expect(none == [start, start, start.map { $0 * $0 }])
    for count in 0...48 {
      for ((part, all), old) in zip(zip(results(count), whole), none) {
        #expect(part[..<count] == all[..<count], "\(count) elements")
        #expect(part[count...] == old[count...], "\(count) elements")
      }
    }
  }

  @Test("the sum of squares is a double precision sum and 0 of nothing")
  func sumSquares() {
    var random = TestRandom(33)
    #expect(ck_sum_squares([1], 0) == 0)
    for count in Array(1...70) + [1000, 4099] {
      // NaN behind the end must not be read.
      let x = random.values(count, scale: 100) + [Float](repeating: .nan, count: 8)
      let exact = x[..<count].reduce(0) { $0 + Double($1) * Double($1) }
      #expect(abs(ck_sum_squares(x, Int64(count)) - exact) <= Double(count) * 0x1p-52 * exact, "\(count) elements")
    }
    #expect(ck_sum_squares([3e38, 3e38], 2).isFinite)
  }
}

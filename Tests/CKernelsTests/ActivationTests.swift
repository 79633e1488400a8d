import CKernels
import Glibc
import Testing

typealias VectorKernel = @Sendable (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int64) -> Void

/// A kernel over arrays, its scalar form and its double precision reference.
struct VectorFunction: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let array: VectorKernel
  let scalar: @Sendable (Float) -> Float
  let reference: @Sendable (Double) -> Double
  /// Largest documented error in units in the last place.
  let bound: Double

  static let all: [VectorFunction] = [
    VectorFunction(testDescription: "exp", array: ck_exp_f32, scalar: ck_expf, reference: { Glibc.exp($0) }, bound: 1.1),
    VectorFunction(testDescription: "log", array: ck_log_f32, scalar: ck_logf, reference: { Glibc.log($0) }, bound: 0.9),
    VectorFunction(testDescription: "tanh", array: ck_tanh_f32, scalar: ck_tanhf, reference: { Glibc.tanh($0) }, bound: 2.8),
    VectorFunction(
      testDescription: "sigmoid", array: ck_sigmoid_f32, scalar: ck_sigmoidf, reference: { 1 / (1 + Glibc.exp(-$0)) }, bound: 2.5),
    VectorFunction(testDescription: "erf", array: ck_erf_f32, scalar: ck_erff, reference: { Glibc.erf($0) }, bound: 2.5),
  ]

  func callAsFunction(_ x: [Float]) -> [Float] {
    var y = [Float](repeating: untouched, count: x.count + 16)
    array(&y, x, Int64(x.count))
    return y
  }
}

func phi(_ x: Double) -> Double { 0.5 * erfc(-x * 0.5.squareRoot()) }

@Suite("vector functions and activations")
struct ActivationTests {
  @Test("array and scalar forms have the same bits, and nothing past the count is written", arguments: VectorFunction.all)
  func arrayIsScalar(function: VectorFunction) {
    var random = TestRandom(11)
    for count in 0...70 {
      let x = random.values(count, scale: 6)
      let y = function(x)
      #expect((0..<count).allSatisfy { y[$0].bitPattern == function.scalar(x[$0]).bitPattern }, "\(count) elements")
      #expect(y[count...].allSatisfy { $0 == untouched }, "\(count) elements")
    }
  }

  @Test("special values come out as in the reference", arguments: VectorFunction.all)
  func specialValues(function: VectorFunction) {
    let y = function(specialFloats)
    for (x, result) in zip(specialFloats, y) {
      let exact = function.reference(Double(x))
      let rounded = Float(exact)
      if exact.isNaN {
        #expect(result.isNaN, "\(x)")
      } else if rounded.isInfinite || rounded == 0 {
        #expect(result == rounded && result.sign == rounded.sign, "\(x)")
      } else {
        #expect(abs(Double(result) - exact) <= function.bound * Double(rounded.ulp), "\(x)")
      }
    }
  }

  @Test("the tanh layer is the vector function")
  func tanhForward() {
    var random = TestRandom(12)
    let x = random.values(77, scale: 4)
    var y = [Float](repeating: untouched, count: 80)
    ck_tanh_forward(&y, x, 77)
    #expect(Array(y[..<77]) == x.map(ck_tanhf))
    #expect(y[77...].allSatisfy { $0 == untouched })
  }

  @Test("gelu agrees with double precision")
  func geluForward() {
    let x = (0..<4000).map { Float($0 - 2000) * 0.0071 }
    var y = x
    ck_gelu_forward(&y, x, 4000)
    for i in x.indices {
      let exact = Double(x[i]) * phi(Double(x[i]))
      #expect(abs(Double(y[i]) - exact) <= 2.5e-7 * Double(abs(x[i])), "x = \(x[i])")
    }
  }

  @Test("gradients of gelu and tanh agree with central differences of the double reference")
  func gradients() {
    var random = TestRandom(13)
    let x = random.values(4000, scale: 7)
    let dy = random.values(4000)
    var ofGelu = x
    ck_gelu_backward(&ofGelu, dy, x, 4000)
    var y = x
    ck_tanh_forward(&y, x, 4000)
    var ofTanh = x
    ck_tanh_backward(&ofTanh, dy, y, 4000)
    let step = 1e-5
    for i in x.indices {
      let at = Double(x[i])
      let slopeOfGelu = ((at + step) * phi(at + step) - (at - step) * phi(at - step)) / (2 * step)
      #expect(abs(Double(ofGelu[i]) - Double(dy[i]) * slopeOfGelu) <= 5e-7 * Double(abs(dy[i])), "gelu at \(at)")
      let slopeOfTanh = (Glibc.tanh(at + step) - Glibc.tanh(at - step)) / (2 * step)
      #expect(abs(Double(ofTanh[i]) - Double(dy[i]) * slopeOfTanh) <= 6e-7 * Double(abs(dy[i])), "tanh at \(at)")
    }
  }

  @Test("activations write exactly the elements they are asked for, with the bits of a longer array")
  func activationCounts() {
    var random = TestRandom(14)
    let x = random.values(48, scale: 3)
    let dy = random.values(48)
    func results(_ count: Int64) -> [[Float]] {
      var forward = [Float](repeating: untouched, count: 56)
      var geluSlope = forward
      var tanhSlope = forward
      ck_gelu_forward(&forward, x, count)
      ck_gelu_backward(&geluSlope, dy, x, count)
      ck_tanh_backward(&tanhSlope, dy, x, count)
      return [forward, geluSlope, tanhSlope]
    }
    let whole = results(48)
    for count in 0...40 {
      for (part, all) in zip(results(Int64(count)), whole) {
        #expect(part[..<count] == all[..<count], "\(count) elements")
        #expect(part[count...].allSatisfy { $0 == untouched }, "\(count) elements")
      }
    }
  }
}

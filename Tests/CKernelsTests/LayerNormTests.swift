import CKernels
import Testing

/// A layer normalisation with everything its backward needs.
struct LayerNorm {
  let x: Matrix
  let gain: [Float]
  let shift: [Float]
  let relu: Bool
  let eps: Float = 1e-5
  var y: Matrix
  var mean: [Float]
  var rstd: [Float]

  init(rows: Int, n: Int, relu: Bool, seed: UInt64) {
    var random = TestRandom(seed)
    var x = Matrix(rows: rows, columns: n, extra: rows % 3, random: &random)
    for r in 0..<rows {
      for c in 0..<n { x[r, c] += 0.5 * Float(r % 4) }
    }
    self.init(x: x, gain: paddedVector(n, &random, offset: 1.5), shift: paddedVector(n, &random), relu: relu)
  }

  init(x: Matrix, gain: [Float], shift: [Float], relu: Bool) {
    self.x = x
    self.gain = gain
    self.shift = shift
    self.relu = relu
    y = Matrix(rows: x.rows, columns: x.columns, extra: 1)
    mean = [Float](repeating: untouched, count: x.rows + 1)
    rstd = mean
    ck_layernorm_forward(
      &y.values, Int64(y.stride), &mean, &rstd, x.values, Int64(x.stride), gain, shift, Int64(x.rows), Int64(x.columns), eps, relu ? 1 : 0)
  }

  func backward(_ dy: Matrix, dgain: inout [Float], dshift: inout [Float]) -> Matrix {
    var dx = Matrix(rows: x.rows, columns: x.columns, extra: 2)
    ck_layernorm_backward(
      &dx.values, Int64(dx.stride), &dgain, &dshift, dy.values, Int64(dy.stride), y.values, Int64(y.stride), x.values, Int64(x.stride),
      mean, rstd, gain, Int64(x.rows), Int64(x.columns), relu ? 1 : 0)
    return dx
  }

  /// Before the clamp, in double precision.
  static func reference(_ row: [Double], gain: [Double], shift: [Double], eps: Double) -> (y: [Double], mean: Double, rstd: Double) {
    let n = Double(row.count)
    let mean = row.reduce(0, +) / n
    let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
    let rstd = 1 / (variance + eps).squareRoot()
    return (row.indices.map { (row[$0] - mean) * rstd * gain[$0] + shift[$0] }, mean, rstd)
  }
}

@Suite("layer normalisation")
struct LayerNormTests {
  static let widths = [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 24, 25, 31, 48, 100, 130]

  @Test("forward agrees with double precision", arguments: widths, [false, true])
  func forwardAgrees(n: Int, relu: Bool) {
    for rows in rowCounts {
      let layer = LayerNorm(rows: rows, n: n, relu: relu, seed: UInt64(n))
      let gain = layer.gain.prefix(n).map(Double.init)
      let shift = layer.shift.prefix(n).map(Double.init)
      let references = (0..<rows).map { r in
        LayerNorm.reference((0..<n).map { Double(layer.x[r, $0]) }, gain: gain, shift: shift, eps: Double(layer.eps))
      }
      // Each lane sums n / 8 terms; the error of the mean is magnified by 1 / std.
      let steps = Double(n / 8 + 12) * unit
      let mismatch = firstMismatch(layer.y) { r, c in
        let largest = (0..<n).map { Double(abs(layer.x[r, $0])) }.max() ?? 0
        let normal = abs(references[r].y[c] - shift[c])
        return steps * (gain[c] * references[r].rstd * largest + 2 * normal + abs(shift[c]))
      } _: { r, c in
        relu ? max(references[r].y[c], 0) : references[r].y[c]
      }
      #expect(mismatch == nil, "\(rows) rows")
      for r in 0..<rows {
        let largest = (0..<n).map { Double(abs(layer.x[r, $0])) }.max() ?? 0
        #expect(abs(Double(layer.mean[r]) - references[r].mean) <= steps * largest)
        #expect(abs(Double(layer.rstd[r]) / references[r].rstd - 1) <= steps * (1 + largest * references[r].rstd))
      }
      #expect(layer.mean[rows] == untouched && layer.rstd[rows] == untouched)
      #expect(layer.y.paddingIsClean)
    }
  }

  @Test("gradients agree with central differences of the double reference", arguments: widths, [false, true])
  func gradientsAgree(n: Int, relu: Bool) {
    let rows = 5
    let layer = LayerNorm(rows: rows, n: n, relu: relu, seed: 100 + UInt64(n))
    var random = TestRandom(8)
    let dy = Matrix(rows: rows, columns: n, extra: 1, random: &random)
    let before = paddedVector(n, &random)
    var dgain = before
    var dshift = before
    let dx = layer.backward(dy, dgain: &dgain, dshift: &dshift)
    #expect(dx.paddingIsClean)
    #expect(dgain[n...].allSatisfy { $0.bitPattern == 0 } && dshift[n...].allSatisfy { $0.bitPattern == 0 })

    let gain = layer.gain.prefix(n).map(Double.init)
    let shift = layer.shift.prefix(n).map(Double.init)
    // The clamp is held where the kernel saw it, so the loss is smooth.
    func loss(_ r: Int, _ row: [Double], _ gain: [Double], _ shift: [Double]) -> Double {
      let y = LayerNorm.reference(row, gain: gain, shift: shift, eps: Double(layer.eps)).y
      return (0..<n).reduce(0) { !relu || layer.y[r, $1] > 0 ? $0 + Double(dy[r, $1]) * y[$1] : $0 }
    }
    let step = 1e-6
    var slopesOfGain = before.prefix(n).map(Double.init)
    var slopesOfShift = slopesOfGain
    for r in 0..<rows {
      let row = (0..<n).map { Double(layer.x[r, $0]) }
      let forward = LayerNorm.reference(row, gain: gain, shift: shift, eps: Double(layer.eps))
      let largest = row.map(abs).max() ?? 0
      let tolerance = Double(n / 8 + 30) * 4 * unit * forward.rstd * (1 + largest * forward.rstd) * 2.5 + 1e-8 * forward.rstd * forward.rstd
      for c in 0..<n {
        func slope(_ moved: (Double) -> Double) -> Double { (moved(step) - moved(-step)) / (2 * step) }
        let slopeOfInput = slope {
          var other = row
          other[c] += $0
          return loss(r, other, gain, shift)
        }
        #expect(abs(Double(dx[r, c]) - slopeOfInput) <= tolerance, "row \(r) column \(c)")
        slopesOfGain[c] += slope {
          var other = gain
          other[c] += $0
          return loss(r, row, other, shift)
        }
        slopesOfShift[c] += slope {
          var other = shift
          other[c] += $0
          return loss(r, row, gain, other)
        }
      }
    }
    for c in 0..<n {
      #expect(abs(Double(dgain[c]) - slopesOfGain[c]) <= 2e-5, "gain \(c)")
      #expect(abs(Double(dshift[c]) - slopesOfShift[c]) <= 2e-5, "shift \(c)")
    }
  }

  @Test("a row has the same bits in every batch")
  func rowInvariance() {
    var random = TestRandom(9)
    let whole = LayerNorm(rows: 70, n: 37, relu: true, seed: 9)
    let dy = Matrix(rows: 70, columns: 37, random: &random)
    var dgain = [Float](repeating: 0, count: 48)
    var dshift = dgain
    let dx = whole.backward(dy, dgain: &dgain, dshift: &dshift)
    for batch in 1...70 {
      let part = LayerNorm(x: whole.x.slice(70 - batch..<70), gain: whole.gain, shift: whole.shift, relu: true)
      let partDx = part.backward(dy.slice(70 - batch..<70), dgain: &dgain, dshift: &dshift)
      let same = (0..<batch).allSatisfy {
        part.y.rowBits($0) == whole.y.rowBits(70 - batch + $0) && partDx.rowBits($0) == dx.rowBits(70 - batch + $0)
      }
      #expect(same, "batch \(batch)")
    }
  }

  @Test("a constant row becomes the shift")
  func constantRow() {
    var x = Matrix(rows: 1, columns: 20)
    for c in 0..<20 { x[0, c] = 3 }
    var random = TestRandom(10)
    let layer = LayerNorm(x: x, gain: paddedVector(20, &random), shift: paddedVector(20, &random), relu: false)
    #expect((0..<20).allSatisfy { layer.y[0, $0] == layer.shift[$0] })
  }
}

import CKernels
import Testing

/// Extents of a linear layer. Odd ones on purpose; 257 and 300 outputs cross the block of the input gradient.
struct LinearShape: CustomTestStringConvertible {
  let inputs: Int
  let outputs: Int
  var testDescription: String { "\(inputs) -> \(outputs)" }

  static let all: [LinearShape] = [
    (1, 1), (3, 5), (7, 16), (16, 17), (31, 33), (5, 70), (40, 15), (64, 48), (13, 257), (50, 300), (212, 36), (2, 130),
  ].map { LinearShape(inputs: $0.0, outputs: $0.1) }
}

let rowCounts = Array(1...20) + [64]

func forward(_ x: Matrix, _ w: Panels, bias: [Float]?, extra: Int) -> Matrix {
  var y = Matrix(rows: x.rows, columns: w.outputs, extra: extra)
  ck_linear_forward(
    &y.values, Int64(y.stride), x.values, Int64(x.stride), w.values, bias, Int64(x.rows), Int64(w.inputs), Int64(w.outputs))
  return y
}

func inputGradient(_ dy: Matrix, _ w: Panels, into old: Matrix?, extra: Int) -> Matrix {
  var dx = old ?? Matrix(rows: dy.rows, columns: w.inputs, extra: extra)
  ck_linear_input_gradient(
    &dx.values, Int64(dx.stride), dy.values, Int64(dy.stride), w.values, Int64(dy.rows), Int64(w.inputs), Int64(w.outputs),
    old == nil ? 0 : 1)
  return dx
}

func weightGradient(_ x: Matrix, _ dy: Matrix, dw: inout Panels, db: inout [Float], accumulate: Bool) {
  ck_linear_weight_gradient(
    &dw.values, &db, x.values, Int64(x.stride), dy.values, Int64(dy.stride), Int64(x.rows), Int64(x.columns), Int64(dy.columns),
    accumulate ? 1 : 0)
}

/// A matrix to accumulate into: real columns random, padding 0, the rest `untouched`.
func oldValues(rows: Int, columns: Int, extra: Int, random: inout TestRandom) -> Matrix {
  var result = Matrix(rows: rows, columns: columns, extra: extra)
  for r in 0..<rows {
    for c in 0..<padded(columns) { result[r, c] = c < columns ? random.value() : 0 }
  }
  return result
}

/// Two references each: double precision with the bound of a chain of n fused multiply-adds, n 2^-24 times the sum of magnitudes, and the
/// chain itself in `Float`, whose bits the kernel promises.
@Suite("linear layer")
struct LinearTests {
  @Test("forward is the documented chain and within its bound", arguments: LinearShape.all, [false, true])
  func forwardAgrees(shape: LinearShape, withBias: Bool) {
    var random = TestRandom(1)
    for rows in rowCounts {
      let x = Matrix(rows: rows, columns: shape.inputs, extra: rows % 3, random: &random)
      let w = Panels(inputs: shape.inputs, outputs: shape.outputs, random: &random)
      let bias = withBias ? paddedVector(shape.outputs, &random) : nil
      let y = forward(x, w, bias: bias, extra: rows % 2)
      var chainIsExact = true
      let mismatch = firstMismatch(y) { r, o in
        var magnitude = Double(abs(bias?[o] ?? 0))
        for i in 0..<shape.inputs { magnitude += Double(abs(x[r, i] * w[o, i])) }
        return Double(shape.inputs + 1) * unit * magnitude * 1.001
      } _: { r, o in
        var sum = Double(bias?[o] ?? 0)
        var chain = bias?[o] ?? 0
        for i in 0..<shape.inputs {
          sum += Double(x[r, i]) * Double(w[o, i])
          chain = chain.addingProduct(x[r, i], w[o, i])
        }
        if chain.bitPattern != y[r, o].bitPattern { chainIsExact = false }
        return sum
      }
      #expect(mismatch == nil, "\(rows) rows")
      #expect(chainIsExact, "\(rows) rows")
      #expect(y.paddingIsClean, "\(rows) rows")
    }
  }

  @Test("the input gradient is the documented chain and within its bound", arguments: LinearShape.all, [false, true])
  func inputGradientAgrees(shape: LinearShape, accumulate: Bool) {
    var random = TestRandom(2)
    for rows in rowCounts {
      let dy = Matrix(rows: rows, columns: shape.outputs, extra: rows % 3, random: &random)
      let w = Panels(inputs: shape.inputs, outputs: shape.outputs, random: &random)
      let extra = rows % 2
      let old = accumulate ? oldValues(rows: rows, columns: shape.inputs, extra: extra, random: &random) : nil
      let dx = inputGradient(dy, w, into: old, extra: extra)
      var chainIsExact = true
      let mismatch = firstMismatch(dx) { r, i in
        var magnitude = Double(abs(old?[r, i] ?? 0))
        for o in 0..<shape.outputs { magnitude += Double(abs(dy[r, o] * w[o, i])) }
        return Double(shape.outputs + 1) * unit * magnitude * 1.001
      } _: { r, i in
        var sum = Double(old?[r, i] ?? 0)
        var chain = old?[r, i] ?? 0
        for o in 0..<shape.outputs {
          sum += Double(dy[r, o]) * Double(w[o, i])
          chain = chain.addingProduct(dy[r, o], w[o, i])
        }
        if chain.bitPattern != dx[r, i].bitPattern { chainIsExact = false }
        return sum
      }
      #expect(mismatch == nil, "\(rows) rows")
      #expect(chainIsExact, "\(rows) rows")
      #expect(dx.paddingIsClean, "\(rows) rows")
    }
  }

  @Test("the weight gradient is the documented chain and keeps its padding zero", arguments: LinearShape.all, [false, true])
  func weightGradientAgrees(shape: LinearShape, accumulate: Bool) {
    var random = TestRandom(3)
    for rows in rowCounts {
      let x = Matrix(rows: rows, columns: shape.inputs, extra: rows % 3, random: &random)
      let dy = Matrix(rows: rows, columns: shape.outputs, extra: rows % 2, random: &random)
      var oldWeights = Panels(inputs: shape.inputs, outputs: shape.outputs, random: &random)
      var oldBias = paddedVector(shape.outputs, &random) + [Float](repeating: untouched, count: 16)
      if !accumulate {
        oldWeights = Panels(inputs: shape.inputs, outputs: shape.outputs, fill: untouched)
        oldBias = [Float](repeating: untouched, count: oldBias.count)
      }
      var dw = oldWeights
      var db = oldBias
      weightGradient(x, dy, dw: &dw, db: &db, accumulate: accumulate)
      var failures: [String] = []
      for o in 0..<shape.outputs {
        for i in 0...shape.inputs {
          // The bias is the weight of an input that is always 1.
          let isBias = i == shape.inputs
          let start: Float = accumulate ? (isBias ? oldBias[o] : oldWeights[o, i]) : 0
          let actual = isBias ? db[o] : dw[o, i]
          var sum = Double(start)
          var magnitude = abs(sum)
          var chain = start
          for r in 0..<rows {
            let factor = isBias ? 1 : x[r, i]
            sum += Double(factor) * Double(dy[r, o])
            magnitude += Double(abs(factor * dy[r, o]))
            chain = chain.addingProduct(factor, dy[r, o])
          }
          let bound = Double(rows + 1) * unit * magnitude * 1.001
          if !(abs(Double(actual) - sum) <= bound) || chain.bitPattern != actual.bitPattern { failures.append("(\(o), \(i))") }
        }
      }
      #expect(failures.isEmpty, "\(rows) rows")
      #expect(dw.paddingIsClean, "\(rows) rows")
      #expect(db[shape.outputs..<padded(shape.outputs)].allSatisfy { $0.bitPattern == 0 }, "\(rows) rows")
      #expect(db.suffix(16).allSatisfy { $0 == untouched }, "\(rows) rows")
    }
  }

  @Test("a row of the forward product has the same bits in every batch", arguments: LinearShape.all)
  func forwardRowInvariance(shape: LinearShape) {
    var random = TestRandom(4)
    let x = Matrix(rows: 70, columns: shape.inputs, random: &random)
    let w = Panels(inputs: shape.inputs, outputs: shape.outputs, random: &random)
    let bias = paddedVector(shape.outputs, &random)
    let whole = forward(x, w, bias: bias, extra: 0)
    let expected = (0..<70).map { whole.rowBits($0) }
    for batch in 1...70 {
      for first in Set([0, 70 - batch]) {
        let part = forward(x.slice(first..<first + batch), w, bias: bias, extra: 1)
        #expect((0..<batch).allSatisfy { part.rowBits($0) == expected[first + $0] }, "batch \(batch) from row \(first)")
      }
    }
  }

  @Test("a row of the input gradient has the same bits in every batch", arguments: LinearShape.all)
  func inputGradientRowInvariance(shape: LinearShape) {
    var random = TestRandom(5)
    let dy = Matrix(rows: 70, columns: shape.outputs, random: &random)
    let w = Panels(inputs: shape.inputs, outputs: shape.outputs, random: &random)
    let whole = inputGradient(dy, w, into: nil, extra: 0)
    let expected = (0..<70).map { whole.rowBits($0) }
    for batch in 1...70 {
      for first in Set([0, 70 - batch]) {
        let part = inputGradient(dy.slice(first..<first + batch), w, into: nil, extra: 1)
        #expect((0..<batch).allSatisfy { part.rowBits($0) == expected[first + $0] }, "batch \(batch) from row \(first)")
      }
    }
  }

  @Test("a weight gradient over two halves equals the one over all rows")
  func weightGradientAccumulatesInRowOrder() {
    var random = TestRandom(6)
    let x = Matrix(rows: 23, columns: 19, random: &random)
    let dy = Matrix(rows: 23, columns: 37, random: &random)
    var whole = Panels(inputs: 19, outputs: 37, fill: 0)
    var wholeBias = [Float](repeating: 0, count: 48)
    weightGradient(x, dy, dw: &whole, db: &wholeBias, accumulate: false)
    for cut in 1..<23 {
      var parts = Panels(inputs: 19, outputs: 37, fill: 0)
      var partsBias = [Float](repeating: 0, count: 48)
      weightGradient(x.slice(0..<cut), dy.slice(0..<cut), dw: &parts, db: &partsBias, accumulate: false)
      weightGradient(x.slice(cut..<23), dy.slice(cut..<23), dw: &parts, db: &partsBias, accumulate: true)
      #expect(parts.values == whole.values, "cut at \(cut)")
      #expect(partsBias == wholeBias, "cut at \(cut)")
    }
  }

  @Test("no rows: nothing is written but a fresh weight gradient of zero")
  func noRows() {
    var random = TestRandom(7)
    let w = Panels(inputs: 5, outputs: 21, random: &random)
    let none = Matrix(rows: 0, columns: 21)
    #expect(inputGradient(none, w, into: nil, extra: 0).paddingIsClean)
    #expect(forward(Matrix(rows: 0, columns: 5), w, bias: nil, extra: 0).paddingIsClean)
    var dw = w
    var db = [Float](repeating: 1, count: 32)
    weightGradient(Matrix(rows: 0, columns: 5), none, dw: &dw, db: &db, accumulate: true)
    #expect(dw.values == w.values)
    #expect(db.allSatisfy { $0 == 1 })
    weightGradient(Matrix(rows: 0, columns: 5), none, dw: &dw, db: &db, accumulate: false)
    #expect(dw.values.dropLast(16).allSatisfy { $0 == 0 })
    #expect(db.allSatisfy { $0 == 0 })
  }
}

import CKernels
import Glibc
import Testing

/// One step of the unit and what its backward needs.
struct GRUStep {
  let gi: Matrix
  let gh: Matrix
  let h: Matrix
  var next: Matrix
  var gates: Matrix

  init(rows: Int, hidden: Int, seed: UInt64) {
    var random = TestRandom(seed)
    self.init(
      gi: Matrix(rows: rows, columns: 3 * hidden, extra: rows % 2, random: &random, scale: 3),
      gh: Matrix(rows: rows, columns: 3 * hidden, extra: rows % 3, random: &random, scale: 3),
      h: Matrix(rows: rows, columns: hidden, extra: 1, random: &random))
  }

  init(gi: Matrix, gh: Matrix, h: Matrix) {
    self.gi = gi
    self.gh = gh
    self.h = h
    next = Matrix(rows: h.rows, columns: h.columns, extra: 2)
    gates = Matrix(rows: h.rows, columns: 4 * h.columns, extra: 1)
    ck_gru_forward(
      &next.values, Int64(next.stride), &gates.values, Int64(gates.stride), gi.values, Int64(gi.stride), gh.values, Int64(gh.stride),
      h.values, Int64(h.stride), Int64(h.rows), Int64(h.columns))
  }

  func backward(_ dNext: Matrix, withState: Bool = true) -> (dgi: Matrix, dgh: Matrix, dh: Matrix) {
    var dgi = Matrix(rows: h.rows, columns: 3 * h.columns, extra: 1)
    var dgh = Matrix(rows: h.rows, columns: 3 * h.columns)
    var dh = Matrix(rows: h.rows, columns: h.columns, extra: 1)
    if withState {
      ck_gru_backward(
        &dgi.values, Int64(dgi.stride), &dgh.values, Int64(dgh.stride), &dh.values, Int64(dh.stride), dNext.values, Int64(dNext.stride),
        gates.values, Int64(gates.stride), h.values, Int64(h.stride), Int64(h.rows), Int64(h.columns))
    } else {
      ck_gru_backward(
        &dgi.values, Int64(dgi.stride), &dgh.values, Int64(dgh.stride), nil, 0, dNext.values, Int64(dNext.stride),
        gates.values, Int64(gates.stride), h.values, Int64(h.stride), Int64(h.rows), Int64(h.columns))
    }
    return (dgi, dgh, dh)
  }

  /// r, u, n and h' of one element from its seven inputs: gi of r, u, n, then gh of r, u, n, then h.
  static func reference(_ v: [Double]) -> (r: Double, u: Double, n: Double, next: Double) {
    let r = 1 / (1 + exp(-(v[0] + v[3])))
    let u = 1 / (1 + exp(-(v[1] + v[4])))
    let n = tanh(v[2] + r * v[5])
    return (r, u, n, (1 - u) * n + u * v[6])
  }

  func inputs(_ row: Int, _ i: Int) -> [Double] {
    let hidden = h.columns
    return (0..<3).map { Double(gi[row, $0 * hidden + i]) } + (0..<3).map { Double(gh[row, $0 * hidden + i]) } + [Double(h[row, i])]
  }
}

@Suite("gated recurrent unit")
struct GRUTests {
  @Test("forward agrees with double precision", arguments: [16, 32, 48, 112])
  func forwardAgrees(hidden: Int) {
    for rows in rowCounts {
      let step = GRUStep(rows: rows, hidden: hidden, seed: UInt64(hidden + rows))
      #expect(step.next.paddingIsClean && step.gates.paddingIsClean)
      let mismatch = firstMismatch(step.next, bound: { _, _ in 1.5e-6 }) { GRUStep.reference(step.inputs($0, $1)).next }
      #expect(mismatch == nil, "\(rows) rows")
      let ofGates = firstMismatch(step.gates, bound: { _, _ in 1.5e-6 }) { r, c in
        let values = step.inputs(r, c % hidden)
        let reference = GRUStep.reference(values)
        return [reference.r, reference.u, reference.n, values[5]][c / hidden]
      }
      #expect(ofGates == nil, "\(rows) rows")
    }
  }

  @Test("gradients agree with central differences of the double reference", arguments: [16, 48])
  func gradientsAgree(hidden: Int) {
    let step = GRUStep(rows: 7, hidden: hidden, seed: 21)
    var random = TestRandom(22)
    let dNext = Matrix(rows: 7, columns: hidden, extra: 1, random: &random)
    let (dgi, dgh, dh) = step.backward(dNext)
    #expect(dgi.paddingIsClean && dgh.paddingIsClean && dh.paddingIsClean)
    let delta = 1e-5
    for r in 0..<7 {
      for i in 0..<hidden {
        let values = step.inputs(r, i)
        let actual = (0..<3).map { dgi[r, $0 * hidden + i] } + (0..<3).map { dgh[r, $0 * hidden + i] } + [dh[r, i]]
        for k in 0..<7 {
          var above = values
          var below = values
          above[k] += delta
          below[k] -= delta
          let slope = (GRUStep.reference(above).next - GRUStep.reference(below).next) / (2 * delta) * Double(dNext[r, i])
          #expect(abs(Double(actual[k]) - slope) <= 3e-6, "row \(r), unit \(i), input \(k)")
        }
      }
    }
  }

  @Test("without a state gradient the others keep their bits")
  func nullStateGradient() {
    let step = GRUStep(rows: 3, hidden: 32, seed: 23)
    var random = TestRandom(24)
    let dNext = Matrix(rows: 3, columns: 32, random: &random)
    let with = step.backward(dNext)
    let without = step.backward(dNext, withState: false)
    #expect(with.dgi.bits == without.dgi.bits)
    #expect(with.dgh.bits == without.dgh.bits)
    #expect(without.dh.values.allSatisfy { $0 == untouched })
  }

  @Test("a row has the same bits in every batch")
  func rowInvariance() {
    let whole = GRUStep(rows: 70, hidden: 16, seed: 25)
    var random = TestRandom(26)
    let dNext = Matrix(rows: 70, columns: 16, random: &random)
    let gradients = whole.backward(dNext)
    for batch in 1...70 {
      let range = 70 - batch..<70
      let part = GRUStep(gi: whole.gi.slice(range), gh: whole.gh.slice(range), h: whole.h.slice(range))
      let partGradients = part.backward(dNext.slice(range))
      let same = (0..<batch).allSatisfy { r in
        let there = range.lowerBound + r
        return part.next.rowBits(r) == whole.next.rowBits(there) && part.gates.rowBits(r) == whole.gates.rowBits(there)
          && partGradients.dgi.rowBits(r) == gradients.dgi.rowBits(there) && partGradients.dgh.rowBits(r) == gradients.dgh.rowBits(there)
          && partGradients.dh.rowBits(r) == gradients.dh.rowBits(there)
      }
      #expect(same, "batch \(batch)")
    }
  }
}

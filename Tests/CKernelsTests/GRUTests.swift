import CKernels
import Testing

/// One step of the recurrent unit with its operands.
private struct Cell {
  let rows: Int, hidden: Int
  let gi: Rows, gh: Rows, h: Rows, next: Rows, gates: Rows
  let dNext: Rows, dgi: Rows, dgh: Rows, dh: Rows

  init(rows: Int, hidden: Int, extraStride: Int = 0, seed: UInt64 = 1) {
    var random = TestRandom(seed)
    func make(_ columns: Int, _ scale: Float) -> Rows {
      Rows(rows, columns, stride: columns + extraStride).fill { _, _ in scale * random.float() }
    }
    self.rows = rows
    self.hidden = hidden
    gi = make(3 * hidden, 3)
    gh = make(3 * hidden, 3)
    h = make(hidden, 1)
    dNext = make(hidden, 1)
    next = make(hidden, 0)
    gates = make(4 * hidden, 0)
    dgi = make(3 * hidden, 0)
    dgh = make(3 * hidden, 0)
    dh = make(hidden, 0)
  }

  func forward(_ form: KernelForm, from first: Int = 0, rows count: Int? = nil) {
    form.table.gru_forward(
      next.pointer + first * next.stride, next.span, gates.pointer + first * gates.stride, gates.span, gi.pointer + first * gi.stride,
      gi.span,
      gh.pointer + first * gh.stride, gh.span, h.pointer + first * h.stride, h.span, Int64(count ?? rows), Int64(hidden))
  }

  func backward(_ form: KernelForm, withState: Bool = true) {
    form.table.gru_backward(
      dgi.pointer, dgi.span, dgh.pointer, dgh.span, withState ? dh.pointer : nil, dh.span, dNext.pointer, dNext.span, gates.pointer,
      gates.span,
      h.pointer, h.span, Int64(rows), Int64(hidden))
  }

  /// h' of one element in double precision from its three inputs, three recurrent inputs and h.
  static func reference(_ gi: [Double], _ gh: [Double], _ h: Double) -> Double {
    let reset = 1 / (1 + referenceExp(-(gi[0] + gh[0])))
    let update = 1 / (1 + referenceExp(-(gi[1] + gh[1])))
    let candidate = referenceTanh(gi[2] + reset * gh[2])
    return (1 - update) * candidate + update * h
  }
}

@Suite("Gated recurrent unit")
struct GRUTests {
  private static let shapes: [(Int, Int)] = [(1, 16), (1, 128), (3, 32), (8, 48)]

  @Test("the state and its gradients agree with double precision", arguments: KernelForm.all)
  func agrees(form: KernelForm) {
    for (rows, hidden) in GRUTests.shapes {
      let cell = Cell(rows: rows, hidden: hidden, extraStride: 16)
      cell.forward(form)
      cell.backward(form)
      for row in 0..<rows {
        for i in 0..<hidden {
          let inputs = (0..<3).map { Double(cell.gi[row, $0 * hidden + i]) }
          let recurrent = (0..<3).map { Double(cell.gh[row, $0 * hidden + i]) }
          let h = Double(cell.h[row, i])
          let incoming = Double(cell.dNext[row, i])
          #expect(abs(Double(cell.next[row, i]) - Cell.reference(inputs, recurrent, h)) <= 1e-6)
          let step = 1e-6
          for gate in 0..<3 {
            var up = inputs
            var down = inputs
            up[gate] += step
            down[gate] -= step
            let slope = (Cell.reference(up, recurrent, h) - Cell.reference(down, recurrent, h)) / (2 * step) * incoming
            #expect(abs(Double(cell.dgi[row, gate * hidden + i]) - slope) <= 2e-6)
            up = recurrent
            down = recurrent
            up[gate] += step
            down[gate] -= step
            let other = (Cell.reference(inputs, up, h) - Cell.reference(inputs, down, h)) / (2 * step) * incoming
            #expect(abs(Double(cell.dgh[row, gate * hidden + i]) - other) <= 2e-6)
          }
          let along = (Cell.reference(inputs, recurrent, h + step) - Cell.reference(inputs, recurrent, h - step)) / (2 * step) * incoming
          #expect(abs(Double(cell.dh[row, i]) - along) <= 2e-6)
        }
      }
      #expect([cell.next, cell.gates, cell.dgi, cell.dgh, cell.dh].allSatisfy { $0.guardsAreIntact })
    }
  }

  @Test("both forms give the same bits, and a row the same bits in every batch")
  func sameBitsEverywhere() {
    let whole = Cell(rows: 40, hidden: 48)
    let portable = Cell(rows: 40, hidden: 48)
    let single = Cell(rows: 40, hidden: 48)
    whole.forward(KernelForm(portable: false))
    whole.backward(KernelForm(portable: false))
    portable.forward(KernelForm(portable: true))
    portable.backward(KernelForm(portable: true))
    for row in 0..<40 { single.forward(KernelForm(portable: false), from: row, rows: 1) }
    for (a, b) in [
      (whole.next, portable.next), (whole.gates, portable.gates), (whole.dgi, portable.dgi), (whole.dgh, portable.dgh),
      (whole.dh, portable.dh), (whole.next, single.next), (whole.gates, single.gates),
    ] {
      #expect(a.hasSameBits(as: b))
    }
  }

  @Test("without a buffer for it the gradient of the state is left out and nothing else changes")
  func stateGradientIsOptional() {
    let with = Cell(rows: 3, hidden: 16)
    let without = Cell(rows: 3, hidden: 16)
    for (cell, wanted) in [(with, true), (without, false)] {
      cell.forward(KernelForm(portable: false))
      cell.backward(KernelForm(portable: false), withState: wanted)
    }
    #expect(with.dgi.hasSameBits(as: without.dgi) && with.dgh.hasSameBits(as: without.dgh))
    #expect((0..<16).allSatisfy { without.dh[0, $0] == 0 })
  }

  @Test("huge pre-activations saturate the gates and leave every result finite")
  func saturation() {
    let cell = Cell(rows: 1, hidden: 16)
    cell.gi.fill { _, column in column % 2 == 0 ? 1e30 : -1e30 }
    cell.gh.fill { _, _ in 0.5 }
    cell.forward(KernelForm(portable: false))
    cell.backward(KernelForm(portable: false))
    for rows in [cell.next, cell.dgi, cell.dgh, cell.dh] { #expect((0..<rows.columns).allSatisfy { rows[0, $0].isFinite }) }
  }
}

import CKernels

/// The gates of a GRU whose arguments are normalised (the stabilised cell of rl-core 4.2, without its input clamp):
///
///     r = sig(LN(ir + hr))    u = sig(LN(iu + hu))    n = tanh(LN(in + r hn))    h' = (1 - u) n + u h
///
/// with i = W x + b, h = U h + c. One LayerNorm a gate, eps 1e-5, with gain and shift.
struct GateNorms: Sendable, Equatable {
  let hidden: Int
  /// First floats of gain and shift of r, u, n.
  private let gains: [Int]
  private let shifts: [Int]

  /// Appends `name.reset.weight`, `.bias`, `name.update...`, `name.new...`.
  init(_ name: String, hidden: Int, layout: inout ParameterLayout) {
    self.hidden = hidden
    var (gains, shifts): ([Int], [Int]) = ([], [])
    for gate in ["reset", "update", "new"] {
      gains.append(layout.append("\(name).\(gate).weight", count: hidden, initialisation: .ones).offset)
      shifts.append(layout.append("\(name).\(gate).bias", count: hidden).offset)
    }
    self.gains = gains
    self.shifts = shifts
  }

  /// Fills gates and next states of `rows` rows from `first` on, from both parts and the states.
  func forward(_ parameters: UnsafePointer<Float>, _ cell: GRUActivations, _ kept: GateNormActivations, first: Int, rows: Int) {
    let H = hidden
    for row in first..<(first + rows) {
      let (i, h, sums) = (cell.inputPart.row(row), cell.recurrentPart.row(row), kept.sums.row(row))
      for c in 0..<(2 * H) { sums[c] = i[c] + h[c] }
    }
    for gate in 0..<2 { normalise(gate, parameters, kept, first: first, rows: rows) }
    for row in first..<(first + rows) {
      let (i, h, sums, gates) = (cell.inputPart.row(row), cell.recurrentPart.row(row), kept.sums.row(row), cell.gates.row(row))
      ck_sigmoid_f32(gates, kept.normalised.row(row), Int64(2 * H))
      for c in 0..<H {
        gates[3 * H + c] = h[2 * H + c]
        sums[2 * H + c] = i[2 * H + c] + gates[c] * h[2 * H + c]
      }
    }
    normalise(2, parameters, kept, first: first, rows: rows)
    for row in first..<(first + rows) {
      let (gates, state, next) = (cell.gates.row(row), cell.state.row(row), cell.next.row(row))
      ck_tanh_f32(gates + 2 * H, kept.normalised.row(row) + 2 * H, Int64(H))
      for c in 0..<H { next[c] = (1 - gates[H + c]) * gates[2 * H + c] + gates[H + c] * state[c] }
    }
  }

  /// Overwrites both parts of these rows by their gradients, and `dState` by the share of the state's along u h'; adds to the gradients of
  /// gains and shifts. Needs sums, gates and states of the forward pass.
  func backward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, _ cell: GRUActivations, _ kept: GateNormActivations,
    dNext: ActivationBuffer, dState: ActivationBuffer?, first: Int, rows: Int
  ) {
    let H = hidden
    // The normalised arguments have served: their gradients take their place.
    for row in first..<(first + rows) {
      let (dy, gates, state, d) = (dNext.row(row), cell.gates.row(row), cell.state.row(row), kept.normalised.row(row))
      for c in 0..<H {
        let (u, n) = (gates[H + c], gates[2 * H + c])
        d[H + c] = dy[c] * (state[c] - n) * u * (1 - u)
        d[2 * H + c] = dy[c] * (1 - u) * (1 - n * n)
      }
      if let dState {
        let down = dState.row(row)
        for c in 0..<H { down[c] = dy[c] * gates[H + c] }
      }
    }
    normaliseBackward(2, parameters, gradients, kept, into: cell.inputPart, first: first, rows: rows)
    for row in first..<(first + rows) {
      let (di, dh, gates, d) = (cell.inputPart.row(row), cell.recurrentPart.row(row), cell.gates.row(row), kept.normalised.row(row))
      for c in 0..<H {
        let r = gates[c]
        dh[2 * H + c] = di[2 * H + c] * r
        d[c] = di[2 * H + c] * gates[3 * H + c] * r * (1 - r)
      }
    }
    for gate in 0..<2 { normaliseBackward(gate, parameters, gradients, kept, into: cell.inputPart, first: first, rows: rows) }
    for row in first..<(first + rows) { cell.recurrentPart.row(row).update(from: cell.inputPart.row(row), count: 2 * H) }
  }

  /// Zeroes the gradients of gains and shifts.
  func clear(_ gradients: UnsafeMutablePointer<Float>) {
    for offset in gains + shifts { (gradients + offset).update(repeating: 0, count: hidden) }
  }

  private func normalise(_ gate: Int, _ parameters: UnsafePointer<Float>, _ kept: GateNormActivations, first: Int, rows: Int) {
    let column = gate * hidden
    let moments = kept.moments[gate]
    ck_layernorm_forward(
      kept.normalised.row(first) + column, Int64(kept.normalised.stride), moments.mean.pointer + first,
      moments.inverseDeviation.pointer + first, kept.sums.row(first) + column, Int64(kept.sums.stride), parameters + gains[gate],
      parameters + shifts[gate], Int64(rows), Int64(hidden), LayerNormLayer.epsilon, 0)
  }

  private func normaliseBackward(
    _ gate: Int, _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, _ kept: GateNormActivations,
    into dx: ActivationBuffer, first: Int, rows: Int
  ) {
    let column = gate * hidden
    let moments = kept.moments[gate]
    // Without the clamp at 0 the kernel does not look at y.
    let dy = kept.normalised.row(first) + column
    ck_layernorm_backward(
      dx.row(first) + column, Int64(dx.stride), gradients + gains[gate], gradients + shifts[gate], dy, Int64(kept.normalised.stride), dy,
      Int64(kept.normalised.stride), kept.sums.row(first) + column, Int64(kept.sums.stride), moments.mean.pointer + first,
      moments.inverseDeviation.pointer + first, parameters + gains[gate], Int64(rows), Int64(hidden), 0)
  }
}

/// What normalised gates keep besides the cell's activations.
struct GateNormActivations {
  /// Arguments before their norms: r, u, n `[rows, 3H]`.
  let sums: ActivationBuffer
  /// After the norms; in the backward pass its gradient.
  let normalised: ActivationBuffer
  /// One a gate.
  let moments: [NormMoments]

  init(rows: Int, hidden: Int) {
    sums = ActivationBuffer(rows: rows, columns: 3 * hidden)
    normalised = ActivationBuffer(rows: rows, columns: 3 * hidden)
    moments = (0..<3).map { _ in NormMoments(rows: rows) }
  }
}

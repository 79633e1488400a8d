import CKernels

/// A gated recurrent unit in PyTorch's form: gates r, u, n, two biases, r applied to the recurrent part of n.
///
///     r = sig(Wr x + br + Ur h + cr)      u = sig(Wu x + bu + Uu h + cu)
///     n = tanh(Wn x + bn + r (Un h + cn)) h' = (1 - u) n + u h
///
/// With `norms` the argument of each gate's nonlinearity passes a LayerNorm first.
struct GRULayer: Sendable, Equatable {
  let hidden: Int
  private let input: LinearLayer
  private let recurrent: LinearLayer
  private let norms: GateNorms?

  /// Appends `name.weight_ih_l<layer>`, `weight_hh`, `bias_ih` and `bias_hh`; each gate of a matrix is an orthogonal block of its own.
  init(
    _ name: String, layer: Int, inputs: Int, hidden: Int, cell: RecurrentConfiguration.Cell = .plain, layout: inout ParameterLayout
  ) {
    let isNormalised = cell == .layerNorm
    let inputWeight = layout.append(
      "\(name).weight_ih_l\(layer)", outputs: 3 * hidden, inputs: inputs, gain: isNormalised ? 2.0.squareRoot() : 1, blocks: 3)
    let recurrentWeight = layout.append("\(name).weight_hh_l\(layer)", outputs: 3 * hidden, inputs: hidden, gain: 1, blocks: 3)
    let inputBias = layout.append("\(name).bias_ih_l\(layer)", count: 3 * hidden)
    let recurrentBias = layout.append("\(name).bias_hh_l\(layer)", count: 3 * hidden)
    self.hidden = hidden
    self.input = LinearLayer(weight: inputWeight, bias: inputBias)
    self.recurrent = LinearLayer(weight: recurrentWeight, bias: recurrentBias)
    norms = isNormalised ? GateNorms("\(name).ln_l\(layer)", hidden: hidden, layout: &layout) : nil
  }

  /// The next states into `cell.next` from x `[rows, inputs]` and `cell.state`, whose rows of the first step are given; the others are
  /// filled with what the step before left.
  func forward(_ parameters: UnsafePointer<Float>, _ x: ActivationBuffer, _ cell: GRUActivations, steps: TimeSteps) {
    input.forward(parameters, x, cell.inputPart, rows: steps.rows)
    var first = 0
    var before = 0
    for (t, count) in steps.counts.enumerated() {
      if t > 0 { cell.state.copyRows(from: cell.next, at: before, to: first, count: count) }
      recurrent.forward(parameters, cell.state, cell.recurrentPart, first: first, rows: count)
      if let norms, let kept = cell.norms {
        norms.forward(parameters, cell, kept, first: first, rows: count)
      } else {
        ck_gru_forward(
          cell.next.row(first), Int64(cell.next.stride), cell.gates.row(first), Int64(cell.gates.stride), cell.inputPart.row(first),
          Int64(cell.inputPart.stride), cell.recurrentPart.row(first), Int64(cell.recurrentPart.stride), cell.state.row(first),
          Int64(cell.state.stride), Int64(count), Int64(hidden))
      }
      before = first
      first += count
    }
  }

  /// Overwrites the gradients of the weights and dx from the gradient `dNext` of the next states.
  ///
  /// The gradient flows back through the steps of `steps` and ends at the first one's states. On the way the later steps' share is added to
  /// `dNext`. The pre-activations of the forward pass are overwritten by their gradients; gates, states and x are read. `carried` is scratch
  /// of the states' shape, dx may be dNext.
  func backward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, x: ActivationBuffer, _ cell: GRUActivations,
    dNext: ActivationBuffer, carried: ActivationBuffer, dx: ActivationBuffer, accumulate: Bool = false, steps: TimeSteps
  ) {
    let rows = steps.rows
    norms?.clear(gradients)
    var first = rows
    for t in steps.counts.indices.reversed() {
      let count = steps.counts[t]
      first -= count
      let goesOn = t > 0
      if let norms, let kept = cell.norms {
        norms.backward(
          parameters, gradients, cell, kept, dNext: dNext, dState: goesOn ? carried : nil, first: first, rows: count)
      } else {
        ck_gru_backward(
          cell.inputPart.row(first), Int64(cell.inputPart.stride), cell.recurrentPart.row(first), Int64(cell.recurrentPart.stride),
          goesOn ? carried.row(first) : nil, Int64(carried.stride), dNext.row(first), Int64(dNext.stride), cell.gates.row(first),
          Int64(cell.gates.stride), cell.state.row(first), Int64(cell.state.stride), Int64(count), Int64(hidden))
      }
      if goesOn {
        recurrent.addInputGradient(parameters, dy: cell.recurrentPart, dx: carried, first: first, rows: count)
        dNext.addRows(of: carried, at: first, to: first - steps.counts[t - 1], count: count)
      }
    }
    recurrent.backward(parameters, gradients, x: cell.state, dy: cell.recurrentPart, dx: nil, rows: rows)
    input.backward(parameters, gradients, x: x, dy: cell.inputPart, dx: dx, accumulate: accumulate, rows: rows)
  }
}

/// What the steps of a GRU keep.
struct GRUActivations {
  /// State before the step `[rows, H]`.
  let state: ActivationBuffer
  /// State after it `[rows, H]`.
  let next: ActivationBuffer
  /// Wx + b `[rows, 3H]`; in the backward pass its gradient.
  let inputPart: ActivationBuffer
  /// Uh + c `[rows, 3H]`; in the backward pass its gradient.
  let recurrentPart: ActivationBuffer
  /// r, u, n, Un h + cn `[rows, 4H]`.
  let gates: ActivationBuffer
  /// With normalised gates.
  let norms: GateNormActivations?

  init(rows: Int, hidden: Int, cell: RecurrentConfiguration.Cell = .plain) {
    state = ActivationBuffer(rows: rows, columns: hidden)
    next = ActivationBuffer(rows: rows, columns: hidden)
    inputPart = ActivationBuffer(rows: rows, columns: 3 * hidden)
    recurrentPart = ActivationBuffer(rows: rows, columns: 3 * hidden)
    gates = ActivationBuffer(rows: rows, columns: 4 * hidden)
    norms = cell == .layerNorm ? GateNormActivations(rows: rows, hidden: hidden) : nil
  }
}

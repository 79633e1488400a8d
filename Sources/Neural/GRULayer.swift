import CKernels

/// One step of a gated recurrent unit in PyTorch's form: gates r, u, n, two biases, r applied to the recurrent part of n.
///
///     r = sig(Wr x + br + Ur h + cr)      u = sig(Wu x + bu + Uu h + cu)
///     n = tanh(Wn x + bn + r (Un h + cn)) h' = (1 - u) n + u h
struct GRULayer: Sendable, Equatable {
  let hidden: Int
  private let input: LinearLayer
  private let recurrent: LinearLayer

  /// Appends `name.weight_ih_l<layer>`, `weight_hh`, `bias_ih` and `bias_hh`; each gate of a matrix is an orthogonal block of its own.
  init(_ name: String, layer: Int, inputs: Int, hidden: Int, layout: inout ParameterLayout) {
    let inputWeight = layout.append("\(name).weight_ih_l\(layer)", outputs: 3 * hidden, inputs: inputs, gain: 1, blocks: 3)
    let recurrentWeight = layout.append("\(name).weight_hh_l\(layer)", outputs: 3 * hidden, inputs: hidden, gain: 1, blocks: 3)
    let inputBias = layout.append("\(name).bias_ih_l\(layer)", count: 3 * hidden)
    let recurrentBias = layout.append("\(name).bias_hh_l\(layer)", count: 3 * hidden)
    self.hidden = hidden
    self.input = LinearLayer(weight: inputWeight, bias: inputBias)
    self.recurrent = LinearLayer(weight: recurrentWeight, bias: recurrentBias)
  }

  /// The next state into `cell.next` from x `[rows, inputs]` and `cell.state`.
  func forward(_ parameters: UnsafePointer<Float>, _ x: ActivationBuffer, _ cell: GRUActivations, rows: Int) {
    input.forward(parameters, x, cell.inputPart, rows: rows)
    recurrent.forward(parameters, cell.state, cell.recurrentPart, rows: rows)
    ck_gru_forward(
      cell.next.pointer, Int64(cell.next.stride), cell.gates.pointer, Int64(cell.gates.stride), cell.inputPart.pointer,
      Int64(cell.inputPart.stride), cell.recurrentPart.pointer, Int64(cell.recurrentPart.stride), cell.state.pointer,
      Int64(cell.state.stride), Int64(rows), Int64(hidden))
  }

  /// Overwrites the gradients of the weights and dx from the gradient `dNext` of the next state.
  ///
  /// The gradient of the previous state is not formed: the recurrence is unrolled for one step. The pre-activations of the forward
  /// pass are overwritten by their gradients; gates, state and x are read.
  func backward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, x: ActivationBuffer, _ cell: GRUActivations,
    dNext: ActivationBuffer, dx: ActivationBuffer, accumulate: Bool = false, rows: Int
  ) {
    ck_gru_backward(
      cell.inputPart.pointer, Int64(cell.inputPart.stride), cell.recurrentPart.pointer, Int64(cell.recurrentPart.stride), nil, 0,
      dNext.pointer, Int64(dNext.stride), cell.gates.pointer, Int64(cell.gates.stride), cell.state.pointer, Int64(cell.state.stride),
      Int64(rows), Int64(hidden))
    recurrent.backward(parameters, gradients, x: cell.state, dy: cell.recurrentPart, dx: nil, rows: rows)
    input.backward(parameters, gradients, x: x, dy: cell.inputPart, dx: dx, accumulate: accumulate, rows: rows)
  }
}

/// What one GRU step keeps.
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

  init(rows: Int, hidden: Int) {
    state = ActivationBuffer(rows: rows, columns: hidden)
    next = ActivationBuffer(rows: rows, columns: hidden)
    inputPart = ActivationBuffer(rows: rows, columns: 3 * hidden)
    recurrentPart = ActivationBuffer(rows: rows, columns: 3 * hidden)
    gates = ActivationBuffer(rows: rows, columns: 4 * hidden)
  }
}

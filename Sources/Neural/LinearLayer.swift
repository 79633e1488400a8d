import CKernels

/// y = x W^T + b with W `[outputs, inputs]`, or without b.
struct LinearLayer: Sendable, Equatable {
  let inputs: Int
  let outputs: Int
  private let weight: Int
  private let bias: Int?

  /// Appends `name.weight` and, unless told otherwise, `name.bias`.
  init(_ name: String, inputs: Int, outputs: Int, gain: Double, hasBias: Bool = true, layout: inout ParameterLayout) {
    let weight = layout.append("\(name).weight", outputs: outputs, inputs: inputs, gain: gain)
    self.init(weight: weight, bias: hasBias ? layout.append("\(name).bias", count: outputs) : nil)
  }

  /// Over tensors that exist already.
  init(weight: ParameterTensor, bias: ParameterTensor?) {
    self.inputs = weight.inputs
    self.outputs = weight.outputs
    self.weight = weight.offset
    self.bias = bias?.offset
  }

  /// y `[rows, outputs]` from x `[rows, inputs]`, for `rows` rows from `first` on.
  func forward(_ parameters: UnsafePointer<Float>, _ x: ActivationBuffer, _ y: ActivationBuffer, first: Int = 0, rows: Int) {
    assert(x.columns >= inputs && y.columns >= outputs && first + rows <= x.rows && first + rows <= y.rows, "extents")
    ck_linear_forward(
      y.row(first), Int64(y.stride), x.row(first), Int64(x.stride), parameters + weight, bias.map { parameters + $0 }, Int64(rows),
      Int64(inputs), Int64(outputs))
  }

  /// Overwrites the gradients of W and b from the forward pass's x and dy `[rows, outputs]`. If `dx` is given, it receives dy W, added to
  /// what it holds if `accumulate`.
  func backward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, x: ActivationBuffer, dy: ActivationBuffer,
    dx: ActivationBuffer?, accumulate: Bool = false, rows: Int
  ) {
    assert(x.columns >= inputs && dy.columns >= outputs && rows <= x.rows && rows <= dy.rows, "extents")
    ck_linear_weight_gradient(
      gradients + weight, bias.map { gradients + $0 }, x.pointer, Int64(x.stride), dy.pointer, Int64(dy.stride), Int64(rows),
      Int64(inputs), Int64(outputs), 0)
    guard let dx else { return }
    assert(dx.columns >= inputs && rows <= dx.rows, "extents")
    ck_linear_input_gradient(
      dx.pointer, Int64(dx.stride), dy.pointer, Int64(dy.stride), parameters + weight, Int64(rows), Int64(inputs), Int64(outputs),
      accumulate ? 1 : 0)
  }

  /// Adds dy W to `rows` rows of dx from `first` on.
  func addInputGradient(_ parameters: UnsafePointer<Float>, dy: ActivationBuffer, dx: ActivationBuffer, first: Int, rows: Int) {
    assert(dx.columns >= inputs && dy.columns >= outputs && first + rows <= dx.rows && first + rows <= dy.rows, "extents")
    ck_linear_input_gradient(
      dx.row(first), Int64(dx.stride), dy.row(first), Int64(dy.stride), parameters + weight, Int64(rows), Int64(inputs), Int64(outputs), 1)
  }
}

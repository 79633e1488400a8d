import CKernels

/// Normalisation over the columns (arXiv 1607.06450, population variance, eps 1e-5) with gain and shift, optionally clamped at 0.
struct LayerNormLayer: Sendable, Equatable {
  static let epsilon: Float = 1e-5

  let count: Int
  let relu: Bool
  private let gain: Int
  private let shift: Int

  /// Appends `name.weight` (gain) and `name.bias` (shift).
  init(_ name: String, count: Int, relu: Bool, layout: inout ParameterLayout) {
    self.count = count
    self.relu = relu
    self.gain = layout.append("\(name).weight", count: count, initialisation: .ones).offset
    self.shift = layout.append("\(name).bias", count: count).offset
  }

  /// y from x, both `[rows, count]`; `moments` keeps mean and 1 / std of each row for the backward pass.
  func forward(
    _ parameters: UnsafePointer<Float>, _ x: ActivationBuffer, _ y: ActivationBuffer, moments: NormMoments, rows: Int
  ) {
    assert(x.columns >= count && y.columns >= count && rows <= x.rows && rows <= y.rows, "extents")
    ck_layernorm_forward(
      y.pointer, Int64(y.stride), moments.mean.pointer, moments.inverseDeviation.pointer, x.pointer, Int64(x.stride), parameters + gain,
      parameters + shift, Int64(rows), Int64(count), LayerNormLayer.epsilon, relu ? 1 : 0)
  }

  /// Overwrites dx and the gradients of gain and shift. Needs x, y and moments of the forward pass.
  func backward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, x: ActivationBuffer, y: ActivationBuffer,
    moments: NormMoments, dy: ActivationBuffer, dx: ActivationBuffer, rows: Int
  ) {
    let padded = ParameterTensor.padded(count)
    (gradients + gain).update(repeating: 0, count: padded)
    (gradients + shift).update(repeating: 0, count: padded)
    ck_layernorm_backward(
      dx.pointer, Int64(dx.stride), gradients + gain, gradients + shift, dy.pointer, Int64(dy.stride), y.pointer, Int64(y.stride),
      x.pointer, Int64(x.stride), moments.mean.pointer, moments.inverseDeviation.pointer, parameters + gain, Int64(rows), Int64(count),
      relu ? 1 : 0)
  }
}

/// Mean and 1 / std of each row.
struct NormMoments {
  let mean: ActivationBuffer
  let inverseDeviation: ActivationBuffer

  init(rows: Int) {
    mean = ActivationBuffer(count: rows)
    inverseDeviation = ActivationBuffer(count: rows)
  }
}

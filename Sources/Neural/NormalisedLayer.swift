/// Linear, LayerNorm, ReLU.
struct NormalisedLayer: Sendable, Equatable {
  let linear: LinearLayer
  let norm: LayerNormLayer

  /// Appends the linear layer as `name.<position>` and the norm as `name.<position + 1>`, as in a sequential module.
  init(_ name: String, position: Int, inputs: Int, outputs: Int, layout: inout ParameterLayout) {
    linear = LinearLayer(
      "\(name).\(position)", inputs: inputs, outputs: outputs, gain: 2.0.squareRoot(), layout: &layout)
    norm = LayerNormLayer("\(name).\(position + 1)", count: outputs, relu: true, layout: &layout)
  }

  /// Fills `kept` from x `[rows, inputs]`.
  func forward(_ parameters: UnsafePointer<Float>, _ x: ActivationBuffer, _ kept: NormalisedActivations, rows: Int) {
    linear.forward(parameters, x, kept.linear, rows: rows)
    norm.forward(parameters, kept.linear, kept.output, moments: kept.moments, rows: rows)
  }

  /// Overwrites the gradients of both layers; dx receives (or, if `accumulate`, gains) the gradient of x. `scratch` `[rows, outputs]` is
  /// neither dy nor dx; dy may be dx.
  func backward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, x: ActivationBuffer, _ kept: NormalisedActivations,
    dy: ActivationBuffer, scratch: ActivationBuffer, dx: ActivationBuffer, accumulate: Bool = false, rows: Int
  ) {
    norm.backward(parameters, gradients, x: kept.linear, y: kept.output, moments: kept.moments, dy: dy, dx: scratch, rows: rows)
    linear.backward(parameters, gradients, x: x, dy: scratch, dx: dx, accumulate: accumulate, rows: rows)
  }
}

/// What a normalised layer keeps for its backward pass.
struct NormalisedActivations {
  /// Before the norm.
  let linear: ActivationBuffer
  /// After norm and ReLU.
  let output: ActivationBuffer
  let moments: NormMoments

  init(rows: Int, outputs: Int) {
    linear = ActivationBuffer(rows: rows, columns: outputs)
    output = ActivationBuffer(rows: rows, columns: outputs)
    moments = NormMoments(rows: rows)
  }
}

import CKernels

/// One layer of self-attention over the tokens of a group, with residual and LayerNorm: y = LN(x + O concat_h softmax(q k^T / 4) v), heads of
/// 16 columns (arXiv 1706.03762, 1810.00825).
struct SetAttention: Sendable, Equatable {
  private let width: Int
  private let query: LinearLayer
  private let key: LinearLayer
  private let value: LinearLayer
  private let output: LinearLayer
  private let norm: LayerNormLayer

  /// Appends `name.query`, `.key`, `.value`, `.output` and `.norm`.
  init(_ name: String, width: Int, layout: inout ParameterLayout) {
    self.width = width
    let gain = 0.5.squareRoot()
    query = LinearLayer("\(name).query", inputs: width, outputs: width, gain: gain, layout: &layout)
    // A bias of the keys would add the same to all scores of a query.
    key = LinearLayer("\(name).key", inputs: width, outputs: width, gain: gain, hasBias: false, layout: &layout)
    value = LinearLayer("\(name).value", inputs: width, outputs: width, gain: gain, layout: &layout)
    output = LinearLayer("\(name).output", inputs: width, outputs: width, gain: gain, layout: &layout)
    norm = LayerNormLayer("\(name).norm", count: width, relu: false, layout: &layout)
  }

  private var heads: Int64 { Int64(width / ParameterTensor.panelWidth) }

  /// Fills `kept` from x `[groups * size, W]`; `masks` `[groups, size]`.
  func forward(
    _ parameters: UnsafePointer<Float>, _ x: ActivationBuffer, _ kept: SetAttentionActivations, masks: UnsafePointer<UInt8>, groups: Int,
    size: Int
  ) {
    let tokens = groups * size
    query.forward(parameters, x, kept.query, rows: tokens)
    key.forward(parameters, x, kept.key, rows: tokens)
    value.forward(parameters, x, kept.value, rows: tokens)
    ck_attention_forward(
      kept.attended.pointer, Int64(kept.attended.stride), kept.weights.pointer, kept.query.pointer, kept.key.pointer, kept.value.pointer,
      Int64(kept.query.stride), masks, Int64(groups), Int64(size), heads)
    output.forward(parameters, kept.attended, kept.sum, rows: tokens)
    kept.sum.addRows(of: x, at: 0, to: 0, count: tokens)
    norm.forward(parameters, kept.sum, kept.output, moments: kept.moments, rows: tokens)
  }

  /// Overwrites the gradients of all five layers and dx, which is not dy.
  func backward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, x: ActivationBuffer, _ kept: SetAttentionActivations,
    _ s: SetAttentionGradients, dy: ActivationBuffer, dx: ActivationBuffer, groups: Int, size: Int
  ) {
    let tokens = groups * size
    norm.backward(parameters, gradients, x: kept.sum, y: kept.output, moments: kept.moments, dy: dy, dx: dx, rows: tokens)
    output.backward(parameters, gradients, x: kept.attended, dy: dx, dx: s.attended, rows: tokens)
    ck_attention_backward(
      s.query.pointer, s.key.pointer, s.value.pointer, s.attended.pointer, Int64(s.attended.stride), kept.weights.pointer,
      kept.query.pointer, kept.key.pointer, kept.value.pointer, Int64(kept.query.stride), Int64(groups), Int64(size), heads)
    // The residual's share is in dx already.
    query.backward(parameters, gradients, x: x, dy: s.query, dx: dx, accumulate: true, rows: tokens)
    key.backward(parameters, gradients, x: x, dy: s.key, dx: dx, accumulate: true, rows: tokens)
    value.backward(parameters, gradients, x: x, dy: s.value, dx: dx, accumulate: true, rows: tokens)
  }
}

/// What attention keeps of its forward pass; shapes `[groups * size, W]`.
struct SetAttentionActivations {
  let query: ActivationBuffer
  let key: ActivationBuffer
  let value: ActivationBuffer
  /// `[groups, heads, size, size]`.
  let weights: ActivationBuffer
  let attended: ActivationBuffer
  /// Before the norm.
  let sum: ActivationBuffer
  let moments: NormMoments
  let output: ActivationBuffer

  init(width: Int, groups: Int, size: Int) {
    func buffer() -> ActivationBuffer { ActivationBuffer(rows: groups * size, columns: width) }
    query = buffer()
    key = buffer()
    value = buffer()
    weights = ActivationBuffer(count: groups * (width / ParameterTensor.panelWidth) * size * size)
    attended = buffer()
    sum = buffer()
    moments = NormMoments(rows: groups * size)
    output = buffer()
  }
}

/// Gradients of activations that a backward pass of attention passes on.
struct SetAttentionGradients {
  let query: ActivationBuffer
  let key: ActivationBuffer
  let value: ActivationBuffer
  let attended: ActivationBuffer

  init(width: Int, tokens: Int) {
    func buffer() -> ActivationBuffer { ActivationBuffer(rows: tokens, columns: width) }
    query = buffer()
    key = buffer()
    value = buffer()
    attended = buffer()
  }
}

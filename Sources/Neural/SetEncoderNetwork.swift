import CKernels

/// The permutation-equivariant actor-critic over replicas: one set of weights for all of them (rl-core 4.3, arXiv 1703.06114).
///
///     replica i:  Linear W of its block + Linear W of the cluster's values, LayerNorm, ReLU, (layers - 1) x (Linear W, LayerNorm, ReLU)
///                 (LayerNorm of token + multi-head self-attention over the tokens)                      -> token_i
///     pooled:     mean and maximum of the tokens over the replicas that are available                   -> 2 W
///     memory:     (GRU W over pooled)                                                                   -> context: pooled, memory
///     logit i:    Linear W of token_i + Linear W of context, LayerNorm, ReLU, Linear 1
///     value:      Linear W of context, LayerNorm, ReLU, Linear 1
///
/// The memory is one GRU over the pooled tokens and not one a replica: the state of an environment has W floats for any number of replicas,
/// and a replica that fails and comes back has no stale memory.
///
/// Replicas that are masked out (not available, or padding) enter no pooling and no attention; their logits are formed and masked by the
/// distribution. Permuting the replicas permutes logits and leaves value and memory as they are, bit for bit (`sets.inc`).
struct SetEncoderNetwork: Sendable, Equatable {
  let configuration: SetEncoderConfiguration
  /// R.
  let replicas: Int
  /// Observed values behind the blocks.
  let clusterSize: Int
  private let replicaInput: LinearLayer
  private let clusterInput: LinearLayer
  private let inputNorm: LayerNormLayer
  private let encoder: [NormalisedLayer]
  private let attention: SetAttention?
  private let memory: GRULayer?
  private let tokenScore: LinearLayer
  private let contextScore: LinearLayer
  private let scoreNorm: LayerNormLayer
  private let scoreHead: LinearLayer
  private let valueLayer: NormalisedLayer
  private let valueHead: LinearLayer

  /// Appends all tensors to `layout`.
  init(_ configuration: SetEncoderConfiguration, observationSize: Int, actionCount: Int, layout: inout ParameterLayout) {
    let width = configuration.width
    let root = 2.0.squareRoot()
    self.configuration = configuration
    replicas = actionCount
    clusterSize = observationSize - actionCount * configuration.replicaBlockSize
    precondition(clusterSize > 0, "the observation has no values behind its blocks")
    replicaInput = LinearLayer(
      "encoder.replica", inputs: configuration.replicaBlockSize, outputs: width, gain: root, layout: &layout)
    clusterInput = LinearLayer("encoder.cluster", inputs: clusterSize, outputs: width, gain: root, hasBias: false, layout: &layout)
    inputNorm = LayerNormLayer("encoder.norm", count: width, relu: true, layout: &layout)
    encoder = (1..<max(configuration.layers, 1)).map {
      NormalisedLayer("encoder.layers", position: 3 * ($0 - 1), inputs: width, outputs: width, layout: &layout)
    }
    attention = configuration.attention ? SetAttention("attention", width: width, layout: &layout) : nil
    memory = configuration.memory ? GRULayer("memory", layer: 0, inputs: 2 * width, hidden: width, layout: &layout) : nil
    tokenScore = LinearLayer("score.token", inputs: width, outputs: width, gain: root, layout: &layout)
    contextScore = LinearLayer(
      "score.context", inputs: SetEncoderNetwork.contextSize(configuration), outputs: width, gain: root, hasBias: false, layout: &layout)
    scoreNorm = LayerNormLayer("score.norm", count: width, relu: true, layout: &layout)
    // A bias would add the same to all logits, which the distribution does not see.
    scoreHead = LinearLayer("score.head", inputs: width, outputs: 1, gain: 0.01, hasBias: false, layout: &layout)
    valueLayer = NormalisedLayer(
      "value", position: 0, inputs: SetEncoderNetwork.contextSize(configuration), outputs: width, layout: &layout)
    valueHead = LinearLayer("value_head", inputs: width, outputs: 1, gain: 1, layout: &layout)
  }

  /// Columns of the context.
  static func contextSize(_ configuration: SetEncoderConfiguration) -> Int { (configuration.memory ? 3 : 2) * configuration.width }

  /// Floats of state per environment.
  var stateSize: Int { configuration.memory ? configuration.width : 0 }

  /// Fills the activations up to what `outputs` asks for. `masks` `[rows, R]`, 1 = available.
  func forward(
    _ parameters: UnsafePointer<Float>, _ a: SetEncoderActivations, masks: UnsafePointer<UInt8>, outputs: NetworkOutputs, steps: TimeSteps
  ) {
    let rows = steps.rows
    let tokens = rows * replicas
    let width = configuration.width
    split(a, rows: rows)
    replicaInput.forward(parameters, a.blocks, a.input, rows: tokens)
    clusterInput.forward(parameters, a.cluster, a.clusterInput, rows: rows)
    groupAdd(a.clusterInput, to: a.input, rows: rows)
    inputNorm.forward(parameters, a.input, a.encoded, moments: a.inputMoments, rows: tokens)
    var x = a.encoded
    for (layer, kept) in zip(encoder, a.encoder) {
      layer.forward(parameters, x, kept, rows: tokens)
      x = kept.output
    }
    if let attention, let kept = a.attention {
      attention.forward(parameters, x, kept, masks: masks, groups: rows, size: replicas)
      x = kept.output
    }
    ck_pool_forward(
      a.context.pointer, Int64(a.context.stride), a.winners.pointer, x.pointer, Int64(x.stride), masks, Int64(rows), Int64(replicas),
      Int64(width))
    if let memory, let cell = a.memory {
      // Reads the first 2 W columns of the context and fills the last W.
      memory.forward(parameters, a.context, cell, steps: steps)
      for row in 0..<rows { (a.context.row(row) + 2 * width).update(from: cell.next.row(row), count: width) }
    }
    if outputs.hasPolicy {
      tokenScore.forward(parameters, x, a.score, rows: tokens)
      contextScore.forward(parameters, a.context, a.contextScore, rows: rows)
      groupAdd(a.contextScore, to: a.score, rows: rows)
      scoreNorm.forward(parameters, a.score, a.scored, moments: a.scoreMoments, rows: tokens)
      scoreHead.forward(parameters, a.scored, a.scores, rows: tokens)
      for row in 0..<rows {
        let logits = a.logits.row(row)
        for replica in 0..<replicas { logits[replica] = a.scores.row(row * replicas + replica)[0] }
      }
    }
    if outputs.hasValue {
      valueLayer.forward(parameters, a.context, a.value, rows: rows)
      valueHead.forward(parameters, a.value.output, a.values, rows: rows)
    }
  }

  /// Overwrites all gradients from `s.logits` and `s.values`. Needs the activations of a forward pass with both outputs.
  func backward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, _ a: SetEncoderActivations, _ s: SetEncoderGradients,
    masks: UnsafePointer<UInt8>, steps: TimeSteps
  ) {
    let rows = steps.rows
    let tokens = rows * replicas
    let width = configuration.width
    let encoded = a.encoder.last?.output ?? a.encoded
    let output = a.attention?.output ?? encoded
    for row in 0..<rows {
      let logits = s.logits.row(row)
      for replica in 0..<replicas { s.scores.row(row * replicas + replica)[0] = logits[replica] }
    }
    scoreHead.backward(parameters, gradients, x: a.scored, dy: s.scores, dx: s.first, rows: tokens)
    scoreNorm.backward(
      parameters, gradients, x: a.score, y: a.scored, moments: a.scoreMoments, dy: s.first, dx: s.second, rows: tokens)
    tokenScore.backward(parameters, gradients, x: output, dy: s.second, dx: s.first, rows: tokens)
    groupSum(s.second, into: s.row, rows: rows)
    contextScore.backward(parameters, gradients, x: a.context, dy: s.row, dx: s.context, rows: rows)

    valueHead.backward(parameters, gradients, x: a.value.output, dy: s.values, dx: s.row, rows: rows)
    valueLayer.backward(
      parameters, gradients, x: a.context, a.value, dy: s.row, scratch: s.otherRow, dx: s.context, accumulate: true, rows: rows)
    if let memory, let cell = a.memory {
      for row in 0..<rows { s.row.row(row).update(from: s.context.row(row) + 2 * width, count: width) }
      memory.backward(
        parameters, gradients, x: a.context, cell, dNext: s.row, carried: s.otherRow, dx: s.context, accumulate: true, steps: steps)
    }
    ck_pool_backward(
      s.first.pointer, Int64(s.first.stride), s.context.pointer, Int64(s.context.stride), a.winners.pointer, masks, Int64(rows),
      Int64(replicas), Int64(width))

    var (dy, scratch) = (s.first, s.second)
    if let attention, let kept = a.attention, let passed = s.attention {
      attention.backward(parameters, gradients, x: encoded, kept, passed, dy: dy, dx: scratch, groups: rows, size: replicas)
      swap(&dy, &scratch)
    }
    for layer in encoder.indices.reversed() {
      let x = layer == 0 ? a.encoded : a.encoder[layer - 1].output
      encoder[layer].backward(parameters, gradients, x: x, a.encoder[layer], dy: dy, scratch: scratch, dx: dy, rows: tokens)
    }
    inputNorm.backward(parameters, gradients, x: a.input, y: a.encoded, moments: a.inputMoments, dy: dy, dx: scratch, rows: tokens)
    replicaInput.backward(parameters, gradients, x: a.blocks, dy: scratch, dx: nil, rows: tokens)
    groupSum(scratch, into: s.row, rows: rows)
    clusterInput.backward(parameters, gradients, x: a.cluster, dy: s.row, dx: nil, rows: rows)
  }

  /// Cuts the observations into one row a replica and one row a cluster.
  private func split(_ a: SetEncoderActivations, rows: Int) {
    let block = configuration.replicaBlockSize
    for row in 0..<rows {
      let from = a.observations.row(row)
      for replica in 0..<replicas { a.blocks.row(row * replicas + replica).update(from: from + replica * block, count: block) }
      a.cluster.row(row).update(from: from + replicas * block, count: clusterSize)
    }
  }

  private func groupAdd(_ x: ActivationBuffer, to y: ActivationBuffer, rows: Int) {
    ck_group_add(
      y.pointer, Int64(y.stride), x.pointer, Int64(x.stride), Int64(rows), Int64(replicas), Int64(configuration.width))
  }

  private func groupSum(_ dy: ActivationBuffer, into dx: ActivationBuffer, rows: Int) {
    ck_group_sum(
      dx.pointer, Int64(dx.stride), dy.pointer, Int64(dy.stride), Int64(rows), Int64(replicas), Int64(configuration.width))
  }
}

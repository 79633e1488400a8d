/// What a forward pass of the set encoder keeps: `[rows, .]`, or `[rows * R, .]` of tokens.
struct SetEncoderActivations {
  let observations: ActivationBuffer
  /// Tokens `[., b]`.
  let blocks: ActivationBuffer
  let cluster: ActivationBuffer
  /// Tokens: before the first norm, after it.
  let input: ActivationBuffer
  let clusterInput: ActivationBuffer
  let inputMoments: NormMoments
  let encoded: ActivationBuffer
  let encoder: [NormalisedActivations]
  let attention: SetAttentionActivations?
  /// Mean, maximum and memory.
  let context: ActivationBuffer
  /// Which token was largest `[rows, W]`.
  let winners: IndexBuffer
  let memory: GRUActivations?
  /// Tokens: before the score's norm, after it, the score itself.
  let score: ActivationBuffer
  let contextScore: ActivationBuffer
  let scoreMoments: NormMoments
  let scored: ActivationBuffer
  let scores: ActivationBuffer
  let logits: ActivationBuffer
  let value: NormalisedActivations
  let values: ActivationBuffer

  init(_ net: SetEncoderNetwork, observationSize: Int, rows: Int) {
    let configuration = net.configuration
    let width = configuration.width
    let tokens = rows * net.replicas
    func rowBuffer(_ columns: Int) -> ActivationBuffer { ActivationBuffer(rows: rows, columns: columns) }
    func tokenBuffer(_ columns: Int) -> ActivationBuffer { ActivationBuffer(rows: tokens, columns: columns) }
    observations = rowBuffer(observationSize)
    blocks = tokenBuffer(configuration.replicaBlockSize)
    cluster = rowBuffer(net.clusterSize)
    input = tokenBuffer(width)
    clusterInput = rowBuffer(width)
    inputMoments = NormMoments(rows: tokens)
    encoded = tokenBuffer(width)
    encoder = (1..<max(configuration.layers, 1)).map { _ in NormalisedActivations(rows: tokens, outputs: width) }
    attention = configuration.attention ? SetAttentionActivations(width: width, groups: rows, size: net.replicas) : nil
    context = rowBuffer(SetEncoderNetwork.contextSize(configuration))
    winners = IndexBuffer(count: rows * width)
    memory = configuration.memory ? GRUActivations(rows: rows, hidden: width) : nil
    score = tokenBuffer(width)
    contextScore = rowBuffer(width)
    scoreMoments = NormMoments(rows: tokens)
    scored = tokenBuffer(width)
    scores = tokenBuffer(1)
    logits = rowBuffer(net.replicas)
    value = NormalisedActivations(rows: rows, outputs: width)
    values = rowBuffer(1)
  }
}

/// Gradients of activations that a backward pass of the set encoder passes on.
struct SetEncoderGradients {
  let logits: ActivationBuffer
  let values: ActivationBuffer
  /// Tokens.
  let scores: ActivationBuffer
  /// Two token buffers of width W that take turns.
  let first: ActivationBuffer
  let second: ActivationBuffer
  let context: ActivationBuffer
  /// Two row buffers of width W that take turns.
  let row: ActivationBuffer
  let otherRow: ActivationBuffer
  let attention: SetAttentionGradients?

  init(_ net: SetEncoderNetwork, rows: Int) {
    let width = net.configuration.width
    let tokens = rows * net.replicas
    logits = ActivationBuffer(rows: rows, columns: net.replicas)
    values = ActivationBuffer(rows: rows, columns: 1)
    scores = ActivationBuffer(rows: tokens, columns: 1)
    first = ActivationBuffer(rows: tokens, columns: width)
    second = ActivationBuffer(rows: tokens, columns: width)
    context = ActivationBuffer(rows: rows, columns: SetEncoderNetwork.contextSize(net.configuration))
    row = ActivationBuffer(rows: rows, columns: width)
    otherRow = ActivationBuffer(rows: rows, columns: width)
    attention = net.configuration.attention ? SetAttentionGradients(width: width, tokens: tokens) : nil
  }
}

/// Owner of indices that kernels write. Freed with its last reference.
final class IndexBuffer {
  /// Valid as long as the object lives; never handed out of this target.
  let pointer: UnsafeMutablePointer<Int32>

  init(count: Int) {
    pointer = .allocate(capacity: count)
    pointer.initialize(repeating: 0, count: count)
  }

  deinit { pointer.deallocate() }
}

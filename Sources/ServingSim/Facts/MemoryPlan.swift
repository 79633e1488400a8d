/// How many KV blocks a replica has: integer arithmetic throughout, so that exact quotients stay exact.
///
/// Embedding, head, norms and biases are not counted. The KV cache of a request is counted over all layers, whatever the number of pipeline
/// stages; multiplying the requests by the stages makes up for that.
public struct MemoryPlan: Equatable, Sendable {
  /// Weights of one layer on one tensor-parallel worker.
  public let parametersPerLayer: Int
  /// Weights on one device.
  public let parametersPerDevice: Int
  /// Bytes of KV cache of a request of the longest length, on one worker.
  public let cacheBytesPerRequest: Int
  /// Longest requests that fit beside the weights.
  public let batchMax: Int
  /// The same over all stages.
  public let requestSlots: Int
  /// KV blocks of the replica.
  public let blockCount: Int

  /// - Parameters:
  ///   - memoryMarginFraction: share of the memory left unused, resolved to one millionth.
  ///   - maxTokens: longest sequence.
  public init(
    model: ModelFacts, device: DeviceFacts, tensorParallel: Int, pipelineStages: Int, memoryMarginFraction: Double, maxTokens: Int,
    blockSize: Int
  ) throws(ServingError) {
    try model.validate(tensorParallel: tensorParallel, pipelineStages: pipelineStages)
    guard memoryMarginFraction >= 0 && memoryMarginFraction < 1 else {
      throw ServingError(.outOfRange, field: "memoryMarginFraction", reason: "\(memoryMarginFraction), allowed 0 to below 1")
    }
    let d = model.headDimension
    let k = (model.keyValueHeads + tensorParallel - 1) / tensorParallel
    parametersPerLayer = Self.parametersPerLayer(model: model, tensorParallel: tensorParallel)
    parametersPerDevice = parametersPerLayer * (model.layers / pipelineStages)
    cacheBytesPerRequest = 2 * 2 * d * k * maxTokens * model.layers
    let marginMillionths = Int((memoryMarginFraction * 1e6).rounded())
    let available = device.memoryGigabytes * (1 << 30) * (1_000_000 - marginMillionths) / 1_000_000
    let free = available - 2 * parametersPerDevice
    guard free >= cacheBytesPerRequest else {
      let split = "tensorParallel \(tensorParallel), pipelineStages \(pipelineStages)"
      throw ServingError(
        .doesNotFit, field: "model", reason: "\(model.name) on \(device.name) with \(split) cannot hold a single request")
    }
    batchMax = free / cacheBytesPerRequest
    requestSlots = batchMax * pipelineStages
    blockCount = maxTokens / blockSize * requestSlots
  }

  /// Weights of one layer on one worker.
  static func parametersPerLayer(model: ModelFacts, tensorParallel: Int) -> Int {
    let d = model.headDimension
    let h = model.embedding
    let q = model.queryHeads / tensorParallel
    let k = (model.keyValueHeads + tensorParallel - 1) / tensorParallel
    let matrices = model.isGated ? 3 : 2
    return h * d * (q + 2 * k) + h * d * q + matrices * h * model.feedForward / tensorParallel
  }
}

extension ModelFacts {
  /// Whether the model can be split this way.
  func validate(tensorParallel: Int, pipelineStages: Int) throws(ServingError) {
    guard tensorParallel >= 1 && queryHeads % tensorParallel == 0 && embedding % tensorParallel == 0 else {
      throw ServingError(
        .outOfRange, field: "tensorParallel", reason: "\(tensorParallel) does not divide \(queryHeads) heads and width \(embedding)")
    }
    guard pipelineStages >= 1 && layers % pipelineStages == 0 else {
      throw ServingError(.outOfRange, field: "pipelineStages", reason: "\(pipelineStages) does not divide \(layers) layers")
    }
  }
}

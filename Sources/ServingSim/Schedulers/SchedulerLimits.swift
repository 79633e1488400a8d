/// A replica scheduler's configuration in the form the hot path wants: every number derived and checked once.
struct SchedulerLimits: Equatable, Sendable {
  let kind: ReplicaSchedulerConfiguration.Kind
  /// Whether the more important requests go first (vllm_v1).
  let isByPriority: Bool
  let parity: SchedulerParity
  let blockCount: Int
  let blockSize: Int
  /// Blocks that stay free when a request is admitted.
  let watermarkBlocks: Int
  /// Requests that may hold blocks.
  let batchSizeCap: Int
  /// Members of one batch (partial prefills of sarathi do not count against it).
  let microBatchCap: Int
  let stageCount: Int
  /// Blocks of the longest sequence, which orca and faster_transformer reserve for each request.
  let sequenceBlocks: Int
  /// Members of a batch of orca and faster_transformer.
  let reservedBatchMax: Int
  /// Most tokens, prompt and output together, of a request that can be served.
  let requestTokensMax: Int

  /// - Parameter plannedBatchMax: longest requests that the memory plan has room for, if there is a plan.
  init(
    _ configuration: ReplicaSchedulerConfiguration, blockCount: Int, stageCount: Int, maxTokens: Int, plannedBatchMax: Int? = nil
  ) throws(ServingError) {
    try configuration.validate(stageCount: stageCount, maxTokens: maxTokens)
    kind = configuration.kind
    if case .vllmV1 = configuration.kind { isByPriority = configuration.schedulingPolicy == .priority } else { isByPriority = false }
    parity = configuration.parity
    self.blockCount = blockCount
    blockSize = configuration.blockSize
    batchSizeCap = configuration.batchSizeCap
    self.stageCount = stageCount
    let sequenceBlocks = maxTokens / configuration.blockSize
    self.sequenceBlocks = sequenceBlocks
    let watermark = Int(configuration.watermarkFraction * Double(blockCount))
    switch configuration.kind {
    case .vllm, .sarathi:
      watermarkBlocks = watermark
      microBatchCap = configuration.batchSizeCap / stageCount
      requestTokensMax = min(maxTokens, (blockCount - watermark) * blockSize)
    case .vllmV1(let maxTokensInStep, _, let isChunked):
      watermarkBlocks = 0
      microBatchCap = configuration.batchSizeCap
      requestTokensMax = min(maxTokens, blockCount * blockSize, isChunked ? maxTokens : maxTokensInStep)
    case .lightllm:
      watermarkBlocks = 0
      microBatchCap = configuration.batchSizeCap
      // The admission test wants the peak of a lone request below the block count.
      requestTokensMax = min(maxTokens, blockCount - 1)
    case .orca, .fasterTransformer:
      watermarkBlocks = 0
      microBatchCap = configuration.batchSizeCap
      guard blockCount >= sequenceBlocks && sequenceBlocks >= 1 else {
        throw ServingError(
          .inconsistent, field: "blockCount",
          reason: "\(blockCount) blocks hold no sequence of \(maxTokens) tokens, which this scheduler reserves for every request")
      }
      requestTokensMax = min(maxTokens, sequenceBlocks * blockSize)
    }
    // The plan's limit differs from the blocks' only if the block count was given.
    reservedBatchMax = parity == .reference ? min(batchSizeCap, plannedBatchMax ?? batchSizeCap) : batchSizeCap
  }

  /// Most requests that hold blocks: orca and faster_transformer limit the members of each batch in flight instead.
  var residentMax: Int {
    switch kind {
    case .orca, .fasterTransformer: reservedBatchMax * stageCount
    default: batchSizeCap
    }
  }

  /// Whether running requests have their turn in the order of their admission, not of their arrival.
  var isInOrderOfAdmission: Bool { if case .vllmV1 = kind { true } else { false } }

  /// Blocks that `tokens` tokens fill, the last one perhaps in part.
  func blocks(for tokens: Int) -> Int { (tokens + blockSize - 1) / blockSize }
}

extension ReplicaSchedulerConfiguration {
  fileprivate func validate(stageCount: Int, maxTokens: Int) throws(ServingError) {
    try require(batchSizeCap, in: 1...1 << 20, "batchSizeCap")
    try require(blockSize, in: 1...1 << 24, "blockSize")
    guard watermarkFraction >= 0 && watermarkFraction < 1 else {
      throw ServingError(.outOfRange, field: "watermarkFraction", reason: "\(watermarkFraction), allowed 0 to below 1")
    }
    guard batchSizeCap >= stageCount else {
      throw ServingError(
        .inconsistent, field: "batchSizeCap", reason: "\(batchSizeCap) leaves no member per batch with \(stageCount) stages")
    }
    switch kind {
    case .vllm(let maxTokensInBatch):
      try requirePrompts(maxTokensInBatch, "maxTokensInBatch", maxTokens)
    case .sarathi(let chunkTokens):
      try require(chunkTokens, in: 1...1 << 24, "chunkTokens")
    case .orca, .fasterTransformer: break
    case .lightllm(let maxTokensInBatch, let maxWaitingIterations):
      try requirePrompts(maxTokensInBatch, "maxTokensInBatch", maxTokens)
      try require(maxWaitingIterations, in: 0...1 << 24, "maxWaitingIterations")
      guard blockSize == 1 else { throw ServingError(.inconsistent, field: "blockSize", reason: "\(blockSize), lightllm needs 1") }
      guard stageCount == 1 else {
        throw ServingError(.inconsistent, field: "pipelineStages", reason: "\(stageCount), lightllm needs 1")
      }
    case .vllmV1(let maxNumBatchedTokens, let longPrefillTokenThreshold, let enableChunkedPrefill):
      try require(maxNumBatchedTokens, in: 1...1 << 24, "maxNumBatchedTokens")
      try require(longPrefillTokenThreshold, in: 0...1 << 24, "longPrefillTokenThreshold")
      if !enableChunkedPrefill { try requirePrompts(maxNumBatchedTokens, "maxNumBatchedTokens", maxTokens) }
    }
  }

  private func require(_ value: Int, in range: ClosedRange<Int>, _ field: String) throws(ServingError) {
    guard range.contains(value) else {
      throw ServingError(.outOfRange, field: field, reason: "\(value), allowed \(range.lowerBound)...\(range.upperBound)")
    }
  }

  private func requirePrompts(_ value: Int, _ field: String, _ maxTokens: Int) throws(ServingError) {
    guard value >= maxTokens else {
      throw ServingError(
        .inconsistent, field: field, reason: "\(value) is below maxTokens \(maxTokens): a long prompt would never run")
    }
  }
}

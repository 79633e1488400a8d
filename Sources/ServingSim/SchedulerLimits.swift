/// A replica scheduler's configuration in the form the hot path wants: every number derived and checked once.
struct SchedulerLimits: Equatable, Sendable {
  let kind: ReplicaSchedulerConfiguration.Kind
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

  init(_ configuration: ReplicaSchedulerConfiguration, blockCount: Int, stageCount: Int, maxTokens: Int) throws(ServingError) {
    guard configuration.batchSizeCap >= 1 && configuration.batchSizeCap <= 1 << 20 else {
      throw ServingError(.outOfRange, field: "batchSizeCap", reason: "\(configuration.batchSizeCap), allowed 1...\(1 << 20)")
    }
    guard configuration.blockSize >= 1 else {
      throw ServingError(.outOfRange, field: "blockSize", reason: "\(configuration.blockSize), allowed 1 or more")
    }
    guard configuration.watermarkFraction >= 0 && configuration.watermarkFraction < 1 else {
      throw ServingError(.outOfRange, field: "watermarkFraction", reason: "\(configuration.watermarkFraction), allowed 0 to below 1")
    }
    guard configuration.batchSizeCap >= stageCount else {
      throw ServingError(
        .inconsistent, field: "batchSizeCap", reason: "\(configuration.batchSizeCap) leaves no member per batch with \(stageCount) stages")
    }
    switch configuration.kind {
    case .vllm(let maxTokensInBatch):
      guard maxTokensInBatch >= maxTokens else {
        throw ServingError(
          .inconsistent, field: "maxTokensInBatch",
          reason: "\(maxTokensInBatch) is below maxTokens \(maxTokens): a long prompt would never run")
      }
    case .sarathi(let chunkTokens):
      guard chunkTokens >= 1 else {
        throw ServingError(.outOfRange, field: "chunkTokens", reason: "\(chunkTokens), allowed 1 or more")
      }
    }
    kind = configuration.kind
    parity = configuration.parity
    self.blockCount = blockCount
    blockSize = configuration.blockSize
    watermarkBlocks = Int(configuration.watermarkFraction * Double(blockCount))
    batchSizeCap = configuration.batchSizeCap
    microBatchCap = configuration.batchSizeCap / stageCount
    self.stageCount = stageCount
  }

  /// Blocks that `tokens` tokens fill, the last one perhaps in part.
  func blocks(for tokens: Int) -> Int { (tokens + blockSize - 1) / blockSize }
}

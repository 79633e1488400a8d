/// How far a replica scheduler follows the reference simulator where that one has defects.
public enum SchedulerParity: String, Equatable, Sendable, CaseIterable {
  /// Event for event as recorded from the reference, its eviction of half-prefilled requests and its stalls included.
  case reference
  /// The same without these defects: an evicted request keeps its prompt, and a replica that evicted everything tries again at once.
  case sane
}

/// The batching policy of a replica and its limits.
public struct ReplicaSchedulerConfiguration: Equatable, Sendable {
  /// Batching policies.
  public enum Kind: Equatable, Sendable {
    /// Prefill-only batches first, padded to `maxTokensInBatch` as a rectangle; otherwise one token for each running request.
    case vllm(maxTokensInBatch: Int)
    /// Decodes first, then prefill chunks until the batch has `chunkTokens` tokens.
    case sarathi(chunkTokens: Int)
  }

  /// The policy.
  public var kind: Kind
  /// Requests that may hold blocks on one replica at a time.
  public var batchSizeCap: Int
  /// Tokens per KV block.
  public var blockSize: Int
  /// Share of the blocks that stays free when a request is admitted, [0, 1).
  public var watermarkFraction: Double
  /// Treatment of the reference's defects.
  public var parity: SchedulerParity

  /// Limits default to those of the reference.
  public init(
    kind: Kind = .vllm(maxTokensInBatch: 4096), batchSizeCap: Int = 128, blockSize: Int = 16, watermarkFraction: Double = 0.01,
    parity: SchedulerParity = .sane
  ) {
    self.kind = kind
    self.batchSizeCap = batchSizeCap
    self.blockSize = blockSize
    self.watermarkFraction = watermarkFraction
    self.parity = parity
  }
}

/// How far a replica scheduler follows the reference simulator where that one has defects.
public enum SchedulerParity: String, Equatable, Sendable, CaseIterable {
  /// Event for event as recorded from the reference: its eviction of half-prefilled requests, its stalls, the blocks that faster_transformer never
  /// gives back, the batch limit that its memory plan gives orca and faster_transformer.
  case reference
  /// The same without these defects.
  case sane
}

/// Who goes first under `vllmV1`: vLLM's `scheduling_policy`.
public enum SchedulingPolicy: String, Equatable, Sendable, CaseIterable {
  /// Who came first; memory is taken from who was admitted last.
  case fcfs
  /// Who is more important (a larger priority; in vLLM it is the smaller number), then who came first; memory is taken from the least important.
  case priority
}

/// The batching policy of a replica and its limits.
public struct ReplicaSchedulerConfiguration: Equatable, Sendable {
  /// Batching policies.
  public enum Kind: Equatable, Sendable {
    /// Prefill-only batches first, padded to `maxTokensInBatch` as a rectangle; otherwise one token for each running request.
    case vllm(maxTokensInBatch: Int = 4096)
    /// Decodes first, then prefill chunks until the batch has `chunkTokens` tokens.
    case sarathi(chunkTokens: Int = 512)
    /// Prefills and decodes mixed without chunks; memory for the longest sequence is reserved on admission.
    case orca
    /// A batch runs until its last member is done, nothing joins; memory as in orca.
    case fasterTransformer
    /// Admission by the peak of future memory, tested every `maxWaitingIterations` decode steps; one token a block, one stage.
    case lightllm(maxTokensInBatch: Int = 4096, maxWaitingIterations: Int = 10)
    /// What vLLM releases run since version 1: one token budget a step, running requests first, prefills in chunks, recomputation of the last
    /// running request when memory is short. The parameters are vLLM's; `batchSizeCap` is its `max_num_seqs`. 0 as threshold is none.
    case vllmV1(maxNumBatchedTokens: Int = 2048, longPrefillTokenThreshold: Int = 0, enableChunkedPrefill: Bool = true)
  }

  /// The policy.
  public var kind: Kind
  /// Who goes first; vllmV1 only.
  public var schedulingPolicy: SchedulingPolicy
  /// Requests that may hold blocks on one replica at a time.
  public var batchSizeCap: Int
  /// Tokens per KV block.
  public var blockSize: Int
  /// Share of the blocks that stays free when a request is admitted, [0, 1); vllm and sarathi.
  public var watermarkFraction: Double
  /// Treatment of the reference's defects.
  public var parity: SchedulerParity

  /// vLLM's present scheduler with the limits of the reference.
  public init(
    kind: Kind = .vllmV1(), schedulingPolicy: SchedulingPolicy = .fcfs, batchSizeCap: Int = 128, blockSize: Int = 16,
    watermarkFraction: Double = 0.01, parity: SchedulerParity = .sane
  ) {
    self.kind = kind
    self.schedulingPolicy = schedulingPolicy
    self.batchSizeCap = batchSizeCap
    self.blockSize = blockSize
    self.watermarkFraction = watermarkFraction
    self.parity = parity
  }

  /// More tokens than an ordinary batch has: the size of a table of batch times.
  var batchTokensMax: Int {
    switch kind {
    case .vllm(let maxTokens), .lightllm(let maxTokens, _): max(maxTokens, batchSizeCap)
    case .sarathi(let chunkTokens): chunkTokens + batchSizeCap
    case .vllmV1(let maxTokens, _, _): maxTokens
    case .orca, .fasterTransformer: 8192
    }
  }
}

/// Replicas that differ from the rest of the section `cluster`.
public struct ReplicaRecord: ConfigurationRecord {
  /// Replicas of the group.
  public var count: Int?
  /// Device type.
  public var device: String?
  /// Node type.
  public var network: String?
  /// Devices that share each layer.
  public var tensorParallel: Int?
  /// Stages the layers are divided into.
  public var pipelineStages: Int?
  /// Share of device memory left unused.
  public var memoryMarginFraction: Double?
  /// Blocks.
  public var blockCount: Int?
  /// Batching policy.
  public var replicaScheduler: ReplicaSchedulerKind?
  /// Most requests that hold memory.
  public var batchSizeCap: Int?
  /// Tokens per block.
  public var blockSize: Int?
  /// Share of the blocks kept free (vllm, sarathi).
  public var watermarkBlocksFraction: Double?
  /// Token budget of a step (vllm_v1).
  public var maxNumBatchedTokens: Int?
  /// Most prompt tokens of one request in a step (vllm_v1).
  public var longPrefillTokenThreshold: Int?
  /// Whether a prompt may be divided (vllm_v1).
  public var enableChunkedPrefill: Bool?
  /// Who goes first (vllm_v1).
  public var schedulingPolicy: SchedulingPolicyRule?
  /// Token limit of a prefill batch (vllm, lightllm).
  public var maxTokensInBatch: Int?
  /// Token budget of an iteration (sarathi).
  public var prefillChunkSize: Int?
  /// Decode steps between attempts to admit (lightllm).
  public var maxWaitingIters: Int?
  /// Speed.
  public var speedFactor: Double?

  /// A group that differs in nothing.
  public init() {}

  static let members: [RecordMember<ReplicaRecord>] = [
    .integer("count", \.count, 1...256, unit: "replicas", absent: "1", "Replicas of the group."),
    .name("device", \.device, of: ClusterSection.devices, absent: "cluster.device", "Device type."),
    .name("network", \.network, of: ClusterSection.networks, absent: "cluster.network", "Node type."),
    .integer(
      "tensor_parallel", \.tensorParallel, 1...8, unit: "devices", absent: "cluster.tensor_parallel", "Devices that share each layer."),
    .integer("pipeline_stages", \.pipelineStages, 1...16, unit: "stages", absent: "cluster.pipeline_stages", "Pipeline stages."),
    .real(
      "memory_margin_fraction", \.memoryMarginFraction, .below(0, 1), absent: "cluster.memory_margin_fraction",
      "Share of the device memory left unused."),
    .integer("block_count", \.blockCount, 0...1_000_000_000, unit: "blocks", absent: "cluster.block_count", "Cache blocks; 0 plans them."),
    .choice("replica_scheduler", \.replicaScheduler, absent: "cluster.replica_scheduler", "How the replica forms its batches."),
    .integer(
      "batch_size_cap", \.batchSizeCap, 1...65_536, unit: "requests",
      absent: "cluster.max_num_seqs for vllm_v1, else cluster.batch_size_cap",
      "Most requests that hold cache blocks at a time."),
    .integer("block_size", \.blockSize, 1...4096, unit: "tokens", absent: "cluster.block_size", "Tokens in one cache block."),
    .real(
      "watermark_blocks_fraction", \.watermarkBlocksFraction, .below(0, 1), absent: "cluster.watermark_blocks_fraction",
      "Share of the blocks that stays free (vllm, sarathi)."),
    .integer(
      "max_num_batched_tokens", \.maxNumBatchedTokens, 1...16_777_216, unit: "tokens", absent: "cluster.max_num_batched_tokens",
      "Token budget of a step (vllm_v1)."),
    .integer(
      "long_prefill_token_threshold", \.longPrefillTokenThreshold, 0...16_777_216, unit: "tokens",
      absent: "cluster.long_prefill_token_threshold", "Most prompt tokens of one request in a step; 0 is no limit (vllm_v1)."),
    .boolean(
      "enable_chunked_prefill", \.enableChunkedPrefill, absent: "cluster.enable_chunked_prefill",
      "Whether a prompt may be divided over steps (vllm_v1)."),
    .choice("scheduling_policy", \.schedulingPolicy, absent: "cluster.scheduling_policy", "Who goes first (vllm_v1)."),
    .integer(
      "max_tokens_in_batch", \.maxTokensInBatch, 1...16_777_216, unit: "tokens", absent: "cluster.max_tokens_in_batch",
      "Limit of a prefill batch (vllm, lightllm)."),
    .integer(
      "prefill_chunk_size", \.prefillChunkSize, 1...1_048_576, unit: "tokens", absent: "cluster.prefill_chunk_size",
      "Token budget of a batch (sarathi)."),
    .integer(
      "max_waiting_iters", \.maxWaitingIters, 0...16_777_216, unit: "steps", absent: "cluster.max_waiting_iters",
      "Decode steps between attempts to admit (lightllm)."),
    .real("speed_factor", \.speedFactor, .closed(0.001, 1000), absent: "1", "Times are divided by it."),
  ]
}

/// What happens to a replica.
public enum AvailabilityKind: String, CaseIterable, Sendable {
  /// It serves what it has and gets nothing new.
  case drain
  /// It loses everything at once.
  case fail
  /// It takes requests again.
  case recover
}

/// A replica that drains, fails or comes back.
public struct AvailabilityRecord: ConfigurationRecord {
  /// Time.
  public var atSeconds: Double?
  /// Which one.
  public var replica: Int?
  /// What happens.
  public var change: AvailabilityKind?

  /// A change that says nothing.
  public init() {}

  static let members: [RecordMember<AvailabilityRecord>] = [
    .real("at_seconds", \.atSeconds, .closed(0, 1e12), unit: "s", "Time of the change, since the start of each chunk."),
    .integer("replica", \.replica, 0...255, "Number of the replica, from 0."),
    .choice("change", \.change, "What happens to it."),
  ]
}

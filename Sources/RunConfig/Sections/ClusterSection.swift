/// How a replica forms its batches.
public enum ReplicaSchedulerKind: String, CaseIterable, Sendable {
  /// The scheduler of vLLM since version 1: one token budget a step, running requests first, prefills in chunks.
  case vllmV1 = "vllm_v1"
  /// The older one: prefills first, then decodes, never both in one batch.
  case vllm
  /// Decodes and pieces of prefills share a token budget.
  case sarathi
  /// Decodes and whole prefills mixed; memory for the longest sequence reserved.
  case orca
  /// A batch runs until its last member is done.
  case fasterTransformer = "faster_transformer"
  /// Admission by the peak of future memory; blocks of one token.
  case lightllm
}

/// Who goes first on a replica (vllm_v1).
public enum SchedulingPolicyRule: String, CaseIterable, Sendable {
  /// Who came first.
  case fcfs
  /// Who is more important, then who came first.
  case priority
}

/// How far a replica scheduler follows the reference simulator where that one has defects.
public enum ParityRule: String, CaseIterable, Sendable {
  /// Without the defects.
  case sane
  /// Event for event as the reference.
  case reference
}

/// The simulated cluster.
public struct ClusterSection: Equatable, Sendable {
  /// Replicas, the actions of the router.
  public var numReplicas = 4
  /// Model that every replica serves.
  public var model = "meta-llama/Llama-2-7b-hf"
  /// Device of every replica.
  public var device = "a100"
  /// How devices are linked; auto: by device.
  public var network = "auto"
  /// Devices that share each layer.
  public var tensorParallel = 1
  /// Stages the layers are divided into.
  public var pipelineStages = 1
  /// Share of device memory left unused.
  public var memoryMarginFraction = 0.1
  /// Longest request, prompt and output together.
  public var maxTokens = 4096
  /// Batching policy of a replica.
  public var replicaScheduler = ReplicaSchedulerKind.vllmV1
  /// Most requests of a replica that hold memory.
  public var batchSizeCap = 128
  /// Tokens per block of the KV cache.
  public var blockSize = 16
  /// Share of the blocks kept free when a request is admitted.
  public var watermarkBlocksFraction = 0.01
  /// Token budget of a step (vllm_v1).
  public var maxNumBatchedTokens = 2048
  /// Most requests of a replica that hold memory (vllm_v1).
  public var maxNumSeqs = 128
  /// Most prompt tokens of one request in a step (vllm_v1); 0 = no limit.
  public var longPrefillTokenThreshold = 0
  /// Whether a prompt may be divided over several steps (vllm_v1).
  public var enableChunkedPrefill = true
  /// Who goes first (vllm_v1).
  public var schedulingPolicy = SchedulingPolicyRule.fcfs
  /// Token limit of a prefill batch (vllm, lightllm).
  public var maxTokensInBatch = 4096
  /// Token budget of an iteration (sarathi).
  public var prefillChunkSize = 512
  /// Decode steps between attempts to admit (lightllm).
  public var maxWaitingIters = 10
  /// How replicas differ from the rest of the section; empty = not at all.
  public var replicas: [ReplicaRecord] = []
  /// Replicas that drain, fail and recover.
  public var availability: [AvailabilityRecord] = []
  /// Blocks per replica; 0 = planned from memory.
  public var blockCount = 0
  /// Treatment of the reference's defects.
  public var parity = ParityRule.sane

  /// Names of the models with built-in facts.
  public static let models = [
    "meta-llama/Llama-2-7b-hf", "meta-llama/Llama-2-70b-hf", "meta-llama/Meta-Llama-3-8B", "meta-llama/Meta-Llama-3-70B",
    "codellama/CodeLlama-34b-Instruct-hf", "internlm/internlm-20b", "internlm/internlm2-20b", "microsoft/phi-2", "Qwen/Qwen-72B",
  ]

  /// Names of the devices with built-in facts.
  public static let devices = ["a100", "h100", "a40"]

  /// Names of the node types with built-in facts, and the one that stands for the device's own.
  public static let networks = [
    "auto", "a100_dgx", "a100_pairwise_nvlink", "h100_dgx", "h100_pairwise_nvlink", "a40_pairwise_nvlink",
  ]

  static let fields: [Field] = [
    .integer("cluster.num_replicas", \.cluster.numReplicas, 1...256, unit: "replicas", .frozen, "Replicas the router chooses from."),
    .name("cluster.model", \.cluster.model, of: models, .frozen, "Model that every replica serves."),
    .name("cluster.device", \.cluster.device, of: devices, .frozen, "Device type of every replica."),
    .name(
      "cluster.network", \.cluster.network, of: networks, .frozen,
      "How the devices of a node are linked; auto is a100_dgx, h100_dgx or a40_pairwise_nvlink by device."),
    .integer(
      "cluster.tensor_parallel", \.cluster.tensorParallel, 1...8, unit: "devices", .frozen,
      "Devices that share each layer of a replica: 1, 2, 4 or 8."),
    .integer(
      "cluster.pipeline_stages", \.cluster.pipelineStages, 1...16, unit: "stages", .frozen,
      "Pipeline stages the layers of a replica are divided into."),
    .real(
      "cluster.memory_margin_fraction", \.cluster.memoryMarginFraction, .below(0, 1), .frozen,
      "Share of the device memory that the block planner leaves unused."),
    .integer(
      "cluster.max_tokens", \.cluster.maxTokens, 2...1_048_576, unit: "tokens", .frozen,
      "Longest request that fits, prompt and output together."),
    .choice("cluster.replica_scheduler", \.cluster.replicaScheduler, .frozen, "How a replica forms its batches."),
    .integer(
      "cluster.batch_size_cap", \.cluster.batchSizeCap, 1...65_536, unit: "requests", .frozen,
      "Most requests of one replica that hold cache blocks at a time (all schedulers but vllm_v1)."),
    .integer("cluster.block_size", \.cluster.blockSize, 1...4096, unit: "tokens", .frozen, "Tokens in one block of the KV cache."),
    .real(
      "cluster.watermark_blocks_fraction", \.cluster.watermarkBlocksFraction, .below(0, 1), .frozen,
      "Share of the blocks that stays free when a new request is admitted (replica_scheduler vllm, sarathi)."),
    .integer(
      "cluster.max_num_batched_tokens", \.cluster.maxNumBatchedTokens, 1...16_777_216, unit: "tokens", .frozen,
      "Token budget of one step (replica_scheduler vllm_v1)."),
    .integer(
      "cluster.max_num_seqs", \.cluster.maxNumSeqs, 1...65_536, unit: "requests", .frozen,
      "Most requests of one replica that hold cache blocks at a time (replica_scheduler vllm_v1)."),
    .integer(
      "cluster.long_prefill_token_threshold", \.cluster.longPrefillTokenThreshold, 0...16_777_216, unit: "tokens", .frozen,
      "Most prompt tokens of one request in a step; 0 is no limit (replica_scheduler vllm_v1)."),
    .boolean(
      "cluster.enable_chunked_prefill", \.cluster.enableChunkedPrefill, .frozen,
      "Whether a prompt may be divided over several steps (replica_scheduler vllm_v1)."),
    .choice(
      "cluster.scheduling_policy", \.cluster.schedulingPolicy, .frozen,
      "Who goes first, and who loses memory last: who came first, or who has the larger priority (replica_scheduler vllm_v1)."),
    .integer(
      "cluster.max_tokens_in_batch", \.cluster.maxTokensInBatch, 1...16_777_216, unit: "tokens", .frozen,
      "Limit of a prefill batch, requests times longest prompt for vllm, the sum of prompts for lightllm."),
    .integer(
      "cluster.prefill_chunk_size", \.cluster.prefillChunkSize, 1...1_048_576, unit: "tokens", .frozen,
      "Token budget of one batch, which prefills share with decodes (replica_scheduler sarathi)."),
    .integer(
      "cluster.max_waiting_iters", \.cluster.maxWaitingIters, 0...16_777_216, unit: "steps", .frozen,
      "Decode steps between two attempts to admit requests (replica_scheduler lightllm)."),
    .records(
      "cluster.replicas", \.cluster.replicas, countMax: 256, .frozen,
      "Groups of replicas and how they differ from the keys above, in order; their counts add up to num_replicas, an empty list makes all alike."
    ),
    .records(
      "cluster.availability", \.cluster.availability, countMax: 4096, .frozen,
      "Changes of availability in order of time; requests of a replica that fails are routed again."),
    .integer(
      "cluster.block_count", \.cluster.blockCount, 0...1_000_000_000, unit: "blocks", .frozen,
      "Cache blocks of a replica; 0 plans them from model, device and memory margin."),
    .choice(
      "cluster.parity", \.cluster.parity, .frozen,
      "Whether replica schedulers repeat the reference's defects event for event, or behave sanely."),
  ]
}

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

/// A stage of training.
public struct CurriculumStageRecord: ConfigurationRecord {
  /// Chunks it lasts.
  public var chunks: Int?
  /// Factor on the arrival rate.
  public var rateScale: Double?
  /// Factor on the latency threshold.
  public var latencyThresholdScale: Double?

  /// A stage that says nothing.
  public init() {}

  static let members: [RecordMember<CurriculumStageRecord>] = [
    .integer("chunks", \.chunks, 1...1_000_000_000, unit: "chunks", "Chunks that the stage lasts; the last stage stays."),
    .real("rate_scale", \.rateScale, .above(0, 1e6), absent: "1", "Factor on the arrival rate of the workload."),
    .real(
      "latency_threshold_scale", \.latencyThresholdScale, .above(0, 1e6), absent: "1", "Factor on reward.latency_threshold."),
  ]
}

/// Stages of training that differ in the environment.
public struct CurriculumSection: Equatable, Sendable {
  /// In order; none is the task as configured.
  public var stages: [CurriculumStageRecord] = []

  static let fields: [Field] = [
    .records(
      "curriculum.stages", \.curriculum.stages, countMax: 64, .frozen,
      "Stages in order, changed at chunk boundaries; empty trains the task as configured throughout, and evaluations always have it so.")
  ]
}

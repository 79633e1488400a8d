/// The use of every replica and pipeline stage with least and greatest values, from the log taken piece by piece: what the reference writes to files.
///
/// Means are those of `ClusterSimulation.usage`; stages that a failure cut short do not count.
public struct UtilizationMeter: Sendable {
  /// What the meter needs recorded.
  public static let parts: EventLog.Parts = [.events, .stages, .work]

  /// One stage's series, percent.
  public struct Stage: Sendable {
    /// 100 while it works, otherwise 0.
    public fileprivate(set) var busy: StepSeries
    /// Model FLOPs over what a device could do at its peak.
    public fileprivate(set) var modelFlopsUtilization: StepSeries
  }

  /// One replica's series.
  public struct Replica: Sendable {
    /// KV blocks in use, percent.
    public fileprivate(set) var memory: StepSeries
    /// Its stages.
    public fileprivate(set) var stages: [Stage]
  }

  /// By replica number; empty before the first event.
  public private(set) var replicas: [Replica] = []

  private let cluster: ClusterConfiguration
  private let blockCounts: [Int]

  /// A meter for `cluster`, which is empty yet.
  public init(_ cluster: ClusterSimulation) {
    self.cluster = cluster.configuration
    blockCounts = (0..<cluster.replicaCount).map { cluster.replica($0).blockCount }
  }

  /// Takes in the next piece of the log.
  public mutating func add(_ log: EventLog) {
    if replicas.isEmpty, let first = log.events.first { begin(at: first.time) }
    for event in log.events {
      guard let replica = event.replica else { continue }
      var blocks = event.allocatedBlocks
      if event.kind == .availabilityChange, event.detail == .change(.fail) { blocks = 0 }
      if let blocks { replicas[replica].memory.change(to: 100 * Double(blocks) / Double(blockCounts[replica]), at: event.time) }
    }
    for stage in log.stages { add(stage) }
  }

  private mutating func begin(at time: Double) {
    let nothing = StepSeries(0, from: time)
    replicas = cluster.replicas.map {
      Replica(memory: nothing, stages: Array(repeating: Stage(busy: nothing, modelFlopsUtilization: nothing), count: $0.pipelineStages))
    }
  }

  private mutating func add(_ record: EventLog.StageRecord) {
    let replica = cluster.replicas[record.replica]
    let (perToken, perPair) = MemoryPlan.modelFlops(cluster.model, replica)
    let work = record.work.map { perToken * Double($0.tokens) + perPair * Double($0.attentionPairs) } ?? 0
    let seconds = record.completedAt - record.scheduledAt
    var stage = replicas[record.replica].stages[record.stage]
    stage.busy.change(to: 100, at: record.scheduledAt)
    stage.busy.change(to: 0, at: record.completedAt)
    stage.modelFlopsUtilization.change(to: 100 * work / (seconds * replica.device.peakFlops), at: record.scheduledAt)
    stage.modelFlopsUtilization.change(to: 0, at: record.completedAt)
    replicas[record.replica].stages[record.stage] = stage
  }
}

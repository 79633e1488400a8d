import ServingSim

/// Stages of training that differ in the environment: arrival rate and latency threshold. A pure function of the chunk, so that neither ranks nor
/// interruptions can shift it. The reward's form never changes, so a stage asks for the same thing under another load.
public struct Curriculum: Equatable, Sendable {
  /// One stage.
  public struct Stage: Equatable, Sendable {
    /// Chunks it lasts; of the last stage it does not count.
    public var chunks: Int
    /// Factor on the workload's arrival rate.
    public var rateScale: Double
    /// Factor on the reward's latency threshold.
    public var latencyThresholdScale: Double

    /// A stage of `chunks` chunks.
    public init(chunks: Int, rateScale: Double, latencyThresholdScale: Double) {
      self.chunks = chunks
      self.rateScale = rateScale
      self.latencyThresholdScale = latencyThresholdScale
    }

    /// The task as configured.
    static let plain = Stage(chunks: 1, rateScale: 1, latencyThresholdScale: 1)
  }

  /// In order; none: the task as configured throughout.
  public var stages: [Stage]

  /// Stages in order.
  public init(stages: [Stage] = []) { self.stages = stages }

  /// The stage of `chunk`: the last one stays. Chunk 0, which evaluations use, is the task as configured.
  public func stage(chunk: Int) -> Stage {
    guard chunk > 0, var stage = stages.first else { return .plain }
    var end = 0
    for next in stages {
      stage = next
      end += next.chunks
      if chunk <= end { break }
    }
    return stage
  }

  func validate() throws(ServingError) {
    for (index, stage) in stages.enumerated() {
      for (field, value) in [("rateScale", stage.rateScale), ("latencyThresholdScale", stage.latencyThresholdScale)] {
        guard value.isFinite && value > 0 else {
          throw ServingError(.outOfRange, field: "curriculum[\(index)].\(field)", reason: "\(value), allowed above 0")
        }
      }
      guard stage.chunks >= 1 else {
        throw ServingError(.outOfRange, field: "curriculum[\(index)].chunks", reason: "\(stage.chunks), allowed 1 or more")
      }
    }
  }
}

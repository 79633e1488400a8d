/// A cluster of identical replicas.
public struct ClusterConfiguration: Equatable, Sendable {
  /// Replicas.
  public var replicaCount: Int
  /// The served model.
  public var model: ModelFacts
  /// The accelerator.
  public var device: DeviceFacts
  /// How devices are linked.
  public var network: NodeFacts
  /// Devices that share each layer of a replica.
  public var tensorParallel: Int
  /// Stages a replica's layers are cut into.
  public var pipelineStages: Int
  /// Share of device memory left unused.
  public var memoryMarginFraction: Double
  /// Longest sequence, prompt and output together.
  public var maxTokens: Int
  /// Batching.
  public var scheduler: ReplicaSchedulerConfiguration
  /// Stage times.
  public var timeModel: TimeModelKind
  /// What the closed form sees of a batch.
  public var featureRounding: FeatureRounding
  /// KV blocks per replica; nil: from the memory plan.
  public var blockCount: Int?

  /// Defaults: four replicas of Llama-2-7b on one A100 each.
  public init(
    replicaCount: Int = 4, model: ModelFacts = .llama2_7B, device: DeviceFacts = .a100, network: NodeFacts = .a100DGX,
    tensorParallel: Int = 1, pipelineStages: Int = 1, memoryMarginFraction: Double = 0.1, maxTokens: Int = 4096,
    scheduler: ReplicaSchedulerConfiguration = ReplicaSchedulerConfiguration(), timeModel: TimeModelKind = .closedForm,
    featureRounding: FeatureRounding = .exact, blockCount: Int? = nil
  ) {
    self.replicaCount = replicaCount
    self.model = model
    self.device = device
    self.network = network
    self.tensorParallel = tensorParallel
    self.pipelineStages = pipelineStages
    self.memoryMarginFraction = memoryMarginFraction
    self.maxTokens = maxTokens
    self.scheduler = scheduler
    self.timeModel = timeModel
    self.featureRounding = featureRounding
    self.blockCount = blockCount
  }

  /// Checks everything but the scheduler, which `SchedulerLimits` checks.
  func validate() throws(ServingError) {
    guard replicaCount >= 1 && replicaCount <= 65536 else {
      throw ServingError(.outOfRange, field: "replicaCount", reason: "\(replicaCount), allowed 1...65536")
    }
    guard maxTokens >= 2 && maxTokens <= 1 << 24 else {
      throw ServingError(.outOfRange, field: "maxTokens", reason: "\(maxTokens), allowed 2...\(1 << 24)")
    }
    try model.validate(tensorParallel: tensorParallel, pipelineStages: pipelineStages)
    if let blockCount, blockCount < 1 {
      throw ServingError(.outOfRange, field: "blockCount", reason: "\(blockCount), allowed 1 or more")
    }
    switch timeModel {
    case .closedForm, .measured: break
    case .constant(let seconds):
      guard seconds.isFinite && seconds > 0 else {
        throw ServingError(.outOfRange, field: "timeModel.constant", reason: "\(seconds), allowed above 0")
      }
    case .linear(let a, let b, let c, let d):
      guard a.isFinite && a > 0 else {
        throw ServingError(.outOfRange, field: "timeModel.linear.a", reason: "\(a), allowed above 0")
      }
      for (name, value) in [("b", b), ("c", c), ("d", d)] {
        guard value.isFinite && value >= 0 else {
          throw ServingError(.outOfRange, field: "timeModel.linear.\(name)", reason: "\(value), allowed 0 or more")
        }
      }
    }
  }

  /// The time model, its table built.
  func stageTimeModel() throws(ServingError) -> StageTimeModel {
    switch timeModel {
    case .constant(let seconds): return .constant(seconds)
    case .linear(let a, let b, let c, let d): return .linear(a: a, b: b, c: c, d: d)
    case .closedForm, .measured:
      let largestBatch =
        switch scheduler.kind {
        case .vllm(let maxTokensInBatch): max(maxTokensInBatch, scheduler.batchSizeCap)
        case .sarathi(let chunkTokens): chunkTokens + scheduler.batchSizeCap
        }
      return .closedForm(
        try ClosedFormTimeModel(
          model: model, device: device, node: network, tensorParallel: tensorParallel, pipelineStages: pipelineStages,
          rounding: featureRounding, measured: timeModel.measured ?? MeasuredTimes(), tableTokens: min(8192, largestBatch)))
    }
  }
}

/// One replica: its devices, how the model is cut over them, and how it batches.
public struct ReplicaConfiguration: Equatable, Sendable {
  /// The accelerator.
  public var device: DeviceFacts
  /// How devices are linked.
  public var network: NodeFacts
  /// Devices that share each layer.
  public var tensorParallel: Int
  /// Stages the layers are cut into.
  public var pipelineStages: Int
  /// Share of device memory left unused.
  public var memoryMarginFraction: Double
  /// KV blocks; nil: from the memory plan.
  public var blockCount: Int?
  /// Batching.
  public var scheduler: ReplicaSchedulerConfiguration
  /// Stage times.
  public var timeModel: TimeModelKind
  /// What the closed form sees of a batch.
  public var featureRounding: FeatureRounding
  /// Stage times are divided by this: 0.5 is a replica at half its speed.
  public var speedFactor: Double

  /// Defaults: one A100 with the built-in time model.
  public init(
    device: DeviceFacts = .a100, network: NodeFacts = .a100DGX, tensorParallel: Int = 1, pipelineStages: Int = 1,
    memoryMarginFraction: Double = 0.1, blockCount: Int? = nil, scheduler: ReplicaSchedulerConfiguration = ReplicaSchedulerConfiguration(),
    timeModel: TimeModelKind = .closedForm, featureRounding: FeatureRounding = .exact, speedFactor: Double = 1
  ) {
    self.device = device
    self.network = network
    self.tensorParallel = tensorParallel
    self.pipelineStages = pipelineStages
    self.memoryMarginFraction = memoryMarginFraction
    self.blockCount = blockCount
    self.scheduler = scheduler
    self.timeModel = timeModel
    self.featureRounding = featureRounding
    self.speedFactor = speedFactor
  }

  /// Checks everything but the scheduler, which `SchedulerLimits` checks.
  func validate(model: ModelFacts) throws(ServingError) {
    try model.validate(tensorParallel: tensorParallel, pipelineStages: pipelineStages)
    if let blockCount, blockCount < 1 {
      throw ServingError(.outOfRange, field: "blockCount", reason: "\(blockCount), allowed 1 or more")
    }
    guard speedFactor >= 1e-3 && speedFactor <= 1e3 else {
      throw ServingError(.outOfRange, field: "speedFactor", reason: "\(speedFactor), allowed 0.001...1000")
    }
    try timeModel.validate()
  }

  /// The KV blocks, given or planned.
  func plannedBlockCount(model: ModelFacts, maxTokens: Int) throws(ServingError) -> Int {
    if let blockCount { return blockCount }
    guard scheduler.blockSize >= 1 else {
      throw ServingError(.outOfRange, field: "blockSize", reason: "\(scheduler.blockSize), allowed 1 or more")
    }
    return try memoryPlan(model: model, maxTokens: maxTokens).blockCount
  }

  /// Longest requests that fit into the memory beside the weights; nil if the weights alone do not fit.
  func plannedBatchMax(model: ModelFacts, maxTokens: Int) -> Int? {
    guard scheduler.blockSize >= 1 else { return nil }
    return try? memoryPlan(model: model, maxTokens: maxTokens).batchMax
  }

  private func memoryPlan(model: ModelFacts, maxTokens: Int) throws(ServingError) -> MemoryPlan {
    try MemoryPlan(
      model: model, device: device, tensorParallel: tensorParallel, pipelineStages: pipelineStages,
      memoryMarginFraction: memoryMarginFraction, maxTokens: maxTokens, blockSize: scheduler.blockSize)
  }

  /// The time model, its table built.
  func stageTimeModel(model: ModelFacts) throws(ServingError) -> StageTimeModel {
    switch timeModel {
    case .constant(let seconds): return .constant(seconds)
    case .linear(let a, let b, let c, let d): return .linear(a: a, b: b, c: c, d: d)
    case .closedForm, .measured:
      let times = try ClosedFormTimeModel(
        model: model, device: device, node: network, tensorParallel: tensorParallel, pipelineStages: pipelineStages,
        rounding: featureRounding, measured: timeModel.measured ?? MeasuredTimes(), tableTokens: min(8192, scheduler.batchTokensMax))
      return .closedForm(SharedTimes(times))
    }
  }
}

extension TimeModelKind {
  /// Refuses coefficients that give no positive time.
  func validate() throws(ServingError) {
    switch self {
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
}

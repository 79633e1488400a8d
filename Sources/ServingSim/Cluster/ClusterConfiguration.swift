/// A cluster that serves one model behind one router; its replicas may differ.
public struct ClusterConfiguration: Equatable, Sendable {
  /// The served model.
  public var model: ModelFacts
  /// Longest sequence, prompt and output together.
  public var maxTokens: Int
  /// The replicas, by index.
  public var replicas: [ReplicaConfiguration]
  /// When replicas drain, fail and come back, in nondecreasing time.
  public var availability: [AvailabilityChange]

  /// A cluster of these replicas.
  public init(
    model: ModelFacts = .llama2_7B, maxTokens: Int = 4096, replicas: [ReplicaConfiguration], availability: [AvailabilityChange] = []
  ) {
    self.model = model
    self.maxTokens = maxTokens
    self.replicas = replicas
    self.availability = availability
  }

  /// Identical replicas; defaults: four of Llama-2-7b on one A100 each.
  public init(
    replicaCount: Int = 4, model: ModelFacts = .llama2_7B, device: DeviceFacts = .a100, network: NodeFacts = .a100DGX,
    tensorParallel: Int = 1, pipelineStages: Int = 1, memoryMarginFraction: Double = 0.1, maxTokens: Int = 4096,
    scheduler: ReplicaSchedulerConfiguration = ReplicaSchedulerConfiguration(), timeModel: TimeModelKind = .closedForm,
    featureRounding: FeatureRounding = .exact, blockCount: Int? = nil
  ) {
    let replica = ReplicaConfiguration(
      device: device, network: network, tensorParallel: tensorParallel, pipelineStages: pipelineStages,
      memoryMarginFraction: memoryMarginFraction, blockCount: blockCount, scheduler: scheduler, timeModel: timeModel,
      featureRounding: featureRounding)
    self.init(model: model, maxTokens: maxTokens, replicas: Array(repeating: replica, count: max(0, replicaCount)))
  }

  /// Number of replicas.
  public var replicaCount: Int { replicas.count }

  /// Whether the replicas are alike.
  var isUniform: Bool { !replicas.dropFirst().contains { $0 != replicas[0] } }

  /// Checks everything but the schedulers, which `SchedulerLimits` checks.
  func validate() throws(ServingError) {
    guard replicas.count >= 1 && replicas.count <= 65536 else {
      throw ServingError(.outOfRange, field: "replicas", reason: "\(replicas.count) replicas, allowed 1...65536")
    }
    guard maxTokens >= 2 && maxTokens <= 1 << 24 else {
      throw ServingError(.outOfRange, field: "maxTokens", reason: "\(maxTokens), allowed 2...\(1 << 24)")
    }
    for (index, replica) in replicas.enumerated() where index == 0 || replica != replicas[index - 1] {
      do throws(ServingError) {
        try replica.validate(model: model)
      } catch {
        throw isUniform ? error : error.inReplica(index)
      }
    }
    try validateAvailability()
  }

  private func validateAvailability() throws(ServingError) {
    var isAvailable = [Bool](repeating: true, count: replicas.count)
    var time = 0.0
    for (index, change) in availability.enumerated() {
      let field = "availability[\(index)]"
      guard change.time.isFinite && change.time >= time else {
        throw ServingError(.outOfRange, field: field, reason: "time \(change.time), allowed \(time) or later: the list is in order of time")
      }
      guard replicas.indices.contains(change.replica) else {
        throw ServingError(.outOfRange, field: field, reason: "replica \(change.replica), allowed 0...\(replicas.count - 1)")
      }
      time = change.time
      isAvailable[change.replica] = change.kind == .recover
    }
    guard isAvailable.contains(true) else {
      throw ServingError(.inconsistent, field: "availability", reason: "no replica is available after the last change")
    }
  }
}

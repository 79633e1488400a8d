import RunConfig
import ServingSim

extension ClusterConfiguration {
  /// The cluster that a configuration describes.
  init(_ configuration: Configuration, _ inputs: InputFiles) throws(TrainingError) {
    let section = configuration.cluster
    guard let model = ModelFacts.named(section.model) else {
      throw TrainingError(.usage, "cluster.model: no facts about \"\(section.model)\"")
    }
    let common = try Self.replica(ReplicaRecord(), configuration, model, inputs)
    var replicas: [ReplicaConfiguration] = []
    for record in section.replicas {
      let replica = try Self.replica(record, configuration, model, inputs)
      replicas += Array(repeating: replica, count: record.count ?? 1)
    }
    if section.replicas.isEmpty { replicas = Array(repeating: common, count: section.numReplicas) }
    guard replicas.count == section.numReplicas else {
      throw TrainingError(.usage, "cluster.replicas: groups of \(replicas.count) replicas for cluster.num_replicas \(section.numReplicas)")
    }
    let changes: [AvailabilityChange] = section.availability.map { record in
      let kind: AvailabilityChange.Kind =
        switch record.change {
        case .drain: .drain
        case .recover: .recover
        case .fail, nil: .fail
        }
      return AvailabilityChange(time: record.atSeconds ?? 0, replica: record.replica ?? 0, kind: kind)
    }
    self.init(model: model, maxTokens: section.maxTokens, replicas: replicas, availability: changes)
  }

  /// A replica of the section `cluster` with what `record` says otherwise.
  private static func replica(
    _ record: ReplicaRecord, _ configuration: Configuration, _ model: ModelFacts, _ inputs: InputFiles
  ) throws(TrainingError) -> ReplicaConfiguration {
    let section = configuration.cluster
    let (device, network) = try facts(
      device: record.device ?? section.device, network: record.network ?? (record.device == nil ? section.network : "auto"),
      configuration.timing)
    let tensorParallel = record.tensorParallel ?? section.tensorParallel
    let pipelineStages = record.pipelineStages ?? section.pipelineStages
    let blockCount = record.blockCount ?? section.blockCount
    let subject = ProfileSubject(
      model: model, tensorParallel: tensorParallel, pipelineStages: pipelineStages, node: network,
      blockSize: record.blockSize ?? section.blockSize)
    return ReplicaConfiguration(
      device: device, network: network, tensorParallel: tensorParallel, pipelineStages: pipelineStages,
      memoryMarginFraction: record.memoryMarginFraction ?? section.memoryMarginFraction, blockCount: blockCount > 0 ? blockCount : nil,
      scheduler: scheduler(record, section),
      timeModel: try TimeModelKind(configuration.timing, inputs, subject, isMeasured: device.name == section.device),
      featureRounding: configuration.timing.featureRounding == .reference ? .reference : .exact, speedFactor: record.speedFactor ?? 1)
  }

  private static func scheduler(_ record: ReplicaRecord, _ section: ClusterSection) -> ReplicaSchedulerConfiguration {
    let policy = record.replicaScheduler ?? section.replicaScheduler
    let kind: ReplicaSchedulerConfiguration.Kind =
      switch policy {
      case .vllmV1:
        .vllmV1(
          maxNumBatchedTokens: record.maxNumBatchedTokens ?? section.maxNumBatchedTokens,
          longPrefillTokenThreshold: record.longPrefillTokenThreshold ?? section.longPrefillTokenThreshold,
          enableChunkedPrefill: record.enableChunkedPrefill ?? section.enableChunkedPrefill)
      case .vllm: .vllm(maxTokensInBatch: record.maxTokensInBatch ?? section.maxTokensInBatch)
      case .sarathi: .sarathi(chunkTokens: record.prefillChunkSize ?? section.prefillChunkSize)
      case .orca: .orca
      case .fasterTransformer: .fasterTransformer
      case .lightllm:
        .lightllm(
          maxTokensInBatch: record.maxTokensInBatch ?? section.maxTokensInBatch,
          maxWaitingIterations: record.maxWaitingIters ?? section.maxWaitingIters)
      }
    return ReplicaSchedulerConfiguration(
      kind: kind, schedulingPolicy: (record.schedulingPolicy ?? section.schedulingPolicy) == .priority ? .priority : .fcfs,
      batchSizeCap: record.batchSizeCap ?? (policy == .vllmV1 ? section.maxNumSeqs : section.batchSizeCap),
      blockSize: record.blockSize ?? section.blockSize,
      watermarkFraction: record.watermarkBlocksFraction ?? section.watermarkBlocksFraction,
      parity: section.parity == .reference ? .reference : .sane)
  }

  /// Device and node with the constants that the configuration replaces.
  static func facts(
    device name: String, network: String, _ timing: TimingSection
  ) throws(TrainingError) -> (device: DeviceFacts, network: NodeFacts) {
    guard var device = DeviceFacts.named(name) else { throw TrainingError(.usage, "cluster.device: no facts about \"\(name)\"") }
    let own: [(device: String, network: String)] = [("a100", "a100_dgx"), ("h100", "h100_dgx"), ("a40", "a40_pairwise_nvlink")]
    let chosen = network == "auto" ? own.first { $0.device == name }?.network ?? network : network
    guard var node = NodeFacts.named(chosen) else { throw TrainingError(.usage, "cluster.network: no facts about \"\(chosen)\"") }
    for replaced in timing.constants where replaced.device == nil || replaced.device == name {
      if let constant = replaced.constant, let value = replaced.value { constant.set(value, &device, &node) }
    }
    return (device, node)
  }
}

extension TimeModelKind {
  /// The time model of replicas that profiles of `subject` are about.
  ///
  /// - Parameter isMeasured: whether profiles are about the replica's device, which they are for `cluster.device` alone; other devices go by the closed
  ///   form.
  init(
    _ timing: TimingSection, _ inputs: InputFiles, _ subject: ProfileSubject, isMeasured: Bool
  ) throws(TrainingError) {
    switch timing.model {
    case .constant: self = .constant(seconds: timing.constantSeconds)
    case .linear: self = .linear(a: timing.linearA, b: timing.linearB, c: timing.linearC, d: timing.linearD)
    case .closedForm, .table:
      guard isMeasured else {
        self = .closedForm
        return
      }
      var times = MeasuredTimes()
      times.layer = try inputs.parse("timing.mlp_profile") { bytes, name throws(CSVError) in
        try MeasuredTimes.layer(bytes: bytes, name: name, subject: subject)
      }
      times.attention = try inputs.parse("timing.attention_profile") { bytes, name throws(CSVError) in
        try MeasuredTimes.attention(bytes: bytes, name: name, subject: subject)
      }
      if subject.tensorParallel > 1 {
        times.allReduce = try inputs.parse("timing.all_reduce_profile") { bytes, name throws(CSVError) in
          try MeasuredTimes.allReduce(bytes: bytes, name: name, subject: subject)
        }
      }
      if subject.pipelineStages > 1 {
        times.sendReceive = try inputs.parse("timing.send_recv_profile") { bytes, name throws(CSVError) in
          try MeasuredTimes.sendReceive(bytes: bytes, name: name, subject: subject)
        }
      }
      times.cpu = try inputs.parse("timing.cpu_overhead_profile") { bytes, name throws(CSVError) in
        try MeasuredTimes.cpu(bytes: bytes, name: name, subject: subject)
      }
      self = times == MeasuredTimes() ? .closedForm : .measured(times)
    }
  }
}

extension TimingConstant {
  /// Replaces the constant in the facts about a device and the links of its node.
  func set(_ value: Double, _ device: inout DeviceFacts, _ node: inout NodeFacts) {
    switch self {
    case .peakTflops: device.peakFlops = value * 1e12
    case .bandwidthTbs: device.bandwidth = value * 1e12
    case .matmulTile: device.fit.matmulTile = Int(value)
    case .matmulOverhead: device.fit.matmulOverhead = value
    case .matmulComputeEfficiency: device.fit.matmulComputeEfficiency = value
    case .matmulBandwidthEfficiency: device.fit.matmulBandwidthEfficiency = value
    case .inputNormOverhead: device.fit.inputNorm.overhead = value
    case .inputNormEfficiency: device.fit.inputNorm.efficiency = value
    case .postNormOverhead: device.fit.postAttentionNorm.overhead = value
    case .postNormEfficiency: device.fit.postAttentionNorm.efficiency = value
    case .addOverhead: device.fit.add.overhead = value
    case .addEfficiency: device.fit.add.efficiency = value
    case .ropeOverhead: device.fit.rope.overhead = value
    case .ropeEfficiency: device.fit.rope.efficiency = value
    case .activationOverhead: device.fit.activation.overhead = value
    case .activationEfficiency: device.fit.activation.efficiency = value
    case .cacheSaveOverhead: device.fit.cacheSave.overhead = value
    case .cacheSaveEfficiency: device.fit.cacheSave.efficiency = value
    case .attentionOverhead: device.fit.attentionOverhead = value
    case .attentionComputeEfficiency: device.fit.attentionComputeEfficiency = value
    case .attentionBandwidthEfficiency: device.fit.attentionBandwidthEfficiency = value
    case .collectiveLaunch: device.fit.collectiveLaunch = value
    case .collectiveSkew: device.fit.collectiveSkew = value
    case .decodeBatchingOverhead: device.fit.decodeBatchingOverhead = value
    case .prefillBatchingOverhead: device.fit.prefillBatchingOverhead = value
    case .allReduceLatency: node.changeAllReduces { $0.latency = value }
    case .allReduceBandwidth: node.changeAllReduces { $0.gigabytesPerSecond = value }
    case .sendReceiveLatency: node.changeTransfers { $0.latency = value }
    case .sendReceiveBandwidth: node.changeTransfers { $0.gigabytesPerSecond = value }
    }
  }
}

extension NodeFacts {
  fileprivate mutating func changeAllReduces(_ change: (inout Link) -> Void) {
    func changed(_ link: Link?) -> Link? {
      guard var link else { return nil }
      change(&link)
      return link
    }
    allReduce2 = changed(allReduce2)
    allReduce4 = changed(allReduce4)
    allReduce8 = changed(allReduce8)
  }

  fileprivate mutating func changeTransfers(_ change: (inout Link) -> Void) {
    change(&sendReceiveInside)
    change(&sendReceiveAcross)
  }
}

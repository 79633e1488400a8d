import RunConfig
import ServingSim

extension ClusterConfiguration {
  /// The cluster that a configuration describes.
  init(_ configuration: Configuration, _ inputs: InputFiles) throws(TrainingError) {
    let section = configuration.cluster
    guard let model = ModelFacts.named(section.model) else {
      throw TrainingError(.usage, "cluster.model: no facts about \"\(section.model)\"")
    }
    let (device, network) = try Self.facts(device: section.device, network: section.network, configuration.timing)
    let kind: ReplicaSchedulerConfiguration.Kind =
      switch section.replicaScheduler {
      case .vllm: .vllm(maxTokensInBatch: section.maxTokensInBatch)
      case .sarathi: .sarathi(chunkTokens: section.prefillChunkSize)
      }
    let subject = ProfileSubject(
      model: model, tensorParallel: section.tensorParallel, pipelineStages: section.pipelineStages, node: network,
      blockSize: section.blockSize)
    self.init(
      replicaCount: section.numReplicas, model: model, device: device, network: network, tensorParallel: section.tensorParallel,
      pipelineStages: section.pipelineStages, memoryMarginFraction: section.memoryMarginFraction, maxTokens: section.maxTokens,
      scheduler: ReplicaSchedulerConfiguration(
        kind: kind, batchSizeCap: section.batchSizeCap, blockSize: section.blockSize, watermarkFraction: section.watermarkBlocksFraction,
        parity: section.parity == .reference ? .reference : .sane),
      timeModel: try TimeModelKind(configuration.timing, inputs, subject),
      featureRounding: configuration.timing.featureRounding == .reference ? .reference : .exact,
      blockCount: section.blockCount > 0 ? section.blockCount : nil)
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
  init(_ timing: TimingSection, _ inputs: InputFiles, _ subject: ProfileSubject) throws(TrainingError) {
    switch timing.model {
    case .constant: self = .constant(seconds: timing.constantSeconds)
    case .linear: self = .linear(a: timing.linearA, b: timing.linearB, c: timing.linearC, d: timing.linearD)
    case .closedForm, .table:
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

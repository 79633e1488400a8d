import RunConfig
import ServingEnv
import ServingSim

extension RoutingConfiguration {
  /// The routing task that a configuration describes.
  ///
  /// - Parameter trace: the parsed trace when the workload replays one.
  /// - Throws: `TrainingError` with `.usage` for a name without built-in facts.
  public init(_ configuration: Configuration, trace: Trace?) throws(TrainingError) {
    self.init(
      cluster: try ClusterConfiguration(configuration.cluster),
      workload: try WorkloadConfiguration(configuration.workload, maxTokens: configuration.cluster.maxTokens, trace: trace),
      observation: ObservationConfiguration(configuration.observation), reward: RewardConfiguration(configuration.reward))
  }
}

extension ClusterConfiguration {
  fileprivate init(_ section: ClusterSection) throws(TrainingError) {
    guard let model = ModelFacts.named(section.model) else {
      throw TrainingError(.usage, "cluster.model: no facts about \"\(section.model)\"")
    }
    guard let device = DeviceFacts.named(section.device) else {
      throw TrainingError(.usage, "cluster.device: no facts about \"\(section.device)\"")
    }
    let networks: [(device: String, facts: NodeFacts)] = [("h100", .h100DGX), ("a40", .a40Pairwise)]
    let kind: ReplicaSchedulerConfiguration.Kind =
      switch section.replicaScheduler {
      case .vllm: .vllm(maxTokensInBatch: section.maxTokensInBatch)
      case .sarathi: .sarathi(chunkTokens: section.prefillChunkSize)
      }
    self.init(
      replicaCount: section.numReplicas, model: model, device: device,
      network: networks.first { $0.device == section.device }?.facts ?? .a100DGX, tensorParallel: section.tensorParallel,
      pipelineStages: section.pipelineStages, memoryMarginFraction: section.memoryMarginFraction, maxTokens: section.maxTokens,
      scheduler: ReplicaSchedulerConfiguration(
        kind: kind, batchSizeCap: section.batchSizeCap, blockSize: section.blockSize, watermarkFraction: section.watermarkBlocksFraction),
      blockCount: section.blockCount > 0 ? section.blockCount : nil)
  }
}

extension WorkloadConfiguration {
  fileprivate init(_ section: WorkloadSection, maxTokens: Int, trace: Trace?) throws(TrainingError) {
    let policy: LengthPolicy = section.overLimit == .clamp ? .clamp : .reject
    let rate = section.qps > 0 ? section.qps : WorkloadSection.syntheticRate
    let source: Source =
      switch section.kind {
      case .conversation: .poisson(Synthetic(qps: rate, lengths: .conversation))
      case .fixed:
        .poisson(
          Synthetic(
            qps: rate, lengths: .fixed(prefillTokens: section.fixedPrefillTokens, decodeTokens: section.fixedDecodeTokens)))
      case .uniform:
        .poisson(
          Synthetic(
            qps: rate,
            lengths: .uniformTotal(
              section.uniformMinTokens...section.uniformMaxTokens, prefillToDecodeRatio: section.uniformPrefillToDecodeRatio)))
      case .trace: try Self.replay(section, trace)
      }
    self.init(source: source, maxTokens: maxTokens, lengthPolicy: policy)
  }

  private static func replay(_ section: WorkloadSection, _ trace: Trace?) throws(TrainingError) -> Source {
    guard let trace else { throw TrainingError(.usage, "workload.trace: workload.kind is trace, but no trace was read") }
    return .trace(
      Replay(
        trace: trace, from: section.fromSeconds > 0 ? section.fromSeconds : nil, to: section.toSeconds > 0 ? section.toSeconds : nil,
        qps: section.qps > 0 ? section.qps : nil))
  }
}

extension ObservationConfiguration {
  fileprivate init(_ section: ObservationSection) {
    self.init(
      queueSlots: section.queueSlots, queueDelayFeatures: section.queueDelayFeatures, temporalFeatures: section.temporalFeatures,
      incomingRequestFeatures: section.incomingRequestFeatures, oracleDecodeLength: section.oracleDecodeLength,
      logTokenFeatures: section.logTokenFeatures, metricsWindowSeconds: section.metricsWindowSeconds)
  }
}

extension RewardConfiguration {
  fileprivate init(_ section: RewardSection) {
    self.init(
      latencyThreshold: section.latencyThreshold, throughputTarget: section.throughputTarget > 0 ? section.throughputTarget : nil,
      absoluteWeight: section.absoluteWeight, deltaWeight: section.deltaWeight, alpha: section.alpha, beta: section.beta,
      deltaLatencyWeight: section.deltaLatencyWeight, loadBalancePenalty: section.loadBalancePenalty, kappa: section.kappa,
      sigma: section.sigma, emaAlpha: section.emaAlpha)
  }
}

import RunConfig
import ServingEnv
import ServingSim

extension RoutingConfiguration {
  /// The routing task that a configuration describes.
  ///
  /// - Parameter files: bytes of the files that `Configuration.inputFiles` lists, by key.
  /// - Throws: `TrainingError` with `.usage` for a name without built-in facts, `.badData` for a file with a flaw.
  public init(_ configuration: Configuration, files: [(key: String, bytes: [UInt8])]) throws(TrainingError) {
    let inputs = InputFiles(configuration, files)
    self.init(
      cluster: try ClusterConfiguration(configuration, inputs), workload: try WorkloadConfiguration(configuration, inputs),
      observation: ObservationConfiguration(configuration.observation),
      reward: RewardConfiguration(configuration.reward, credit: configuration.credit.assignment),
      objective: LatencyObjective(configuration.objective), measuresCosts: configuration.credit.assignment != .reward,
      curriculum: Curriculum(configuration.curriculum))
  }
}

/// The bytes of input files with the paths that messages name.
struct InputFiles {
  private let paths: [(key: String, path: String)]
  private let files: [(key: String, bytes: [UInt8])]

  init(_ configuration: Configuration, _ files: [(key: String, bytes: [UInt8])]) {
    paths = configuration.inputFiles
    self.files = files
  }

  /// What `read` makes of the file of `key`; nil if the configuration names none.
  func parse<Content>(
    _ key: String, _ read: (_ bytes: [UInt8], _ name: String) throws(CSVError) -> Content
  ) throws(TrainingError) -> Content? {
    guard let path = paths.first(where: { $0.key == key })?.path else { return nil }
    guard let file = files.first(where: { $0.key == key }) else { throw TrainingError(.usage, "\(key): \(path) was not read") }
    do throws(CSVError) {
      return try read(file.bytes, path)
    } catch {
      throw TrainingError(.badData, error.description)
    }
  }
}

extension ObservationConfiguration {
  fileprivate init(_ section: ObservationSection) {
    self.init(
      queueSlots: section.queueSlots, queueDelayFeatures: section.queueDelayFeatures, temporalFeatures: section.temporalFeatures,
      incomingRequestFeatures: section.incomingRequestFeatures, oracleDecodeLength: section.oracleDecodeLength,
      logTokenFeatures: section.logTokenFeatures, metricsWindowSeconds: section.metricsWindowSeconds,
      replicasMax: section.replicasMax, replicaStatusFeatures: section.replicaStatusFeatures, workFeatures: section.workFeatures,
      incomingPriorityFeature: section.incomingPriorityFeature)
  }
}

extension RewardConfiguration {
  fileprivate init(_ section: RewardSection, credit: CreditAssignment) {
    let mode: Mode =
      switch section.mode {
      case .hybrid: .hybrid
      case .instant: .instant
      case .delta: .delta
      case .latency: credit == .interval ? .accrual : .completion
      }
    self.init(
      mode: mode, latencyThreshold: section.latencyThreshold,
      throughputTarget: section.throughputTarget > 0 ? section.throughputTarget : nil,
      absoluteWeight: section.absoluteWeight, deltaWeight: section.deltaWeight, alpha: section.alpha, beta: section.beta,
      deltaLatencyWeight: section.deltaLatencyWeight, loadBalancePenalty: section.loadBalancePenalty, kappa: section.kappa,
      sigma: section.sigma, emaAlpha: section.emaAlpha, latencyWeight: section.latencyWeight, balanceWeight: section.balancePenaltyWeight,
      latencyPenaltyScale: section.latencyPenaltyScale, latencyBonusScale: section.latencyBonusScale,
      latencyBonusFraction: section.latencyBonusFraction, progressImprovementWeight: section.progressImprovementWeight,
      progressDegradationWeight: section.progressDegradationWeight)
  }
}

extension LatencyObjective {
  /// The objective that a configuration describes.
  public init(_ section: ObjectiveSection) {
    self.init(
      endToEndWeight: section.endToEndWeight, firstTokenWeight: section.ttftWeight, firstTokenSquaredWeight: section.ttftSquaredWeight,
      referenceRequests: section.referenceRequests)
  }
}

extension Curriculum {
  /// The stages that a configuration lists.
  init(_ section: CurriculumSection) {
    self.init(
      stages: section.stages.map {
        Stage(chunks: $0.chunks ?? 1, rateScale: $0.rateScale ?? 1, latencyThresholdScale: $0.latencyThresholdScale ?? 1)
      })
  }
}

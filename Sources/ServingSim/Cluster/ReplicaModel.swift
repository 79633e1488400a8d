/// What replicas of one configuration have in common.
struct ReplicaModel: Equatable, Sendable {
  let limits: SchedulerLimits
  let timeModel: StageTimeModel
  /// Factor on every stage time.
  let timeScale: Double
  /// See `ReplicaView.relativeSpeed`.
  private(set) var relativeSpeed = 1.0

  init(_ configuration: ReplicaConfiguration, model: ModelFacts, maxTokens: Int) throws(ServingError) {
    limits = try SchedulerLimits(
      configuration.scheduler, blockCount: try configuration.plannedBlockCount(model: model, maxTokens: maxTokens),
      stageCount: configuration.pipelineStages, maxTokens: maxTokens,
      plannedBatchMax: configuration.plannedBatchMax(model: model, maxTokens: maxTokens))
    timeModel = try configuration.stageTimeModel(model: model)
    timeScale = configuration.speedFactor == 1 ? 1 : 1 / configuration.speedFactor
  }

  /// The models of a cluster, one for each different configuration, and the model of each replica.
  static func models(of cluster: ClusterConfiguration) throws(ServingError) -> (models: [ReplicaModel], indices: [Int]) {
    var models: [ReplicaModel] = []
    var firsts: [ReplicaConfiguration] = []
    var indices: [Int] = []
    for (index, configuration) in cluster.replicas.enumerated() {
      if let known = firsts.lastIndex(of: configuration) {
        indices.append(known)
        continue
      }
      indices.append(models.count)
      firsts.append(configuration)
      do throws(ServingError) {
        models.append(try ReplicaModel(configuration, model: cluster.model, maxTokens: cluster.maxTokens))
      } catch {
        throw cluster.isUniform ? error : error.inReplica(index)
      }
    }
    let rates = models.map { 1 / $0.probeSeconds() }
    let fastest = rates.max() ?? 1
    for index in models.indices { models[index].relativeSpeed = rates[index] == fastest ? 1 : rates[index] / fastest }
    return (models, indices)
  }

  /// What pipeline stage `stage` takes for `batch`.
  func clock(stage: Int, batch: inout Batch, requests: [Request]) -> StageClock {
    var clock = timeModel.clock(stage: stage, batch: &batch, requests: requests)
    clock.scale = timeScale
    return clock
  }

  /// Work that speeds are compared on: a prompt of 512 tokens and 128 decode steps of 16 requests with 640 tokens each, a stage's share of it.
  private func probeSeconds() -> Double {
    var request = Request(id: 0, spec: RequestSpec(arrivedAt: 0, prefillTokens: 512, decodeTokens: 128))
    var prefill = Batch()
    prefill.add(0, tokens: 512, of: request)
    let prefillClock = clock(stage: 0, batch: &prefill, requests: [request])
    request.isPrefillComplete = true
    request.processedTokens = 640
    var decode = Batch()
    for _ in 0..<16 { decode.add(0, tokens: 1, of: request) }
    let decodeClock = clock(stage: 0, batch: &decode, requests: [request])
    return prefillClock.time(contextTokens: 0).total + 128 * decodeClock.time(contextTokens: decode.decodeContextTokens).total
  }
}

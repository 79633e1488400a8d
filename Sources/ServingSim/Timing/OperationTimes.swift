/// The operations that a time model adds up, under the reference's names.
public enum Operation: String, CaseIterable, Sendable {
  case preProjection = "attn_pre_proj"
  case postProjection = "attn_post_proj"
  case upProjection = "mlp_up_proj"
  case downProjection = "mlp_down_proj"
  case rope = "attn_rope"
  case inputNorm = "input_layernorm"
  case postAttentionNorm = "post_attention_layernorm"
  case add
  case activation = "mlp_activation"
  case cacheSave = "attn_kv_cache_save"
  case prefillAttention = "attn_prefill"
  case decodeAttention = "attn_decode"
  case attentionAllReduce = "attn_post_proj_all_reduce"
  case feedForwardAllReduce = "mlp_down_proj_all_reduce"
}

/// What the engine does on the CPU for a batch, under the reference's names.
public enum EngineOperation: String, CaseIterable, Sendable {
  case schedule
  case sample = "sample_e2e"
  case prepareInputs = "prepare_inputs_e2e"
  case processOutputs = "process_model_outputs"
  case messages = "ray_comm_time"
}

/// The parts of the time of a stage, milliseconds.
///
/// `layerTotal` times `layers` plus `sendReceive` is the model's part, `engine` the rest. Every operation is charged once; the reference records its
/// residual add twice, but charges it once.
public struct OperationTimes: Equatable, Sendable {
  /// Of one layer, in the order of `Operation.allCases`.
  public internal(set) var perLayer = [Double](repeating: 0, count: Operation.allCases.count)
  /// Layers of the stage.
  public internal(set) var layers = 0
  /// The transfer to the next stage.
  public internal(set) var sendReceive = 0.0
  /// Of the engine, in the order of `EngineOperation.allCases`; nil if it was not measured.
  public internal(set) var engine: [Double]?

  /// All operations of a layer.
  public var layerTotal: Double { perLayer.reduce(0, +) }

  /// One operation of a layer.
  public internal(set) subscript(operation: Operation) -> Double {
    get { perLayer[Self.place(operation)] }
    set { perLayer[Self.place(operation)] = newValue }
  }

  private static func place(_ operation: Operation) -> Int {
    guard let place = Operation.allCases.firstIndex(of: operation) else { preconditionFailure("every operation has a place") }
    return place
  }

  /// The same on a replica whose times are `scale` times as long.
  func scaled(by scale: Double) -> OperationTimes {
    var scaled = self
    scaled.perLayer = perLayer.map { $0 * scale }
    scaled.sendReceive *= scale
    scaled.engine = engine?.map { $0 * scale }
    return scaled
  }
}

/// What one stage execution worked on.
public struct StageWork: Equatable, Sendable {
  /// Ids of the members of the batch.
  public let requests: [Int]
  /// Tokens of the batch.
  public let tokens: Int
  /// Pairs of a new token and one that it attends to, counted as the reference does: n (n + processed) for n tokens.
  public let attentionPairs: Int
  /// How its time comes about; nil for time models that have no operations.
  public let operations: OperationTimes?
}

extension ReplicaModel {
  /// What `stage` works on; asked before the members count the tokens of the batch.
  func work(_ stage: Int, _ batch: Batch, _ requests: [Request]) -> StageWork {
    var operations: OperationTimes?
    if case .closedForm(let times) = timeModel { operations = times.model.operations(stage: stage, batch: batch, requests: requests) }
    if timeScale != 1 { operations = operations?.scaled(by: timeScale) }
    return StageWork(
      requests: batch.members.map { requests[Int($0.slot)].id }, tokens: batch.tokens, attentionPairs: batch.pairs, operations: operations)
  }
}

extension MemoryPlan {
  /// Weights and attention of the reference's model FLOPs: 2 for each token and weight on a device, 4 for each pair and unit of width.
  static func modelFlops(_ model: ModelFacts, _ replica: ReplicaConfiguration) -> (perToken: Double, perPair: Double) {
    let layers = model.layers / replica.pipelineStages
    let parameters = parametersPerLayer(model: model, tensorParallel: replica.tensorParallel) * layers
    let width = model.queryHeads / replica.tensorParallel * model.headDimension
    return (2 * Double(parameters), 4 * Double(layers * width))
  }
}

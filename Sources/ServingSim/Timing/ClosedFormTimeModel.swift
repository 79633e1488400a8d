import ExactMath

/// How the closed form sees a batch.
public enum FeatureRounding: String, Equatable, Sendable {
  /// Token counts as they are, attention summed member by member.
  case exact
  /// As the reference's tables are looked up: tokens up to multiples of 8, KV sizes up to multiples of 64, decodes by their mean, prefills by the
  /// root of summed squares, and the grouped-query overhead.
  case reference
}

/// Stage times from model dimensions and device rates (docs/simulator.md), with measured times in the place of formulas where there are any.
///
/// All operations but attention depend on the number of tokens alone: they are tabulated once. Times are milliseconds per layer unless
/// said otherwise.
public struct ClosedFormTimeModel: Equatable, Sendable {
  /// Linear and element-wise operations, collectives and cache writes of one layer by number of tokens.
  private var layerTable: [Double] = []
  let layersPerStage: Double
  let stageCount: Int
  let rounding: FeatureRounding
  let model: ModelFacts
  private let device: DeviceFacts
  private let tensorParallel: Int
  private let allReduce: NodeFacts.Link?
  private let collectiveOverhead: Double
  private let sendReceive: NodeFacts.Link
  private let headDimension: Int
  private let queryHeadsPerWorker: Int
  private let keyValueHeadsPerWorker: Int
  /// Prefill attention: ms per FLOP, ms per byte.
  private let attentionPerFlop: Double
  private let attentionPerByte: Double
  /// Decode attention: ms per token of context and per request.
  private let decodePerContextToken: Double
  private let decodePerRequest: Double
  private let attentionOverhead: Double
  let measured: MeasuredTimes

  /// - Parameters:
  ///   - measured: what replaces formulas.
  ///   - tableTokens: batches up to this size are looked up, larger ones computed.
  public init(
    model: ModelFacts, device: DeviceFacts, node: NodeFacts, tensorParallel: Int, pipelineStages: Int, rounding: FeatureRounding = .exact,
    measured: MeasuredTimes = MeasuredTimes(), tableTokens: Int = 4096
  ) throws(ServingError) {
    try model.validate(tensorParallel: tensorParallel, pipelineStages: pipelineStages)
    if tensorParallel > 1 && !model.supportsTensorParallel {
      throw ServingError(.unsupported, field: "tensorParallel", reason: "\(model.name) is not split over tensor-parallel workers")
    }
    let workers = tensorParallel * pipelineStages
    guard workers <= node.devicesPerNode || workers % node.devicesPerNode == 0 else {
      throw ServingError(
        .inconsistent, field: "network",
        reason: "\(workers) devices are neither within one \(node.name) node of \(node.devicesPerNode) nor whole nodes")
    }
    allReduce = node.allReduce(workers: tensorParallel)
    if tensorParallel > 1 && allReduce == nil && measured.allReduce == nil {
      throw ServingError(.unsupported, field: "network", reason: "no all-reduce over \(tensorParallel) workers is known for \(node.name)")
    }
    self.model = model
    self.device = device
    self.tensorParallel = tensorParallel
    self.rounding = rounding
    self.measured = measured
    stageCount = pipelineStages
    layersPerStage = Double(model.layers / pipelineStages)
    sendReceive = workers <= node.devicesPerNode ? node.sendReceiveInside : node.sendReceiveAcross
    let fit = device.fit
    collectiveOverhead =
      fit.collectiveLaunch + (fit.collectiveSkew == 0 ? 0 : fit.collectiveSkew * ExactMath.pow(Double(tensorParallel), 1.25))
    headDimension = model.headDimension
    queryHeadsPerWorker = model.queryHeads / tensorParallel
    keyValueHeadsPerWorker = (model.keyValueHeads + tensorParallel - 1) / tensorParallel
    attentionPerFlop = 1e3 / (device.peakFlops * fit.attentionComputeEfficiency)
    attentionPerByte = 1e3 / (device.bandwidth * fit.attentionBandwidthEfficiency)
    decodePerContextToken = attentionPerByte * Double(4 * keyValueHeadsPerWorker * headDimension)
    decodePerRequest = attentionPerByte * Double(4 * queryHeadsPerWorker * headDimension)
    attentionOverhead = fit.attentionOverhead
    layerTable = (0...max(0, tableTokens)).map { layerMilliseconds(tokens: $0) }
  }

  /// Linear and element-wise operations of one layer for `tokens` tokens; no attention, cache write or communication.
  public func linearMilliseconds(tokens: Int) -> Double {
    if let layer = measured.layer { return layer.time(Double(tokens)) }
    return linearOperations(tokens: tokens).reduce(0, +)
  }

  /// The parts of `linearMilliseconds`: the first operations of `Operation.allCases`.
  func linearOperations(tokens: Int) -> [Double] {
    if let layer = measured.layer { return layer.partTimes(Double(tokens)) }
    let fit = device.fit
    let h = model.embedding
    let f = model.feedForward / tensorParallel
    let heads = queryHeadsPerWorker + keyValueHeadsPerWorker
    return [
      matmul(tokens, inputs: h, outputs: (heads + keyValueHeadsPerWorker) * headDimension),
      matmul(tokens, inputs: h / tensorParallel, outputs: h),
      matmul(tokens, inputs: h, outputs: (model.isGated ? 2 : 1) * f),
      matmul(tokens, inputs: f, outputs: h),
      elementwise(fit.rope, tokens, bytes: 4 * heads * headDimension),
      elementwise(fit.inputNorm, tokens, bytes: 4 * h),
      model.hasPostAttentionNorm ? elementwise(fit.postAttentionNorm, tokens, bytes: 4 * h) : 0,
      elementwise(fit.add, tokens, bytes: 6 * h),
      elementwise(fit.activation, tokens, bytes: 6 * f),
    ]
  }

  /// Both all-reduces of a layer with their launch, 0 without tensor parallelism.
  public func allReduceMilliseconds(tokens: Int) -> Double {
    if tensorParallel == 1 { return 0 }
    if let curve = measured.allReduce {
      return 2 * (curve.time(Double(rounding == .reference ? roundedUp(tokens, to: 8) : tokens)) + collectiveOverhead)
    }
    guard let allReduce else { return 0 }
    let bytes = Double(2 * model.embedding * roundedUp(tokens, to: 8))
    let workers = Double(tensorParallel)
    return 2 * (allReduce.milliseconds(bytes: 2 * (workers - 1) / workers * bytes) + collectiveOverhead)
  }

  /// Sending a batch to the next stage.
  public func sendReceiveMilliseconds(tokens: Int) -> Double {
    if let curve = measured.sendReceive { return curve.time(Double(rounding == .reference ? roundedUp(tokens, to: 8) : tokens)) }
    return sendReceive.milliseconds(bytes: Double(2 * model.embedding * roundedUp(tokens, to: 8)))
  }

  /// Prefill attention over members of (KV size, new tokens), without the kernel overhead.
  public func prefillAttentionMilliseconds(context: Int, tokens: Int) -> Double {
    let v = Double(context)
    let n = Double(tokens)
    let q = Double(queryHeadsPerWorker * headDimension)
    let k = Double(keyValueHeadsPerWorker * headDimension)
    let flops = 4 * q * n * (v + (n + 1) / 2)
    let bytes = 2 * (2 * n * q + 2 * (v + n) * k)
    let compute = flops * attentionPerFlop
    let memory = bytes * attentionPerByte
    return (compute * compute + memory * memory).squareRoot()
  }

  /// Decode attention over `requests` requests with `contextTokens` tokens in the cache, 0 for none.
  public func decodeAttentionMilliseconds(requests: Int, contextTokens: Int) -> Double {
    decodeAttention(requests: requests, contextTokens: contextTokens).value(contextTokens: contextTokens)
  }

  /// Pipeline stage `stage` for a batch.
  func clock(stage: Int, batch: inout Batch, requests: [Request]) -> StageClock {
    let prefill: Double
    if let known = batch.prefillAttentionMilliseconds {
      prefill = known
    } else {
      prefill = batch.prefillTokens == 0 ? 0 : prefillAttention(batch.members, requests)
      batch.prefillAttentionMilliseconds = prefill
    }
    let layer = batch.tokens < layerTable.count ? layerTable[batch.tokens] : layerMilliseconds(tokens: batch.tokens)
    return StageClock(
      fixed: layer + prefill, decode: decodeAttention(requests: batch.decodeRequests, contextTokens: batch.decodeContextTokens),
      layers: layersPerStage, sendReceive: stage + 1 < stageCount ? sendReceiveMilliseconds(tokens: batch.tokens) : 0, unit: 1e-3,
      engine: engineSeconds(stage: stage, requests: batch.members.count))
  }

  /// CPU time of the engine, 0 unless it was measured: once a batch, or with the reference's rounding at every stage.
  private func engineSeconds(stage: Int, requests: Int) -> Double {
    guard let cpu = measured.cpu, stage == 0 || rounding == .reference else { return 0 }
    return cpu.time(Double(requests)) * 1e-3
  }

  // MARK: Parts

  /// Decode attention as a function of the context, or for this context where tables or the reference's rounding have a say in it.
  private func decodeAttention(requests: Int, contextTokens: Int) -> DecodeTerm {
    if requests == 0 { return DecodeTerm() }
    guard rounding == .reference else {
      if let attention = measured.attention {
        return DecodeTerm(overhead: attention.decode.time(Double(requests), Double(contextTokens) / Double(requests)), isAffine: false)
      }
      return DecodeTerm(
        overhead: attentionOverhead, perContextToken: decodePerContextToken, perRequests: decodePerRequest * Double(requests))
    }
    let mean = roundedUp(contextTokens / requests, to: 64)
    let time =
      measured.attention?.decode.time(Double(requests), Double(mean))
      ?? attentionOverhead + (decodePerContextToken * Double(mean * requests) + decodePerRequest * Double(requests))
    let hasOverhead = requests > 1 && isGroupedQuery
    return DecodeTerm(overhead: hasOverhead ? time * (1 + device.fit.decodeBatchingOverhead) : time, isAffine: false)
  }

  private func layerMilliseconds(tokens: Int) -> Double {
    linearMilliseconds(tokens: lookedUp(tokens)) + cacheSaveMilliseconds(tokens: tokens) + allReduceMilliseconds(tokens: tokens)
  }

  /// Writing keys and values of `tokens` tokens.
  func cacheSaveMilliseconds(tokens: Int) -> Double {
    measured.attention?.cacheSave.time(Double(tokens))
      ?? elementwise(device.fit.cacheSave, tokens, bytes: 8 * keyValueHeadsPerWorker * headDimension)
  }

  /// The tokens that linear operations are asked about.
  func lookedUp(_ tokens: Int) -> Int { rounding == .reference ? roundedUp(tokens, to: 8) : tokens }

  private func matmul(_ tokens: Int, inputs: Int, outputs: Int) -> Double {
    let fit = device.fit
    let padded = Double(roundedUp(tokens, to: fit.matmulTile))
    let t = Double(tokens)
    let k = Double(inputs)
    let n = Double(outputs)
    let compute = 2 * padded * k * n / (device.peakFlops * fit.matmulComputeEfficiency)
    let memory = 2 * (k * n + t * k + t * n) / (device.bandwidth * fit.matmulBandwidthEfficiency)
    return fit.matmulOverhead + 1e3 * (compute * compute + memory * memory).squareRoot()
  }

  private func elementwise(_ fit: ClosedFormCoefficients.Elementwise, _ tokens: Int, bytes: Int) -> Double {
    fit.form.combine(fit.overhead, 1e3 * Double(tokens) * Double(bytes) / (device.bandwidth * fit.efficiency))
  }

  /// Attention of the members in prefill, of which there is one at least, their kernel's overhead included.
  func prefillAttention(_ members: [Batch.Member], _ requests: [Request]) -> Double {
    if rounding == .reference || measured.attention != nil { return aggregatedPrefillAttention(members, requests) }
    var sum = 0.0
    for member in members where !requests[Int(member.slot)].isPrefillComplete {
      sum += prefillAttentionMilliseconds(context: requests[Int(member.slot)].processedTokens, tokens: Int(member.tokens))
    }
    return attentionOverhead + sum
  }

  /// The members as one: contexts added, new tokens by the root of their squares, which is how tables are looked up.
  private func aggregatedPrefillAttention(_ members: [Batch.Member], _ requests: [Request]) -> Double {
    var count = 0
    var context = 0
    var squares = 0
    for member in members where !requests[Int(member.slot)].isPrefillComplete {
      let processed = requests[Int(member.slot)].processedTokens
      count += 1
      context += rounding == .reference ? roundedUp(processed, to: 64) : processed
      squares += Int(member.tokens) * Int(member.tokens)
    }
    let root = Double(squares).squareRoot()
    guard rounding == .reference else { return measured.attention?.prefill.time(root, Double(context)) ?? 0 }
    let time =
      measured.attention?.prefill.time(root.rounded(), Double(context))
      ?? attentionOverhead + prefillAttentionMilliseconds(context: context, tokens: Int(root.rounded()))
    return count > 1 && isGroupedQuery ? time * (1 + device.fit.prefillBatchingOverhead) : time
  }

  private var isGroupedQuery: Bool { model.queryHeads > model.keyValueHeads }

  private func roundedUp(_ value: Int, to multiple: Int) -> Int {
    (value + multiple - 1) / multiple * multiple
  }
}

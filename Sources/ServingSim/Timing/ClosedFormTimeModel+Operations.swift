extension ClosedFormTimeModel {
  /// How the time of a stage comes about, for metrics; equal to it but for rounding.
  func operations(stage: Int, batch: Batch, requests: [Request]) -> OperationTimes {
    var times = OperationTimes()
    times.layers = model.layers / stageCount
    for (place, time) in linearOperations(tokens: lookedUp(batch.tokens)).enumerated() { times.perLayer[place] = time }
    times[.cacheSave] = cacheSaveMilliseconds(tokens: batch.tokens)
    if batch.prefillTokens > 0 { times[.prefillAttention] = prefillAttention(batch.members, requests) }
    times[.decodeAttention] = decodeAttentionMilliseconds(requests: batch.decodeRequests, contextTokens: batch.decodeContextTokens)
    times[.attentionAllReduce] = allReduceMilliseconds(tokens: batch.tokens) / 2
    times[.feedForwardAllReduce] = times[.attentionAllReduce]
    if stage + 1 < stageCount { times.sendReceive = sendReceiveMilliseconds(tokens: batch.tokens) }
    if let cpu = measured.cpu, stage == 0 || rounding == .reference { times.engine = cpu.partTimes(Double(batch.members.count)) }
    return times
  }
}

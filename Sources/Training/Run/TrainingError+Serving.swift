import ServingSim

extension TrainingError {
  /// A cluster or workload that cannot be: exit code 64, fields under the names that configurations give them.
  public init(_ error: ServingError) {
    self.init(.usage, "\(Self.key(of: error.field)): \(Self.translated(error.reason))")
  }

  /// Fields of `ServingSim` and their keys; a name that begins another one stands behind it.
  private static let keys: [(field: String, key: String)] = [
    ("availability", "cluster.availability"), ("batchSizeCap", "cluster.batch_size_cap"), ("blockCount", "cluster.block_count"),
    ("blockSize", "cluster.block_size"), ("classes", "workload.classes"), ("from/to", "workload.from_seconds, workload.to_seconds"),
    ("intervals.cap", "workload.interval_cap"), ("intervals.coefficientOfVariation", "workload.interval_cv"),
    ("lengths", "workload lengths"), ("maxTokensInBatch", "cluster.max_tokens_in_batch"), ("maxTokens", "cluster.max_tokens"),
    ("memoryMarginFraction", "cluster.memory_margin_fraction"), ("model", "cluster.model"), ("network", "cluster.network"),
    ("pipelineStages", "cluster.pipeline_stages"), ("qps", "workload.qps"),
    ("rateProfile.steps", "workload.rate_schedule"), ("rateProfile.bursts", "workload.bursts"),
    ("rateProfile.period", "workload.rate_period_seconds"), ("rateProfile", "workload.rate_schedule and workload.bursts"),
    ("scale.prefill", "workload.prefill_scale"), ("scale.decode", "workload.decode_scale"), ("scale.time", "workload.time_scale"),
    ("speedFactor", "cluster.replicas speed_factor"), ("tensorParallel", "cluster.tensor_parallel"),
    ("timeModel.constant", "timing.constant_seconds"), ("timeModel.linear.", "timing.linear_"), ("trace", "workload.trace"),
    ("watermarkFraction", "cluster.watermark_blocks_fraction"), ("chunkTokens", "cluster.prefill_chunk_size"),
    ("maxWaitingIterations", "cluster.max_waiting_iters"), ("maxNumBatchedTokens", "cluster.max_num_batched_tokens"),
    ("longPrefillTokenThreshold", "cluster.long_prefill_token_threshold"),
  ]

  private static func key(of field: String) -> String {
    if field == "replicas" { return "cluster.num_replicas" }
    if field.hasPrefix("replicas["), let end = field.firstIndex(of: "]") {
      let rest = field[end...].dropFirst(2)
      let key = key(of: String(rest))
      return "cluster.replicas, replica \(field[..<end].dropFirst(9)): \(key.hasPrefix("cluster.") ? String(key.dropFirst(8)) : key)"
    }
    guard let known = keys.first(where: { field.hasPrefix($0.field) }) else { return field }
    return known.key + field.dropFirst(known.field.count)
  }

  /// `reason` with the names of fields that cannot be words of a sentence replaced by their keys.
  private static func translated(_ reason: String) -> String {
    var text = reason
    for (field, key) in keys where field.contains(where: \.isUppercase) { text = text.replacing(field, with: key) }
    return text
  }
}

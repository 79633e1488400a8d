import ServingSim

/// The metrics of a completed request under the reference's names, in the order of the columns of `request_metrics.csv`.
///
/// Normalised times are per output token, that of the prefill per prompt token, as they were sent.
enum RequestFigures {
  /// Times, seconds.
  static let timeNames = [
    "request_e2e_time", "request_e2e_time_normalized", "request_execution_time", "request_execution_time_normalized",
    "request_model_execution_time", "request_model_execution_time_normalized", "request_preemption_time", "request_scheduling_delay",
    "request_execution_plus_preemption_time", "request_execution_plus_preemption_time_normalized", "prefill_e2e_time",
    "prefill_time_execution_plus_preemption", "prefill_time_execution_plus_preemption_normalized",
    "decode_time_execution_plus_preemption_normalized",
  ]

  /// Counts and ratios behind the times; the delay between two arrivals comes before them.
  static let countNames = [
    "request_num_tokens", "request_num_prefill_tokens", "request_num_decode_tokens", "request_pd_ratio", "request_num_restarts",
  ]

  static let delayName = "request_inter_arrival_delay"

  static let names = timeNames + [delayName] + countNames

  /// Header of the file.
  static let columns = (["Request Id"] + names + ["priority"]).joined(separator: ",")

  /// Values of `timeNames`.
  static func times(_ r: CompletedRequest) -> [Double] {
    let (prefill, decode) = (Double(r.prefillTokens), Double(r.decodeTokens))
    let busy = r.executionSeconds + r.preemptedSeconds
    let prefillTime = r.prefillCompletedAt - r.scheduledAt
    return [
      r.endToEndSeconds, r.endToEndSeconds / decode, r.executionSeconds, r.executionSeconds / decode, r.modelExecutionSeconds,
      r.modelExecutionSeconds / decode, r.preemptedSeconds, r.schedulingDelaySeconds, busy, busy / decode, r.timeToFirstTokenSeconds,
      prefillTime, prefillTime / prefill, r.timeBetweenTokensSeconds,
    ]
  }

  /// Values of `names`.
  ///
  /// - Parameter delay: time since the arrival before; nil for the first one.
  static func values(_ r: CompletedRequest, delay: Double?) -> [Double?] {
    let (prefill, decode) = (Double(r.prefillTokens), Double(r.decodeTokens))
    return times(r) + [delay, prefill + decode, prefill, decode, prefill / decode, Double(r.restarts)]
  }

  /// A row of the file.
  static func row(_ r: CompletedRequest, delay: Double?) -> String {
    let times = times(r).map { "\($0)" }.joined(separator: ",")
    let ratio = Double(r.prefillTokens) / Double(r.decodeTokens)
    return
      "\(r.id),\(times),\(delay.map { "\($0)" } ?? ""),\(r.prefillTokens + r.decodeTokens),\(r.prefillTokens),\(r.decodeTokens),\(ratio),"
      + "\(r.restarts),\(r.priority)"
  }
}

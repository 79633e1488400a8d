/// What the batches of a simulation were, from the log taken piece by piece. Batches that a failed replica lost do not count.
public struct BatchMetrics: Sendable {
  /// What the meter needs recorded.
  public static let parts: EventLog.Parts = .batches

  /// Forming to leaving the last stage, seconds.
  public private(set) var executionTime: Distribution
  /// Tokens of all members.
  public private(set) var tokens: Distribution
  /// Tokens of members in prefill.
  public private(set) var prefillTokens: Distribution
  /// Tokens of the others.
  public private(set) var decodeTokens: Distribution
  /// Members.
  public private(set) var size: Distribution

  /// Nothing yet.
  public init() {
    let empty = Distribution(overflow: .drop)
    (executionTime, tokens, prefillTokens, decodeTokens, size) = (empty, empty, empty, empty, empty)
  }

  /// Takes in the next piece of the log.
  public mutating func add(_ log: EventLog) {
    for batch in log.batches {
      guard let end = batch.completedAt else { continue }
      let sum = batch.tokens.reduce(0, +)
      executionTime.add(end - batch.scheduledAt)
      tokens.add(Double(sum))
      prefillTokens.add(Double(batch.prefillTokens))
      decodeTokens.add(Double(sum - batch.prefillTokens))
      size.add(Double(batch.requests.count))
    }
  }

  /// Every distribution under the reference's name, with its percentiles at `shares`.
  public mutating func named(_ shares: [Double]) -> [(name: String, values: Distribution, percentiles: [Double])] {
    [
      ("batch_execution_time", executionTime, executionTime.percentiles(shares)),
      ("batch_num_tokens", tokens, tokens.percentiles(shares)),
      ("batch_num_prefill_tokens", prefillTokens, prefillTokens.percentiles(shares)),
      ("batch_num_decode_tokens", decodeTokens, decodeTokens.percentiles(shares)),
      ("batch_size", size, size.percentiles(shares)),
    ]
  }
}

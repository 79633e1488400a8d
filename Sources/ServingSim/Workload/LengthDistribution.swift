import Randomness

/// Prompt and output tokens of a synthetic request.
public enum LengthDistribution: Equatable, Sendable {
  /// Always the same.
  case fixed(prefillTokens: Int, decodeTokens: Int)
  /// Both uniform and independent, bounds included.
  case uniform(prefillTokens: ClosedRange<Int>, decodeTokens: ClosedRange<Int>)
  /// Uniform in the sum of both, divided at `prefillToDecodeRatio` prompt tokens per output token.
  case uniformTotal(ClosedRange<Int>, prefillToDecodeRatio: Double)
  /// Like a production chat service; see `ConversationLengths`.
  case conversation
  /// Zipf-like in the sum of both.
  case zipf(ZipfTotal)
  /// The rows of a file in random order, each once before any comes again, their counts scaled.
  case recorded(RecordedLengths)

  /// Draws one request's lengths. Recorded lengths take the row that the caller's order gives instead of a draw.
  func draw(_ stream: inout RandomStream, row: (Int) -> Int) -> (prefillTokens: Int, decodeTokens: Int) {
    switch self {
    case .fixed(let prefill, let decode):
      return (prefill, decode)
    case .uniform(let prefill, let decode):
      let first = prefill.lowerBound + stream.bounded(prefill.count)
      return (first, decode.lowerBound + stream.bounded(decode.count))
    case .uniformTotal(let range, let ratio):
      let total = range.lowerBound + stream.bounded(range.count)
      let decode = min(max(1, Int((Double(total) / (1 + ratio)).rounded(.up))), total - 1)
      return (total - decode, decode)
    case .conversation:
      let first = stream.uniform()
      return ConversationLengths.lengths(prefillQuantile: first, decodeQuantile: stream.uniform())
    case .zipf(let zipf):
      return zipf.split(zipf.total(quantile: stream.uniform()))
    case .recorded(let recorded):
      return recorded.lengths(row: row(recorded.trace.rows.count))
    }
  }

  func validate() throws(ServingError) {
    let low: Int
    let high: Int
    switch self {
    case .fixed(let prefill, let decode):
      low = min(prefill, decode)
      high = max(prefill, decode)
    case .uniform(let prefill, let decode):
      low = min(prefill.lowerBound, decode.lowerBound)
      high = max(prefill.upperBound, decode.upperBound)
    case .uniformTotal(let range, let ratio):
      guard ratio.isFinite && ratio >= 0 else {
        throw ServingError(.outOfRange, field: "lengths.prefillToDecodeRatio", reason: "\(ratio), allowed 0 or more")
      }
      low = range.lowerBound - 1
      high = range.upperBound
    case .conversation, .zipf:
      return
    case .recorded(let recorded):
      try recorded.scale.validate()
      return
    }
    guard low >= 1 && high <= 1 << 24 else {
      throw ServingError(.outOfRange, field: "lengths", reason: "\(low)...\(high) tokens, allowed 1...\(1 << 24)")
    }
  }
}

/// The times between output tokens, token by token, from the log taken piece by piece.
///
/// Under `.sane` a gap runs from one token of a request to its next one, whatever lies between: an eviction counts, and so does a replica that failed.
/// Under `.reference` the token at the end of a repeated prefill is left out, as the reference does, and with it the pause that an eviction makes.
public struct TokenMeter: Sendable {
  /// What the meter needs recorded.
  public static let parts: EventLog.Parts = .tokens

  /// Seconds between consecutive output tokens of a request.
  public private(set) var gaps: Distribution

  private let parity: SchedulerParity
  /// Time of the last token by request id less `firstID`; below 0 before the first one, NaN behind the last.
  private var lastTokens: [Double] = []
  private var firstID = 0

  /// Percentiles are exact up to 2^22 gaps and come from values in single precision up to 2^26; beyond there are mean, least and greatest.
  public init(parity: SchedulerParity) {
    self.parity = parity
    gaps = Distribution(exactLimit: 1 << 22, roundedLimit: 1 << 26)
  }

  /// The `shares` quantiles of the gaps, see `Distribution.percentiles`.
  public mutating func percentiles(_ shares: [Double]) -> [Double] { gaps.percentiles(shares) }

  /// Takes in the next piece of the log.
  public mutating func add(_ log: EventLog) {
    for record in log.tokens {
      for member in record.members { add(member, at: record.time) }
    }
    var done = 0
    while done < lastTokens.count && lastTokens[done].isNaN { done += 1 }
    if 2 * done >= lastTokens.count {
      lastTokens.removeFirst(done)
      firstID += done
    }
  }

  private mutating func add(_ member: EventLog.TokenRecord.Member, at time: Double) {
    let place = member.request - firstID
    while lastTokens.count <= place { lastTokens.append(-1) }
    let before = lastTokens[place]
    if before >= 0 && (member.isDecode || parity == .sane) { gaps.add(time - before) }
    lastTokens[place] = member.isLast ? .nan : time
  }
}

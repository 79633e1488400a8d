import ServingSim

/// Exact sums over the requests completed in an episode.
struct RequestTotals: Equatable, Sendable {
  private(set) var completed = 0
  private(set) var restarts = 0
  private(set) var endToEnd = 0.0
  private(set) var endToEndMax = 0.0
  private(set) var timeToFirstToken = 0.0
  private(set) var timeBetweenTokens = 0.0
  private(set) var schedulingDelay = 0.0

  mutating func add(_ request: CompletedRequest) {
    completed += 1
    restarts += request.restarts
    endToEnd += request.endToEndSeconds
    endToEndMax = max(endToEndMax, request.endToEndSeconds)
    timeToFirstToken += request.timeToFirstTokenSeconds
    timeBetweenTokens += request.timeBetweenTokensSeconds
    schedulingDelay += request.schedulingDelaySeconds
  }

  /// `total` per completed request, 0 if there is none.
  func mean(_ total: Double) -> Double { completed == 0 ? 0 : total / Double(completed) }
}

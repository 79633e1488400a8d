/// The record of a finished request. Times are seconds, token counts those of the arrival.
public struct CompletedRequest: Equatable, Sendable {
  /// Monotone id given by `enqueueArrival`.
  public let id: Int
  /// The replica that served it.
  public let replica: Int
  /// Arrival.
  public let arrivedAt: Double
  /// Start of the first batch that held it.
  public let scheduledAt: Double
  /// First output token.
  public let prefillCompletedAt: Double
  /// Last output token.
  public let completedAt: Double
  /// Prompt tokens as sent.
  public let prefillTokens: Int
  /// Output tokens as sent.
  public let decodeTokens: Int
  /// Evictions.
  public let restarts: Int
  /// Sum of stage times over all stages and attempts.
  public let executionSeconds: Double
  /// Sum of idle times between consecutive stages, all attempts.
  public let preemptedSeconds: Double
  /// Importance given by the workload.
  public let priority: Double

  /// Arrival to last token.
  public var endToEndSeconds: Double { completedAt - arrivedAt }
  /// Arrival to the first batch.
  public var schedulingDelaySeconds: Double { scheduledAt - arrivedAt }
  /// Arrival to first output token (TTFT).
  public var timeToFirstTokenSeconds: Double { prefillCompletedAt - arrivedAt }
  /// Mean time between output tokens (TBT): decode phase over output tokens.
  public var timeBetweenTokensSeconds: Double { (completedAt - prefillCompletedAt) / Double(decodeTokens) }

  init(_ request: Request) {
    guard let scheduledAt = request.scheduledAt, let prefillCompletedAt = request.prefillCompletedAt, let completedAt = request.completedAt
    else { preconditionFailure("a completed request lacks a time stamp") }
    id = request.id
    replica = request.replica
    arrivedAt = request.arrivedAt
    self.scheduledAt = scheduledAt
    self.prefillCompletedAt = prefillCompletedAt
    self.completedAt = completedAt
    prefillTokens = request.originalPrefillTokens
    decodeTokens = request.originalDecodeTokens
    restarts = request.restarts
    executionSeconds = request.executionSeconds
    preemptedSeconds = request.preemptedSeconds
    priority = request.priority
  }
}

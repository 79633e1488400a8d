/// The record of a finished request. Times are seconds, token counts those of the arrival.
public struct CompletedRequest: Equatable, Sendable {
  /// Monotone id given by `enqueueArrival`.
  public let id: Int
  /// The replica that finished it.
  public let replica: Int
  /// Arrival.
  public let arrivedAt: Double
  /// Start of the first batch that held it, on whichever replica.
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
  /// Times it was routed again because its replica had failed.
  public let reroutes: Int
  /// Sum of stage times over all stages and attempts.
  public let executionSeconds: Double
  /// The part of it that the model takes; the rest is the serving engine's own work.
  public let modelExecutionSeconds: Double
  /// Sum of idle times between consecutive stages, all attempts.
  public let preemptedSeconds: Double
  /// Importance given by the workload.
  public let priority: Double
  /// Class given by the workload.
  public let requestClass: Int

  /// Arrival to last token.
  public var endToEndSeconds: Double { completedAt - arrivedAt }
  /// Arrival to the first batch.
  public var schedulingDelaySeconds: Double { scheduledAt - arrivedAt }
  /// Arrival to first output token (TTFT).
  public var timeToFirstTokenSeconds: Double { prefillCompletedAt - arrivedAt }
  /// Mean time between output tokens (TBT): decode phase over output tokens.
  public var timeBetweenTokensSeconds: Double { (completedAt - prefillCompletedAt) / Double(decodeTokens) }

  init(_ request: Request) {
    precondition(request.isCompleted, "the request is not completed")
    id = request.id
    replica = request.replica
    arrivedAt = request.arrivedAt
    scheduledAt = request.scheduledAt
    prefillCompletedAt = request.prefillCompletedAt
    completedAt = request.completedAt
    prefillTokens = request.originalPrefillTokens
    decodeTokens = request.originalDecodeTokens
    restarts = request.restarts
    reroutes = request.reroutes
    executionSeconds = request.executionSeconds
    modelExecutionSeconds = request.modelExecutionSeconds
    preemptedSeconds = request.preemptedSeconds
    priority = request.priority
    requestClass = request.requestClass
  }
}

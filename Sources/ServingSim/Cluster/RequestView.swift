/// A live request as seen from outside.
public struct RequestView: Equatable, Sendable {
  /// Monotone id given by `enqueueArrival`.
  public let id: Int
  /// Arrival, seconds.
  public let arrivedAt: Double
  /// Importance given by the workload.
  public let priority: Double
  /// Prompt tokens as sent.
  public let prefillTokens: Int
  /// Output tokens as sent.
  public let decodeTokens: Int
  /// Tokens processed in the current attempt.
  public let processedTokens: Int
  /// Prompt tokens of the current attempt that are done.
  public let processedPrefillTokens: Int
  /// Prompt tokens of the current attempt (after an eviction it includes what was generated before).
  public let currentPrefillTokens: Int
  /// Tokens left until completion in the current attempt.
  public let remainingTokens: Int
  /// KV blocks held now.
  public let heldBlocks: Int
  /// The replica it was routed to, nil while it waits in the router.
  public let replica: Int?
  /// Evictions so far.
  public let restarts: Int
  /// Times its replica failed so far.
  public let reroutes: Int
  /// Class given by the workload.
  public let requestClass: Int
  /// Whether the prefill of the current attempt is done.
  public let isPrefillComplete: Bool
  /// Start of the first batch that held it.
  public let scheduledAt: Double?
  /// Time of the first output token.
  public let prefillCompletedAt: Double?

  init(_ request: Request) {
    id = request.id
    arrivedAt = request.arrivedAt
    priority = request.priority
    prefillTokens = request.originalPrefillTokens
    decodeTokens = request.originalDecodeTokens
    processedTokens = request.processedTokens
    processedPrefillTokens = min(request.processedTokens, request.prefillTokens)
    currentPrefillTokens = request.prefillTokens
    remainingTokens = request.remainingTokens
    heldBlocks = request.heldBlocks
    replica = request.replica < 0 ? nil : request.replica
    restarts = request.restarts
    reroutes = request.reroutes
    requestClass = request.requestClass
    isPrefillComplete = request.isPrefillComplete
    scheduledAt = request.scheduledAt < 0 ? nil : request.scheduledAt
    prefillCompletedAt = request.prefillCompletedAt < 0 ? nil : request.prefillCompletedAt
  }
}

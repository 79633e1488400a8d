/// A request inside the cluster: one slot of `ClusterSimulation.requests`. Times that are not known yet are below 0.
///
/// Invariants: 0 <= `processedTokens` <= `prefillTokens + decodeTokens`, a sum that never changes; `heldBlocks` > 0 exactly while the
/// request is resident on its replica; `isPrefillComplete` implies `processedTokens > prefillTokens`.
struct Request: Equatable, Sendable {
  /// Public id, monotone over the simulation; -1 marks a free slot.
  var id: Int
  let arrivedAt: Double
  let priority: Double
  let requestClass: Int
  let originalPrefillTokens: Int
  let originalDecodeTokens: Int
  /// Tokens to prefill in the current attempt; grows with a restart by what was generated before.
  var prefillTokens: Int
  /// Tokens to decode in the current attempt.
  var decodeTokens: Int
  /// Tokens in the KV cache, plus the token that the end of the prefill yields.
  var processedTokens = 0
  var heldBlocks = 0
  /// Number of its last admission on its replica.
  var admission = 0
  var restarts = 0
  var reroutes = 0
  /// -1 while the request waits in the router.
  var replica = -1
  var isPrefillComplete = false
  var isCompleted = false
  /// Start of the first batch that held the request, kept over restarts.
  var scheduledAt = -1.0
  var prefillCompletedAt = -1.0
  var completedAt = -1.0
  var lastStageCompletedAt = -1.0
  var executionSeconds = 0.0
  var modelExecutionSeconds = 0.0
  var preemptedSeconds = 0.0

  init(id: Int, spec: RequestSpec) {
    self.id = id
    arrivedAt = spec.arrivedAt
    priority = spec.priority
    requestClass = spec.requestClass
    originalPrefillTokens = spec.prefillTokens
    originalDecodeTokens = spec.decodeTokens
    prefillTokens = spec.prefillTokens
    decodeTokens = spec.decodeTokens
  }

  var totalTokens: Int { prefillTokens &+ decodeTokens }
  var remainingTokens: Int { totalTokens &- processedTokens }

  /// Whether it goes before another one by priority: the more important, then the earlier.
  func precedes(_ other: Request) -> Bool {
    if priority != other.priority { return priority > other.priority }
    if arrivedAt != other.arrivedAt { return arrivedAt < other.arrivedAt }
    return id < other.id
  }

  /// A pipeline stage worked on the request from `start` to `end`.
  @inline(__always)
  mutating func stageEnded(start: Double, end: Double, time: StageTime) {
    if lastStageCompletedAt >= 0 { preemptedSeconds += start - lastStageCompletedAt }
    executionSeconds += time.total
    modelExecutionSeconds += time.model
    lastStageCompletedAt = end
  }

  /// A batch that gave the request `tokens` tokens left the last stage.
  ///
  /// - Returns: tokens by which the request came nearer to its end (one more than `tokens` at the end of its prefill).
  @inline(__always)
  mutating func batchEnded(at time: Double, tokens: Int) -> Int {
    var progress = tokens
    processedTokens += tokens
    precondition(processedTokens <= totalTokens, "a batch processed more tokens than the request has")
    if processedTokens == prefillTokens {
      isPrefillComplete = true
      processedTokens += 1
      progress += 1
      if prefillCompletedAt < 0 { prefillCompletedAt = time }
    }
    if processedTokens == totalTokens {
      completedAt = time
      isCompleted = true
    }
    return progress
  }

  /// What arrived.
  var spec: RequestSpec {
    RequestSpec(
      arrivedAt: arrivedAt, prefillTokens: originalPrefillTokens, decodeTokens: originalDecodeTokens, priority: priority,
      requestClass: requestClass)
  }

  /// Eviction: every token so far is prefilled again in one go.
  ///
  /// `.reference` shrinks the prefill of a request that was evicted in the middle of its prefill, so that the rest of the prompt is
  /// decoded token by token later; `.sane` never shrinks it, nor what an earlier restart added to it, so no token is generated twice.
  mutating func restart(parity: SchedulerParity) {
    restarts += 1
    forgetCache(parity: parity)
  }

  /// Its replica failed: the cache is lost, as in an eviction, and the router decides again.
  mutating func leaveFailedReplica() {
    reroutes += 1
    heldBlocks = 0
    replica = -1
    forgetCache(parity: .sane)
  }

  private mutating func forgetCache(parity: SchedulerParity) {
    let total = totalTokens
    switch parity {
    case .reference: prefillTokens = processedTokens
    case .sane: prefillTokens = max(processedTokens, prefillTokens)
    }
    decodeTokens = total - prefillTokens
    processedTokens = 0
    isPrefillComplete = false
  }
}

/// A request inside the cluster: one slot of `ClusterSimulation.requests`.
///
/// Invariants: 0 <= `processedTokens` <= `prefillTokens + decodeTokens`, a sum that never changes; `heldBlocks` > 0 exactly while the
/// request is resident on its replica; `isPrefillComplete` implies `processedTokens > prefillTokens`.
struct Request: Equatable, Sendable {
  /// Public id, monotone over the simulation; -1 marks a free slot.
  var id: Int
  let arrivedAt: Double
  let priority: Double
  let originalPrefillTokens: Int
  let originalDecodeTokens: Int
  /// Tokens to prefill in the current attempt; grows with a restart by what was generated before.
  var prefillTokens: Int
  /// Tokens to decode in the current attempt.
  var decodeTokens: Int
  /// Tokens in the KV cache, plus the token that the end of the prefill yields.
  var processedTokens = 0
  var heldBlocks = 0
  var restarts = 0
  /// -1 while the request waits in the router.
  var replica = -1
  var isPrefillComplete = false
  var isCompleted = false
  /// Start of the first batch that held the request, kept over restarts.
  var scheduledAt: Double?
  var prefillCompletedAt: Double?
  var completedAt: Double?
  var lastStageCompletedAt: Double?
  var executionSeconds = 0.0
  var preemptedSeconds = 0.0

  init(id: Int, spec: RequestSpec) {
    self.id = id
    arrivedAt = spec.arrivedAt
    priority = spec.priority
    originalPrefillTokens = spec.prefillTokens
    originalDecodeTokens = spec.decodeTokens
    prefillTokens = spec.prefillTokens
    decodeTokens = spec.decodeTokens
  }

  var totalTokens: Int { prefillTokens + decodeTokens }
  var remainingTokens: Int { totalTokens - processedTokens }

  /// A pipeline stage worked on the request from `start` to `end`.
  mutating func stageEnded(start: Double, end: Double, seconds: Double) {
    if let last = lastStageCompletedAt { preemptedSeconds += start - last }
    executionSeconds += seconds
    lastStageCompletedAt = end
  }

  /// A batch that gave the request `tokens` tokens left the last stage.
  ///
  /// - Returns: tokens by which the request came nearer to its end (one more than `tokens` at the end of its prefill).
  mutating func batchEnded(at time: Double, tokens: Int) -> Int {
    var progress = tokens
    processedTokens += tokens
    precondition(processedTokens <= totalTokens, "a batch processed more tokens than the request has")
    if processedTokens == prefillTokens {
      isPrefillComplete = true
      processedTokens += 1
      progress += 1
      if prefillCompletedAt == nil { prefillCompletedAt = time }
    }
    if processedTokens == totalTokens {
      completedAt = time
      isCompleted = true
    }
    return progress
  }

  /// Eviction: every token so far is prefilled again in one go.
  ///
  /// `.reference` shrinks the prefill of a request that was evicted in the middle of its prefill, so that the rest of the prompt is
  /// decoded token by token later; `.sane` never shrinks it, nor what an earlier restart added to it, so no token is generated twice.
  mutating func restart(parity: SchedulerParity) {
    let total = totalTokens
    switch parity {
    case .reference: prefillTokens = processedTokens
    case .sane: prefillTokens = max(processedTokens, prefillTokens)
    }
    decodeTokens = total - prefillTokens
    processedTokens = 0
    isPrefillComplete = false
    restarts += 1
  }
}

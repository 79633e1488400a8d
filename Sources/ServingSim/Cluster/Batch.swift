/// What a replica runs in one pass: members and the tokens each of them gets. One slot of `ClusterSimulation.batches`.
struct Batch: Equatable, Sendable {
  struct Member: Equatable, Sendable {
    var slot: Int32
    var tokens: Int32
  }

  /// Global id in creation order; -1 marks a free slot.
  var id = -1
  var replica = -1
  var members: [Member] = []
  /// Tokens of all members.
  var tokens = 0
  /// Tokens of members whose prefill was not complete when the batch was formed (P of the linear time model).
  var prefillTokens = 0
  /// Members whose prefill was complete; one token each (D).
  var decodeRequests = 0
  /// Tokens in the KV cache of those (K).
  var decodeContextTokens = 0
  /// Pairs of a new token and one that it attends to.
  var pairs = 0
  /// Steps until the first member is done if all of them decode.
  var stepsLeft = Int.max
  /// Blocks of members that have left the batch (faster_transformer).
  var ownerlessBlocks = 0
  /// Start at the stage that works on it.
  var stageStartedAt = 0.0
  /// Time that stage takes.
  var stageTime = StageTime()
  /// Milliseconds that attention over prefill members takes per layer; nil until the first stage asked for it.
  var prefillAttentionMilliseconds: Double?

  mutating func reuse() {
    id = -1
    members.removeAll(keepingCapacity: true)
    tokens = 0
    prefillTokens = 0
    decodeRequests = 0
    decodeContextTokens = 0
    ownerlessBlocks = 0
    pairs = 0
    stepsLeft = Int.max
    stageStartedAt = 0
    stageTime = StageTime()
    prefillAttentionMilliseconds = nil
  }

  /// Takes a member out again while the batch is formed.
  ///
  /// - Returns: the tokens it had.
  mutating func remove(_ slot: Int, requests: [Request]) -> Int {
    let (before, kept) = (tokens, members.filter { Int($0.slot) != slot })
    reuse()
    for member in kept { add(Int(member.slot), tokens: Int(member.tokens), of: requests[Int(member.slot)]) }
    return before - tokens
  }

  @inline(__always)
  mutating func add(_ slot: Int, tokens count: Int, of request: Request) {
    members.append(Member(slot: Int32(truncatingIfNeeded: slot), tokens: Int32(truncatingIfNeeded: count)))
    tokens &+= count
    pairs &+= count &* (count &+ request.processedTokens)
    stepsLeft = min(stepsLeft, request.remainingTokens)
    if request.isPrefillComplete {
      decodeRequests &+= 1
      decodeContextTokens &+= request.processedTokens
    } else {
      prefillTokens &+= count
    }
  }
}

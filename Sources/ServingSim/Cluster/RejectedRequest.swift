/// A request that can never be served. Turned away when it is announced it has no id, no event, no routing decision; turned away later, because the
/// last replica it fits on has failed for good, it had an id.
public struct RejectedRequest: Equatable, Sendable {
  /// Why it can never fit.
  public enum Reason: Equatable, Sendable {
    /// Prompt and output together exceed the longest sequence.
    case tooManyTokens(limit: Int)
    /// Its KV cache needs more blocks than any replica can ever give to one request (all blocks but the watermark).
    case tooManyBlocks(needed: Int, available: Int)
    /// No replica that it fits on takes requests now or will again.
    case noReplicaLeft
  }

  /// What arrived.
  public let spec: RequestSpec
  /// Why it was turned away.
  public let reason: Reason
}

/// A request that could never be served, turned away on arrival: no id, no event, no routing decision.
public struct RejectedRequest: Equatable, Sendable {
  /// Why it can never fit.
  public enum Reason: Equatable, Sendable {
    /// Prompt and output together exceed the longest sequence.
    case tooManyTokens(limit: Int)
    /// Its KV cache needs more blocks than a replica can ever give to one request (all blocks but the watermark).
    case tooManyBlocks(needed: Int, available: Int)
  }

  /// What arrived.
  public let spec: RequestSpec
  /// Why it was turned away.
  public let reason: Reason
}

/// What a user sends: when, how long the prompt is and how many tokens the answer has.
public struct RequestSpec: Equatable, Sendable {
  /// Arrival time, seconds since the start of the simulation.
  public var arrivedAt: Double
  /// Prompt tokens, at least 1.
  public var prefillTokens: Int
  /// Output tokens, at least 1; the first one comes with the end of the prefill.
  public var decodeTokens: Int
  /// Importance given by the workload; carried along, no scheduler here looks at it.
  public var priority: Double
  /// Which of the workload's request classes it is of; carried along.
  public var requestClass: Int

  /// A request of `prefillTokens` + `decodeTokens` tokens.
  public init(arrivedAt: Double, prefillTokens: Int, decodeTokens: Int, priority: Double = 0, requestClass: Int = 0) {
    self.arrivedAt = arrivedAt
    self.prefillTokens = prefillTokens
    self.decodeTokens = decodeTokens
    self.priority = priority
    self.requestClass = requestClass
  }

  /// Prompt and output together.
  public var totalTokens: Int { prefillTokens + decodeTokens }
}

/// Requests that one replica holds before an episode's first decision.
public struct ReplicaBurden: Equatable, Sendable {
  /// How many.
  public var requests: Int
  /// Where.
  public var replica: Int

  /// - Precondition: `requests` not negative.
  public init(requests: Int, replica: Int) {
    precondition(requests >= 0, "requests cannot be negative")
    self.requests = requests
    self.replica = replica
  }
}

/// A replica stops taking requests, stops altogether, or comes back, at a given time.
public struct AvailabilityChange: Equatable, Sendable {
  /// Kinds of changes.
  public enum Kind: String, Equatable, Sendable, CaseIterable {
    /// Serves what it has and gets nothing new.
    case drain
    /// Loses its KV cache and its batches at once; its requests go back to the router, which routes them again.
    case fail
    /// Takes requests again; after a failure with an empty cache.
    case recover
  }

  /// When, seconds. At equal times changes come before everything else, in the order of the list.
  public var time: Double
  /// Replica index.
  public var replica: Int
  /// What happens.
  public var kind: Kind

  /// A change of `replica` at `time`.
  public init(time: Double, replica: Int, kind: Kind) {
    self.time = time
    self.replica = replica
    self.kind = kind
  }
}

/// What a replica is doing about new requests.
public enum ReplicaAvailability: UInt8, Equatable, Sendable {
  /// Takes requests.
  case available
  /// Finishes what it has.
  case draining
  /// Does nothing and holds nothing.
  case failed
}

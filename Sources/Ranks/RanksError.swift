/// What goes wrong between ranks. Tests match on `code`, people read the line.
public struct RanksError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kinds of failure.
  public enum Code: String, Sendable {
    /// Ranks called different operations, or the same one with different extents or roots.
    case mismatch
    /// A rank ended while others still waited for it.
    case rankLost
    /// A rank called `abort(code:)`.
    case aborted
    /// The transport (MPI) reported an error.
    case transport
    /// A payload is longer than `CommunicatorLimits.payloadBytesMax`, or its announced length is negative.
    case limit
  }

  /// The kind of failure.
  public let code: Code
  /// The rank that reports it.
  public let rank: Int
  /// The operation that failed, as in `gather`.
  public let operation: String
  /// What happened, in words.
  public let detail: String

  /// An error reported by `rank` in `operation`.
  public init(_ code: Code, rank: Int, operation: String, detail: String) {
    self.code = code
    self.rank = rank
    self.operation = operation
    self.detail = detail
  }

  /// One line: rank, operation, detail.
  public var description: String { "rank \(rank): \(operation): \(detail)" }
}

/// Limits that hold for every communicator.
public enum CommunicatorLimits {
  /// Longest payload of one rank in one operation, in bytes (64 GiB).
  public static let payloadBytesMax = 1 << 36
}

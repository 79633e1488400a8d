/// The division of a run into chunks, and of a chunk among environments.
///
/// The list of chunks is append-only and recorded: extending a run appends, it never moves a boundary that results depend on.
/// All figures are decisions (routed requests, or actions of another environment).
public struct ChunkPlan: Equatable, Sendable {
  /// Decisions of chunk c at `[c - 1]`.
  public private(set) var chunkDecisions: [Int]
  /// Logical environments of the run, whatever the number of ranks.
  public let environmentCount: Int

  /// Slices `total` into chunks of `chunkSize`; the last one takes what is left.
  public init(total: Int, chunkSize: Int, environmentCount: Int) {
    precondition(environmentCount >= 1, "a plan needs an environment")
    self.chunkDecisions = []
    self.environmentCount = environmentCount
    extend(to: total, chunkSize: chunkSize)
  }

  /// A recorded plan.
  public init(chunkDecisions: [Int], environmentCount: Int) {
    self.chunkDecisions = chunkDecisions
    self.environmentCount = environmentCount
  }

  /// Appends chunks until the plan holds `newTotal` decisions.
  public mutating func extend(to newTotal: Int, chunkSize: Int) {
    precondition(chunkSize >= 1, "chunks hold at least one decision")
    var missing = newTotal - total
    while missing > 0 {
      let next = min(missing, chunkSize)
      chunkDecisions.append(next)
      missing -= next
    }
  }

  /// Decisions of the whole run.
  public var total: Int { chunkDecisions.reduce(0, +) }

  /// Number of chunks; they count from 1.
  public var chunkCount: Int { chunkDecisions.count }

  /// Step at which `chunk` begins.
  public func firstStep(ofChunk chunk: Int) -> Int { chunkDecisions[..<(chunk - 1)].reduce(0, +) }

  /// Step at which `chunk` is complete.
  public func lastStep(ofChunk chunk: Int) -> Int { chunkDecisions[..<chunk].reduce(0, +) }

  /// floor(N/E), and one more for the first N mod E environments.
  public func decisions(ofChunk chunk: Int, environment: Int) -> Int {
    let decisions = chunkDecisions[chunk - 1]
    return decisions / environmentCount + (environment < decisions % environmentCount ? 1 : 0)
  }
}

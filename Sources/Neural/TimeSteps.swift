/// How the rows of a batch follow each other in time.
///
/// `counts[t]` rows are the t-th steps of sequences: the batch holds the first steps of all sequences, the longest sequence first, then the
/// second steps of those that have one, and so on. Row i of a step continues row i of the step before, so counts never grow. Only the first
/// step's recurrent states come from outside.
///
/// Invariant: `counts` is not empty, positive and never ascends.
public struct TimeSteps: Sendable, Equatable {
  /// Rows of each step.
  public private(set) var counts: [Int]

  /// `rows` sequences of one step.
  public init(rows: Int) { counts = [rows] }

  /// Rows of all steps.
  public var rows: Int { counts.reduce(0, +) }

  /// Becomes `rows` sequences of one step, in the memory it has.
  public mutating func reset(rows: Int) {
    counts.removeAll(keepingCapacity: true)
    append(rows: rows)
  }

  /// Adds a step of the first `rows` sequences.
  public mutating func append(rows: Int) {
    precondition(rows > 0 && rows <= (counts.last ?? Int.max), "a step continues rows of the step before")
    counts.append(rows)
  }
}

import Neural

/// Sequences of samples that make one optimizer step of cloning.
struct SequenceBatch {
  private(set) var sequences: [Range<Int>] = []
  private(set) var sampleCount = 0
  private let sampleLimit: Int

  /// - Parameter sampleLimit: samples at most; not less than the longest sequence.
  init(sampleLimit: Int) { self.sampleLimit = sampleLimit }

  /// Whether `sequence` may be added.
  func fits(_ sequence: Range<Int>) -> Bool { sampleCount + sequence.count <= sampleLimit }

  mutating func append(_ sequence: Range<Int>) {
    precondition(fits(sequence) && !sequence.isEmpty, "a sequence must fit into its batch")
    sequences.append(sequence)
    sampleCount += sequence.count
  }

  mutating func clear() {
    sequences.removeAll(keepingCapacity: true)
    sampleCount = 0
  }

  /// The samples in time: the first of every sequence, the longest sequence first, then the second of those that have one, and so on.
  ///
  /// - Precondition: not empty.
  func order() -> (rows: [Int32], steps: TimeSteps) {
    // Equal lengths keep the order of arrival.
    let ranked = sequences.enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }.map(\.element)
    var rows: [Int32] = []
    rows.reserveCapacity(sampleCount)
    var steps = TimeSteps(rows: ranked.count)
    for t in 0..<(ranked.first?.count ?? 0) {
      let before = rows.count
      for sequence in ranked where t < sequence.count { rows.append(Int32(sequence.lowerBound + t)) }
      if t > 0 { steps.append(rows: rows.count - before) }
    }
    return (rows, steps)
  }
}

/// What one environment adds to the global statistics between two syncs.
///
/// Ranks exchange slots as 64-bit words: each rank fills the words of its environments and leaves the others 0, a bitwise or joins them,
/// and every rank folds them in environment order. So the result does not depend on which rank had which environment.
public struct StatisticsSlot: Sendable, Equatable {
  /// Raw observations that were acted on `[D]`.
  public var observations: RunningStatistics
  /// Discounted returns, scalar.
  public var returns: RunningStatistics

  /// An empty slot.
  public init(observationSize: Int) {
    observations = RunningStatistics(dimension: observationSize)
    returns = RunningStatistics(dimension: 1)
  }

  /// Words of a slot: count, means and squares of each of the two statistics.
  public static func wordCount(observationSize: Int) -> Int { (1 + 2 * observationSize) + 3 }

  /// Writes the slot into `words`, starting at `offset`.
  public func write(into words: inout [UInt64], at offset: Int) {
    precondition(
      offset >= 0 && offset + StatisticsSlot.wordCount(observationSize: observations.dimension) <= words.count, "slot exceeds the words")
    var next = offset
    for statistics in [observations, returns] {
      words[next] = UInt64(statistics.count)
      next += 1
      for value in statistics.mean {
        words[next] = value.bitPattern
        next += 1
      }
      for value in statistics.m2 {
        words[next] = value.bitPattern
        next += 1
      }
    }
  }

  /// The slot that starts at `offset` of `words`. Nil if the words are no slot of this size.
  public init?(words: [UInt64], at offset: Int, observationSize: Int) {
    guard offset >= 0, offset + StatisticsSlot.wordCount(observationSize: observationSize) <= words.count else { return nil }
    let first = StatisticsSlot.statistics(words, at: offset, dimension: observationSize)
    let second = StatisticsSlot.statistics(words, at: offset + 1 + 2 * observationSize, dimension: 1)
    guard let first, let second else { return nil }
    observations = first
    returns = second
  }

  private static func statistics(_ words: [UInt64], at offset: Int, dimension: Int) -> RunningStatistics? {
    guard let count = Int(exactly: words[offset]) else { return nil }
    let mean = words[(offset + 1)..<(offset + 1 + dimension)].map { Double(bitPattern: $0) }
    let m2 = words[(offset + 1 + dimension)..<(offset + 1 + 2 * dimension)].map { Double(bitPattern: $0) }
    return RunningStatistics(count: count, mean: mean, m2: m2)
  }

  /// Adds `slots` to global statistics, in the order given: environment order.
  public static func fold(_ slots: [StatisticsSlot], observations: inout RunningStatistics, returns: inout RunningStatistics) {
    for slot in slots {
      observations.merge(slot.observations)
      returns.merge(slot.returns)
    }
  }

  /// Empties the slot.
  public mutating func clear() {
    observations.clear()
    returns.clear()
  }
}

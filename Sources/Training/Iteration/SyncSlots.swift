import PPO

/// What the ranks tell each other at the end of a rollout: one slot per environment that its rank fills and the others leave zero, and one word per
/// rank with the outcome of its part.
///
/// Exchanged by bitwise OR over 64-bit words, which is exact for every bit pattern; then every rank folds the slots in environment order and
/// holds the same statistics.
struct SyncSlots {
  /// How a rank arrives at the exchange.
  enum Outcome: Equatable {
    case complete
    case stopped(StopReason)
    case failed(ExitCode)
  }

  /// Marks the word of a rank that failed; the low half holds its code.
  private static let failure: UInt64 = 1 << 63

  private let environmentCount: Int
  private let shape: StatisticsShape
  private let worldSize: Int
  /// Words to exchange: outcomes by rank, then slots by environment.
  var words: [UInt64]

  init(environmentCount: Int, shape: StatisticsShape, worldSize: Int) {
    self.environmentCount = environmentCount
    self.shape = shape
    self.worldSize = worldSize
    let count = worldSize + environmentCount * StatisticsSlot.wordCount(shape)
    words = [UInt64](repeating: 0, count: count)
  }

  /// Zeroes all words.
  mutating func clear() {
    for i in words.indices { words[i] = 0 }
  }

  /// Writes this rank's outcome.
  mutating func set(_ outcome: Outcome, rank: Int) {
    words[rank] =
      switch outcome {
      case .complete: 0
      case .stopped(let reason): reason.word
      case .failed(let code): Self.failure | UInt64(UInt32(bitPattern: code.rawValue))
      }
  }

  /// The outcome all ranks act on: a failure before a stop, a stop before completion, the lowest rank among equals.
  var outcome: Outcome {
    var result = Outcome.complete
    for rank in 0..<worldSize {
      if words[rank] & Self.failure != 0 {
        let code = Int32(bitPattern: UInt32(truncatingIfNeeded: words[rank]))
        return .failed(ExitCode(rawValue: code) ?? .internalError)
      }
      if result == .complete, let reason = StopReason(word: words[rank]) { result = .stopped(reason) }
    }
    return result
  }

  /// Fills the slot of one environment.
  mutating func fill(environment: Int, _ slot: StatisticsSlot) {
    slot.write(into: &words, at: offset(of: environment))
  }

  /// Adds all slots to the global statistics in environment order.
  func fold(into global: inout StatisticsSlot) {
    for environment in 0..<environmentCount {
      guard let slot = StatisticsSlot(words: words, at: offset(of: environment), shape: shape) else {
        preconditionFailure("a rank filled a slot with something else")
      }
      StatisticsSlot.fold([slot], into: &global)
    }
  }

  private func offset(of environment: Int) -> Int {
    worldSize + environment * StatisticsSlot.wordCount(shape)
  }
}

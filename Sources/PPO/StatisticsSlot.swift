/// What one environment adds to the global statistics between two syncs.
///
/// Ranks exchange slots as 64-bit words: each rank fills the words of its environments and leaves the others 0, a bitwise or joins them,
/// and every rank folds them in environment order. So the result does not depend on which rank had which environment.
public struct StatisticsSlot: Sendable, Equatable {
  /// Raw observations that were acted on `[D]`; with blocks only the values behind them.
  public var observations: RunningStatistics
  /// Blocks of the replicas that were available, one sample each `[b]`: one statistic for all replicas, so that they stay exchangeable. Nil
  /// if the observation is taken as a whole.
  public var replicas: RunningStatistics?
  /// Discounted returns, scalar.
  public var returns: RunningStatistics

  /// An empty slot for observations of that shape.
  public init(_ shape: StatisticsShape) {
    observations = RunningStatistics(dimension: shape.clusterSize)
    replicas = shape.replicaBlockSize > 0 ? RunningStatistics(dimension: shape.replicaBlockSize) : nil
    returns = RunningStatistics(dimension: 1)
  }

  /// An empty slot for observations that are taken as a whole.
  public init(observationSize: Int) { self.init(StatisticsShape(observationSize: observationSize)) }

  /// Takes in row `row` of raw observations `[., D]`; `masks` `[., R]` tells which replicas are available.
  public mutating func add(_ observations: [Float], masks: [UInt8], row: Int, shape: StatisticsShape) {
    let first = row * shape.observationSize
    let block = shape.replicaBlockSize
    if block > 0 {
      for replica in 0..<shape.replicaCount where masks[row * shape.replicaCount + replica] != 0 {
        replicas?.add(observations.span.extracting((first + replica * block)..<(first + (replica + 1) * block)))
      }
    }
    self.observations.add(
      observations.span.extracting((first + shape.replicaCount * block)..<(first + shape.observationSize)))
  }

  private var parts: [RunningStatistics] { [observations] + (replicas.map { [$0] } ?? []) + [returns] }

  /// Words of a slot: count, means and squares of each statistic.
  public static func wordCount(_ shape: StatisticsShape) -> Int {
    let block = shape.replicaBlockSize
    return (1 + 2 * shape.clusterSize) + (block > 0 ? 1 + 2 * block : 0) + 3
  }

  /// Writes the slot into `words`, starting at `offset`.
  public func write(into words: inout [UInt64], at offset: Int) {
    var next = offset
    for statistics in parts {
      precondition(next >= 0 && next + 1 + 2 * statistics.dimension <= words.count, "slot exceeds the words")
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

  /// The slot that starts at `offset` of `words`. Nil if the words are no slot of this shape.
  public init?(words: [UInt64], at offset: Int, shape: StatisticsShape) {
    guard offset >= 0, offset + StatisticsSlot.wordCount(shape) <= words.count else { return nil }
    var next = offset
    func take(_ dimension: Int) -> RunningStatistics? {
      defer { next += 1 + 2 * dimension }
      return StatisticsSlot.statistics(words, at: next, dimension: dimension)
    }
    guard let first = take(shape.clusterSize) else { return nil }
    observations = first
    replicas = nil
    if shape.replicaBlockSize > 0 {
      guard let blocks = take(shape.replicaBlockSize) else { return nil }
      replicas = blocks
    }
    guard let last = take(1) else { return nil }
    returns = last
  }

  private static func statistics(_ words: [UInt64], at offset: Int, dimension: Int) -> RunningStatistics? {
    guard let count = Int(exactly: words[offset]) else { return nil }
    let mean = words[(offset + 1)..<(offset + 1 + dimension)].map { Double(bitPattern: $0) }
    let m2 = words[(offset + 1 + dimension)..<(offset + 1 + 2 * dimension)].map { Double(bitPattern: $0) }
    return RunningStatistics(count: count, mean: mean, m2: m2)
  }

  /// Adds `slots` to the global statistics, which are a slot themselves, in the order given: environment order.
  public static func fold(_ slots: [StatisticsSlot], into global: inout StatisticsSlot) {
    for slot in slots {
      global.observations.merge(slot.observations)
      if let blocks = slot.replicas { global.replicas?.merge(blocks) }
      global.returns.merge(slot.returns)
    }
  }

  /// Empties the slot.
  public mutating func clear() {
    observations.clear()
    replicas?.clear()
    returns.clear()
  }
}

/// How an observation is divided for its statistics: `replicaCount` blocks of `replicaBlockSize` values, then the cluster's. A block size of 0
/// takes it as a whole.
public struct StatisticsShape: Sendable, Equatable {
  /// D.
  public let observationSize: Int
  /// R; 0 without blocks.
  public let replicaCount: Int
  /// b; 0 without blocks.
  public let replicaBlockSize: Int

  /// - Precondition: something is left behind the blocks.
  public init(observationSize: Int, replicaCount: Int = 0, replicaBlockSize: Int = 0) {
    precondition(observationSize > replicaCount * replicaBlockSize, "the observation has no values behind its blocks")
    self.observationSize = observationSize
    self.replicaCount = replicaBlockSize > 0 ? replicaCount : 0
    self.replicaBlockSize = replicaBlockSize
  }

  /// Values behind the blocks.
  public var clusterSize: Int { observationSize - replicaCount * replicaBlockSize }
}

import PPO
import Randomness
import Testing

@Suite("statistics")
struct StatisticsTests {
  private func running(_ samples: [Float]) -> RunningStatistics {
    var result = RunningStatistics(dimension: 1)
    for sample in samples { result.add([sample].span) }
    return result
  }

  private func normalised(_ frozen: FrozenStatistics, _ x: Float) -> Float {
    var result: [Float] = [0]
    var span = result.mutableSpan
    frozen.normalise([x].span, into: &span)
    return result[0]
  }

  @Test("1, 2, 3, 4 by hand; the deviation counts as at least 1 below the minimum count")
  func golden() {
    let statistics = running([1, 2, 3, 4])
    #expect(statistics.count == 4)
    #expect(statistics.mean == [2.5])
    #expect(statistics.m2 == [5])
    #expect(abs(normalised(FrozenStatistics(statistics, NormalizerConfiguration(minimumCount: 4)), 4) - 1.16190) < 1e-5)
    let narrow = running([1, 1.1, 0.9])
    #expect(abs(normalised(FrozenStatistics(narrow, NormalizerConfiguration(minimumCount: 10)), 1.5) - 0.5) < 1e-6)
    #expect(abs(normalised(FrozenStatistics(narrow, NormalizerConfiguration(minimumCount: 3)), 1.2) - 2) < 1e-4)
  }

  @Test("the variance has a floor, values are clipped, without data only that")
  func limits() {
    let constant = running([Float](repeating: 3, count: 20))
    #expect(abs(normalised(FrozenStatistics(constant), 3.001) - 1) < 1e-3)
    #expect(normalised(FrozenStatistics(constant), 4) == 5)
    #expect(normalised(FrozenStatistics(constant), -4) == -5)
    #expect(normalised(FrozenStatistics(RunningStatistics(dimension: 1)), 2) == 2)
    #expect(normalised(FrozenStatistics(RunningStatistics(dimension: 1)), 7) == 5)
    #expect(normalised(FrozenStatistics(identity: 1), 1000) == 1000)
  }

  @Test("rows of batch arrays are treated as single samples are")
  func batchRows() {
    let batch: [Float] = [1, 2, 3, 4, 5, 7]
    var rows = RunningStatistics(dimension: 2)
    for row in 0..<3 { rows.add(batch, row: row) }
    #expect(rows.mean == [3, 13.0 / 3])
    let frozen = FrozenStatistics(rows, NormalizerConfiguration(minimumCount: 1))
    var result = [Float](repeating: 9, count: 6)
    frozen.normalise(batch, row: 1, into: &result)
    var single: [Float] = [0, 0]
    var span = single.mutableSpan
    frozen.normalise(batch.span.extracting(2..<4), into: &span)
    #expect(result == [9, 9, single[0], single[1], 9, 9])
  }

  @Test("merging {1, 2} and {3, 4, 8} by hand; an empty side changes nothing")
  func merge() {
    var statistics = running([1, 2])
    statistics.merge(running([3, 4, 8]))
    #expect(statistics.count == 5)
    #expect(abs(statistics.mean[0] - 3.6) < 1e-12)
    #expect(abs(statistics.m2[0] - 29.2) < 1e-12)
    let kept = statistics
    statistics.merge(RunningStatistics(dimension: 1))
    #expect(statistics == kept)
    var empty = RunningStatistics(dimension: 1)
    empty.merge(kept)
    #expect(empty == kept)
  }

  @Test("a slot survives its words, and or-ed slots fold to the same bits whatever the owners")
  func slots() {
    let D = 3
    let shape = StatisticsShape(observationSize: D)
    let width = StatisticsSlot.wordCount(shape)
    var stream = RandomStream(seed: 4, purpose: .bootstrap)
    var slots: [StatisticsSlot] = []
    for e in 0..<5 {
      var slot = StatisticsSlot(observationSize: D)
      for _ in 0..<(e * 3) {
        let sample = (0..<D).map { _ in Float(stream.normal()) }
        slot.observations.add(sample.span)
        slot.returns.add(stream.normal())
      }
      slots.append(slot)
    }
    var expected = StatisticsSlot(shape)
    StatisticsSlot.fold(slots, into: &expected)
    for owners in 1...3 {
      var joined = [UInt64](repeating: 0, count: 5 * width)
      for rank in 0..<owners {
        var words = [UInt64](repeating: 0, count: 5 * width)
        for e in 0..<5 where e % owners == rank { slots[e].write(into: &words, at: e * width) }
        for i in words.indices { joined[i] |= words[i] }
      }
      let read = (0..<5).compactMap { StatisticsSlot(words: joined, at: $0 * width, shape: shape) }
      #expect(read == slots)
      var folded = StatisticsSlot(shape)
      StatisticsSlot.fold(read, into: &folded)
      #expect(folded == expected)
    }
    #expect(StatisticsSlot(words: [UInt64](repeating: .max, count: width), at: 0, shape: shape) == nil)
    #expect(StatisticsSlot(words: [], at: 0, shape: shape) == nil)
    var cleared = slots[4]
    cleared.clear()
    #expect(cleared == StatisticsSlot(observationSize: D))
  }

  @Test("rewards are divided by the deviation of the discounted return, not centred, and clipped")
  func returnScaling() {
    var statistics = RunningStatistics(dimension: 1)
    for sample in [1.0, 1.5, 1.75, 2.0, 4, 6, 8, 2, 4, 6, 8] { statistics.add(sample) }
    let deviation = statistics.variance(0).squareRoot()
    let scaling = ReturnScaling(statistics)
    #expect(abs(Double(scaling.scale(3)) - 3 / deviation) < 1e-6)
    #expect(scaling.scale(0) == 0)
    #expect(scaling.scale(1e6) == 10)
    #expect(scaling.scale(-1e6) == -10)
    #expect(ReturnScaling(RunningStatistics(dimension: 1)).scale(3) == 3)
  }
}

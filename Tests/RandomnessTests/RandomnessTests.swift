import Randomness
import Testing

@Suite struct PhiloxTests {
  @Test("the published known-answer vectors of Random123")
  func knownAnswers() {
    let ones = UInt32.max
    #expect(
      Philox.block(counter: .init(0, 0, 0, 0), key: (0, 0))
        == .init(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.block(counter: .init(ones, ones, ones, ones), key: (ones, ones))
        == .init(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.block(counter: .init(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
        == .init(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }
}

/// Made by `python3 Tests/Fixtures/philox_golden.py`.
private enum PinnedDraws {
  static let words: [UInt32] = [0xaf19_2479, 0x9ee1_04e0, 0x5c0f_0043, 0xfcdf_8389, 0x6c6d_32e2, 0x0792_1f85]
  static let shuffled = [9, 6, 0, 8, 4, 1, 7, 5, 2, 3]
}

@Suite struct RandomStreamTests {
  private func firstWord(seed: UInt64 = 1, _ purpose: StreamPurpose = .action, _ chunk: Int = 1, _ environment: Int = 0, _ index: Int = 0)
    -> UInt64
  {
    var stream = RandomStream(seed: seed, purpose: purpose, chunk: chunk, environment: environment, index: index)
    return stream.nextUInt64()
  }

  @Test("every part of the name changes the stream, and the same name repeats it")
  func keys() {
    let base = firstWord()
    #expect(base == firstWord())
    #expect(base != firstWord(seed: 2))
    #expect(base != firstWord(.shuffle))
    #expect(base != firstWord(.action, 2))
    #expect(base != firstWord(.action, 1, 1))
    #expect(base != firstWord(.action, 1, 0, 1))
    #expect(firstWord(seed: 1 << 40) != firstWord(seed: 0))
  }

  @Test("the first draws are pinned: another value means another determinism version")
  func pinned() {
    var stream = RandomStream(seed: 42, purpose: .arrivals, chunk: 3, environment: 5, index: 7)
    let words = (0..<6).map { _ in stream.nextUInt32() }
    #expect(words == PinnedDraws.words)
    var order = Array(0..<10)
    var shuffler = RandomStream(seed: 42, purpose: .shuffle)
    shuffler.shuffle(&order)
    #expect(order == PinnedDraws.shuffled)
  }

  @Test("moments of the distributions over 200 000 draws", arguments: [1, 2, 3] as [UInt64])
  func moments(seed: UInt64) {
    var stream = RandomStream(seed: seed, purpose: .arrivals)
    let count = 200_000
    func mean(_ draw: (inout RandomStream) -> Double) -> Double {
      var sum = 0.0
      for _ in 0..<count { sum += draw(&stream) }
      return sum / Double(count)
    }
    #expect(abs(mean { $0.uniform() } - 0.5) < 0.004, "seed \(seed)")
    #expect(abs(mean { $0.exponential(rate: 2) } - 0.5) < 0.006, "seed \(seed)")
    #expect(abs(mean { $0.normal() }) < 0.012, "seed \(seed)")
    #expect(
      abs(
        mean {
          let x = $0.normal(); return x * x
        } - 1) < 0.018, "seed \(seed)")
    #expect(abs(mean { $0.gamma(shape: 4, scale: 0.5) } - 2) < 0.012, "seed \(seed)")
    #expect(abs(mean { $0.gamma(shape: 0.5, scale: 2) } - 1) < 0.02, "seed \(seed)")
  }

  @Test("bounded draws cover 0..<n evenly and a shuffle is a permutation")
  func bounded() {
    var stream = RandomStream(seed: 9, purpose: .heuristic)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[stream.bounded(7)] += 1 }
    for count in counts { #expect(abs(count - 10_000) < 500) }
    var order = Array(0..<100)
    stream.shuffle(&order)
    #expect(order != Array(0..<100))
    #expect(order.sorted() == Array(0..<100))
  }
}

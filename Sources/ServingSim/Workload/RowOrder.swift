import Randomness

/// Rows of a table in random order, each once per lap, without storing the order.
///
/// A Feistel network over the next power of four of the count, with Philox as its round function; numbers outside the table are passed through
/// it again. Every lap has an order of its own, and the order is a function of (seed, chunk, environment) alone.
struct RowOrder: Equatable, Sendable {
  private let count: Int
  private let halfBits: Int
  private let key: SIMD2<UInt32>

  init(count: Int, seed: UInt64, chunk: Int, environment: Int) {
    precondition(count >= 1 && count <= Int(UInt32.max), "a table has 1...2^32-1 rows")
    self.count = count
    var bits = 1
    while 1 << (2 * bits) < count { bits += 1 }
    halfBits = bits
    var stream = RandomStream(seed: seed, purpose: .rows, chunk: chunk, environment: environment)
    key = SIMD2(stream.nextUInt32(), stream.nextUInt32())
  }

  /// The row that is number `index` in order, counted over all laps.
  func row(at index: Int) -> Int {
    let lap = UInt64(index / count)
    var place = UInt64(index % count)
    repeat { place = permuted(place, lap) } while place >= UInt64(count)
    return Int(place)
  }

  private func permuted(_ place: UInt64, _ lap: UInt64) -> UInt64 {
    let mask = UInt64(1) << UInt64(halfBits) - 1
    var left = place >> UInt64(halfBits)
    var right = place & mask
    for round in 0..<4 as Range<UInt32> {
      let counter = Philox.Block(
        UInt32(truncatingIfNeeded: right), round, UInt32(truncatingIfNeeded: lap), UInt32(truncatingIfNeeded: lap >> 32))
      let mixed = UInt64(Philox.block(counter: counter, key: (key[0], key[1]))[0]) & mask
      (left, right) = (right, left ^ mixed)
    }
    return left << UInt64(halfBits) | right
  }
}

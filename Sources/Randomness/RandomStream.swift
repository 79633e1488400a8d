/// A keyed stream of random numbers over `Philox`.
///
/// A stream is named by (seed, purpose, chunk, environment, index) and by nothing else: neither the rank, nor the
/// order in which streams are opened, nor the draws of another stream change what it yields. Reopening it under the same
/// name starts it over, which is how a resumed run repeats its draws without saved generator state.
///
/// The first four name a 64-bit Philox key (one block under the seed); `index` and the block number form the counter.
public struct RandomStream: Sendable, Equatable {
  @usableFromInline let key: SIMD2<UInt32>
  @usableFromInline let index: UInt64
  @usableFromInline var blockNumber: UInt64 = 0
  @usableFromInline var block = Philox.Block()
  /// Words of `block` already handed out; 4 = none left.
  @usableFromInline var used = 4

  /// - Parameters:
  ///   - chunk: 1-based chunk of the run, 0 for streams that belong to none.
  ///   - environment: logical environment over the whole run, never a rank.
  ///   - index: decision, request, episode or whatever the purpose counts.
  public init(seed: UInt64, purpose: StreamPurpose, chunk: Int = 0, environment: Int = 0, index: Int = 0) {
    precondition(chunk >= 0 && chunk <= UInt32.max, "chunk outside 0...2^32-1")
    precondition(environment >= 0 && environment <= UInt32.max, "environment outside 0...2^32-1")
    precondition(index >= 0, "negative stream index")
    let name = Philox.Block(UInt32(chunk), UInt32(environment), purpose.rawValue, 0)
    let seedKey = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed &>> 32))
    let derived = Philox.block(counter: name, key: seedKey)
    self.key = SIMD2(derived[0], derived[1])
    self.index = UInt64(index)
  }

  /// The next 32 random bits.
  @inlinable
  public mutating func nextUInt32() -> UInt32 {
    if used == 4 {
      let counter = Philox.Block(
        UInt32(truncatingIfNeeded: blockNumber), UInt32(truncatingIfNeeded: blockNumber &>> 32),
        UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index &>> 32))
      block = Philox.block(counter: counter, key: (key[0], key[1]))
      blockNumber &+= 1
      used = 0
    }
    let word = block[used]
    used &+= 1
    return word
  }

  /// The next 64 random bits, low word drawn first.
  @inlinable
  public mutating func nextUInt64() -> UInt64 {
    let low = UInt64(nextUInt32())
    return low | UInt64(nextUInt32()) &<< 32
  }

  /// Uniform on [0, 1) with 53 bits.
  @inlinable
  public mutating func uniform() -> Double {
    Double(nextUInt64() &>> 11) * 0x1p-53
  }

  /// Uniform on 0..<count without bias (Lemire, arXiv 1805.10941).
  ///
  /// - Precondition: 1...2^32 - 1.
  @inlinable
  public mutating func bounded(_ count: Int) -> Int {
    precondition(count >= 1 && count <= UInt32.max, "bounded(_:) needs 1...2^32-1")
    let range = UInt32(count)
    var product = UInt64(nextUInt32()) &* UInt64(range)
    if UInt32(truncatingIfNeeded: product) < range {
      let threshold = (0 &- range) % range
      while UInt32(truncatingIfNeeded: product) < threshold {
        product = UInt64(nextUInt32()) &* UInt64(range)
      }
    }
    return Int(product &>> 32)
  }
}

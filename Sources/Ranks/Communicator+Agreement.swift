/// What the ranks agreed on at the end of a phase that can fail.
public struct Agreement: Equatable, Sendable {
  /// The greatest code of all ranks; 0 = every rank succeeded.
  public let code: Int32
  /// The lowest rank that has it.
  public let rank: Int
  /// Its message; empty when `code` is 0.
  public let message: String

  /// An agreement on `code` of `rank`.
  public init(code: Int32, rank: Int, message: String) {
    self.code = code
    self.rank = rank
    self.message = message
  }
}

extension Communicator {
  /// The greatest `code` over all ranks. With 0 for success and an exit code for failure, one rank's failure becomes everyone's.
  ///
  /// Collective, one `bitwiseOr` of `size` words.
  public func agree(_ code: Int32) throws(RanksError) -> Int32 {
    try codes(own: code).max() ?? code
  }

  /// As `agree(_:)`, and every rank also learns which rank failed and why.
  ///
  /// - Parameter message: read only where this rank's code decides.
  public func agree(_ code: Int32, message: @autoclosure () -> String) throws(RanksError) -> Agreement {
    let all = try codes(own: code)
    let greatest = all.max() ?? code
    let decider = all.firstIndex(of: greatest) ?? rank
    if greatest == 0 { return Agreement(code: 0, rank: decider, message: "") }
    var bytes = decider == rank ? [UInt8](message().utf8) : []
    try broadcast(&bytes, root: decider)
    return Agreement(code: greatest, rank: decider, message: String(decoding: bytes, as: UTF8.self))
  }

  /// Whether `bytes` are the same on all ranks (a configuration hash, a program version). Every rank gets the same answer.
  ///
  /// OR of the bits and OR of their complements have no bit in common if and only if no bit differs.
  public func isSameEverywhere(_ bytes: [UInt8]) throws(RanksError) -> Bool {
    let length = UInt64(bytes.count)
    var lengths = [length, ~length]
    try bitwiseOr(&lengths)
    if lengths[0] & lengths[1] != 0 { return false }

    var words = [UInt64](repeating: 0, count: bytes.count * 2)
    for (i, byte) in bytes.enumerated() {
      words[2 * i] = UInt64(byte)
      words[2 * i + 1] = UInt64(~byte)
    }
    try bitwiseOr(&words)
    return stride(from: 0, to: words.count, by: 2).allSatisfy { words[$0] & words[$0 + 1] == 0 }
  }

  /// The codes of all ranks in rank order, by slots.
  private func codes(own code: Int32) throws(RanksError) -> [Int32] {
    var slots = [UInt64](repeating: 0, count: size)
    slots[rank] = UInt64(UInt32(bitPattern: code))
    try bitwiseOr(&slots)
    return slots.map { Int32(bitPattern: UInt32(truncatingIfNeeded: $0)) }
  }
}

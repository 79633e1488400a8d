/// What every communicator must do, as one collective check.
///
/// All ranks call it at the same point. Payloads are functions of (rank, root), so each rank knows what it must receive.
///
/// - Returns: the violations this rank saw, each one line; empty on every rank = the contract holds.
/// - Throws: what the communicator throws.
public func checkCommunicator(_ ranks: some Communicator) throws(RanksError) -> [String] {
  var check = CommunicatorContract()
  check.expect(ranks.size >= 1 && ranks.rank >= 0 && ranks.rank < ranks.size, "rank \(ranks.rank) of \(ranks.size)")
  for root in 0..<ranks.size {
    try check.byteBroadcasts(ranks, root: root)
    try check.floatBroadcasts(ranks, root: root)
    try check.gathers(ranks, root: root)
  }
  try check.largeBroadcast(ranks)
  try check.bitPatterns(ranks)
  try check.largeOr(ranks)
  try check.agreements(ranks)
  for _ in 0..<3 { try ranks.barrier() }
  return check.violations
}

/// Collects the violations of `checkCommunicator`.
private struct CommunicatorContract {
  var violations: [String] = []

  /// Bit patterns a floating-point sum would damage: signed zero, quiet and signalling NaN with payloads, subnormals, infinities.
  static let hardFloats: [Float] = [
    0, -0.0, .nan, Float(bitPattern: 0x7FC0_1234), Float(bitPattern: 0xFFA0_0001), .infinity, -.infinity, .leastNonzeroMagnitude,
    -.leastNormalMagnitude, .greatestFiniteMagnitude, 1.5,
  ]

  mutating func expect(_ condition: Bool, _ text: @autoclosure () -> String) {
    if !condition { violations.append(text()) }
  }

  /// Lengths are told by the root, also when the others hold more or nothing.
  mutating func byteBroadcasts(_ ranks: some Communicator, root: Int) throws(RanksError) {
    for length in [0, 1, 7, 4096, 100_003] {
      let sent = Self.pattern(length, salt: root)
      var bytes = ranks.rank == root ? sent : Self.pattern((ranks.rank * 37) % 50, salt: 99)
      try ranks.broadcast(&bytes, root: root)
      expect(bytes == sent, "broadcast of \(length) bytes from rank \(root) differs")
    }
  }

  mutating func floatBroadcasts(_ ranks: some Communicator, root: Int) throws(RanksError) {
    var empty: [Float] = []
    try ranks.broadcast(&empty, root: root)
    expect(empty.isEmpty, "broadcast of no floats from rank \(root) differs")
    var floats = ranks.rank == root ? Self.hardFloats : Array(repeating: 7, count: Self.hardFloats.count)
    try ranks.broadcast(&floats, root: root)
    expect(floats.map(\.bitPattern) == Self.hardFloats.map(\.bitPattern), "broadcast of floats from rank \(root) changes bits")
  }

  /// Uneven lengths, among them 0; and no bytes at all.
  mutating func gathers(_ ranks: some Communicator, root: Int) throws(RanksError) {
    for scale in [0, 1, 1000, 70_000] {
      let length = { (rank: Int) in rank * rank * scale }
      let parts = try ranks.gather(Self.pattern(length(ranks.rank), salt: ranks.rank), root: root)
      if ranks.rank == root {
        let expected = (0..<ranks.size).map { Self.pattern(length($0), salt: $0) }
        expect(parts == expected, "gather on rank \(root) of lengths \(expected.map(\.count)) differs")
      } else {
        expect(parts.isEmpty, "gather on rank \(root) returns something elsewhere")
      }
    }
  }

  /// More than one piece, and a remainder.
  mutating func largeBroadcast(_ ranks: some Communicator) throws(RanksError) {
    let root = ranks.size - 1
    let sent = Self.pattern((17 << 20) + 13, salt: 5)
    var bytes = ranks.rank == root ? sent : []
    try ranks.broadcast(&bytes, root: root)
    expect(bytes == sent, "broadcast of \(sent.count) bytes differs")
    let parts = try ranks.gather(ranks.rank == root ? sent : [], root: 0)
    if ranks.rank == 0 {
      expect(parts.count == ranks.size && parts.last == sent, "gather of \(sent.count) bytes differs")
    }
  }

  /// Slots: each rank fills its own with doubles no sum would keep.
  mutating func bitPatterns(_ ranks: some Communicator) throws(RanksError) {
    let patterns: [UInt64] = [
      (-0.0).bitPattern, Double.nan.bitPattern, 0xFFF4_0000_0000_0001, UInt64.max, 1 << 63, 1, Double.leastNonzeroMagnitude.bitPattern,
    ]
    let count = patterns.count
    var words = [UInt64](repeating: 0, count: count * ranks.size)
    for i in 0..<count { words[ranks.rank * count + i] = patterns[i] }
    try ranks.bitwiseOr(&words)
    let expected = (0..<ranks.size).flatMap { _ in patterns }
    expect(words == expected, "bitwiseOr of slots changes bits")
    var empty: [UInt64] = []
    try ranks.bitwiseOr(&empty)
    expect(empty.isEmpty, "bitwiseOr of nothing differs")
  }

  /// More words than fit one piece.
  mutating func largeOr(_ ranks: some Communicator) throws(RanksError) {
    let count = (2 << 20) + 5
    var words = [UInt64](repeating: 0, count: count)
    for i in stride(from: ranks.rank, to: count, by: ranks.size) { words[i] = UInt64(i) &* 0x9E37_79B9_7F4A_7C15 }
    try ranks.bitwiseOr(&words)
    expect((0..<count).allSatisfy { words[$0] == UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }, "bitwiseOr of \(count) words differs")
  }

  mutating func agreements(_ ranks: some Communicator) throws(RanksError) {
    let size = ranks.size
    try expect(ranks.agree(0) == 0, "agreement on success differs")
    for failing in 0..<size {
      let code: Int32 = ranks.rank == failing ? 74 : 0
      try expect(ranks.agree(code) == 74, "the failure of rank \(failing) is not everyone's")
      let agreement = try ranks.agree(code, message: "disk of rank \(ranks.rank) is full")
      let expected = Agreement(code: 74, rank: failing, message: "disk of rank \(failing) is full")
      expect(agreement == expected, "agreement \(agreement) instead of \(expected)")
      let bytes: [UInt8] = ranks.rank == failing ? [1, 2, 4] : [1, 2, 3]
      try expect(ranks.isSameEverywhere(bytes) == (size == 1), "a difference on rank \(failing) is not noticed")
      let lengths: [UInt8] = ranks.rank == failing ? [1] : []
      try expect(ranks.isSameEverywhere(lengths) == (size == 1), "another length on rank \(failing) is not noticed")
    }
    try expect(ranks.isSameEverywhere(Self.pattern(100, salt: 1)), "equal bytes are not recognised")
    try expect(ranks.isSameEverywhere([]), "no bytes are not recognised as equal")
  }

  /// `length` bytes that depend on position and salt.
  private static func pattern(_ length: Int, salt: Int) -> [UInt8] {
    (0..<length).map { UInt8(truncatingIfNeeded: ($0 &* 131) ^ ($0 &>> 8) &+ salt &* 29) }
  }
}

import Testing

@testable import FileStore

@Suite("Process table lines")
struct ProcessIdentityTests {
  /// Fields 3 to 22, the last being the start.
  private static let tail = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20"

  @Test(
    "the start is field 22 whatever the name holds; ended processes do not count",
    arguments: [("12 (a) S", 4711), ("12 (a b) c) R", 4711), ("12 (a) Z", nil), ("12 (a) X", nil), ("12 a", nil)] as [(String, UInt64?)])
  func line(start: String, expected: UInt64?) {
    #expect(ProcessIdentity.startTicks(inStat: Array((start + Self.tail).utf8)) == expected)
  }
}

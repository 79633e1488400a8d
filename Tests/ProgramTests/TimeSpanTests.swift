import Testing

@testable import ppo_chunked

@Suite("Time spans")
struct TimeSpanTests {
  @Test(
    "texts of batch systems and people",
    arguments: [
      ("0", 0), ("90", 90), ("90s", 90), ("30m", 1800), ("4h", 14400), ("2d", 172_800), ("1h30m", 5400), ("1d2h3m4s", 93784),
      ("05:00", 300),
      ("04:00:00", 14400), ("30:00:00", 108_000), ("1-00:00:00", 86400), ("2-03:04:05", 183_845),
    ])
  func accepted(text: String, seconds: Int) { #expect(TimeSpan(argument: text)?.seconds == seconds) }

  @Test(
    "everything else is refused",
    arguments: [
      "", "-1", "1.5h", "h", "4x", "1m1h", "1h1h", "1:60", "1:2:3:4", "1-05:00", "a-01:00:00", ":30", "99999999999", "9999d", "1 h", "4h30",
    ])
  func refused(text: String) { #expect(TimeSpan(argument: text) == nil) }

  @Test("the clock form")
  func clock() {
    #expect(TimeSpan(seconds: 183_845).clock == "51:04:05")
    #expect(TimeSpan(seconds: 59).clock == "00:00:59")
  }

  @Test("a margin is at most half of the time that is left, and no time left stops at once")
  func margin() {
    #expect(StopOptions.margin(60, left: 3600) == 60)
    #expect(StopOptions.margin(60, left: 100) == 50)
    #expect(StopOptions.margin(60, left: -5) == 0)
  }

  @Test("the code for a requeue may be any that means nothing else")
  func requeueCode() throws {
    #expect(try StopOptions.parse(["--requeue-exit-code", "99"]).status(.stopped) == 99)
    #expect(try StopOptions.parse(["--requeue-exit-code", "99"]).status(.finished) == 0)
    #expect(try StopOptions.parse([]).status(.stopped) == 75)
    for bad in ["0", "1", "64", "74", "126", "200", "x"] {
      #expect(throws: (any Error).self) { try StopOptions.parse(["--requeue-exit-code", bad]) }
    }
    #expect(throws: (any Error).self) { try StopOptions.parse(["--time-budget", "0"]) }
  }
}

/// When a save that failed is tried again: after 5 s, then twice as long each time, at most five minutes.
struct SaveRetry {
  /// Failures in a row.
  private(set) var failures = 0
  private var nextTry = 0.0

  static let firstSeconds = 5.0
  static let longestSeconds = 300.0

  /// Whether a failed save waits and its time has come.
  func isDue(now: Double) -> Bool { failures > 0 && now >= nextTry }

  /// Whether a failed save waits, so that further ones wait with it.
  var isWaiting: Bool { failures > 0 }

  /// Takes in a failure.
  ///
  /// - Returns: seconds until the next try.
  mutating func failed(now: Double) -> Double {
    failures += 1
    var seconds = Self.firstSeconds
    for _ in 1..<min(failures, 16) { seconds = min(seconds * 2, Self.longestSeconds) }
    nextTry = now + seconds
    return seconds
  }

  /// Takes in a success.
  mutating func succeeded() { failures = 0 }
}

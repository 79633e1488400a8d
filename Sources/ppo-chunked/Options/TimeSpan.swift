import ArgumentParser

/// A length of time as people and batch systems write it: `90`, `90s`, `30m`, `4h`, `2d`, `1h30m`, `MM:SS`, `HH:MM:SS`, `D-HH:MM:SS`.
struct TimeSpan: ExpressibleByArgument, Equatable {
  /// Whole seconds, 0 or more.
  let seconds: Int

  /// What the text forms are, for messages.
  static let forms = "seconds, 90s, 30m, 4h, 2d, 1h30m, HH:MM:SS or D-HH:MM:SS"
  /// Ten years.
  private static let secondsMax = 315_360_000

  init(seconds: Int) { self.seconds = seconds }

  init?(argument: String) {
    guard let seconds = Self.colons(argument) ?? Self.units(argument), seconds <= Self.secondsMax else { return nil }
    self.seconds = seconds
  }

  /// `HH:MM:SS` with hours that may exceed a day.
  var clock: String {
    "\(Self.twoDigits(seconds / 3600)):\(Self.twoDigits(seconds / 60 % 60)):\(Self.twoDigits(seconds % 60))"
  }

  static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

  private static func number(_ text: Substring) -> Int? {
    guard (1...9).contains(text.count), text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return Int(text)
  }

  private static func colons(_ text: String) -> Int? {
    let days = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let parts = (days.last ?? "").split(separator: ":", omittingEmptySubsequences: false).map(number)
    guard (2...3).contains(parts.count), !parts.contains(nil) else { return nil }
    let values = parts.compactMap { $0 }
    guard values.dropFirst().allSatisfy({ $0 < 60 }) else { return nil }
    let time = values.reduce(0) { $0 * 60 + $1 }
    guard days.count == 2 else { return time }
    guard values.count == 3, let count = number(days[0]) else { return nil }
    return count * 86400 + time
  }

  private static func units(_ text: String) -> Int? {
    if let seconds = number(Substring(text)) { return seconds }
    let sizes: [Character: Int] = ["d": 86400, "h": 3600, "m": 60, "s": 1]
    var (sum, last) = (0, Int.max)
    var digits = text[...]
    while !digits.isEmpty {
      let count = digits.prefix { $0.isNumber }
      digits = digits.dropFirst(count.count)
      guard let value = number(count), let unit = digits.popFirst(), let size = sizes[unit], size < last else { return nil }
      sum += value * size
      last = size
    }
    return last == Int.max ? nil : sum
  }
}

/// Dates and times of day as recorded traces write them.
enum Timestamp {
  /// Seconds since 1970 of `YYYY-MM-DD HH:MM:SS`, with a `T` instead of the blank, a fraction and a final `Z` allowed; nil for anything else.
  static func seconds(_ text: ArraySlice<UInt8>) -> Double? {
    var bytes = Array(text)
    if bytes.last == UInt8(ascii: "Z") { bytes.removeLast() }
    guard bytes.count >= 19, bytes[10] == UInt8(ascii: " ") || bytes[10] == UInt8(ascii: "T") else { return nil }
    for (place, mark) in [(4, UInt8(ascii: "-")), (7, UInt8(ascii: "-")), (13, UInt8(ascii: ":")), (16, UInt8(ascii: ":"))]
    where bytes[place] != mark { return nil }
    guard let year = integer(bytes[0..<4]), let month = integer(bytes[5..<7]), let day = integer(bytes[8..<10]),
      let hour = integer(bytes[11..<13]), let minute = integer(bytes[14..<16]), let second = integer(bytes[17..<19])
    else { return nil }
    guard (1...12).contains(month), (1...daysInMonth(year, month)).contains(day), hour < 24, minute < 60, second < 60 else { return nil }
    let whole = ((daysSince1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    if bytes.count == 19 { return Double(whole) }
    // Six digits are what such traces have; more would be lost in a double anyway.
    guard bytes[19] == UInt8(ascii: "."), bytes.count > 20, bytes.count <= 29, let fraction = integer(bytes[20...]) else { return nil }
    var unit = 1.0
    for _ in 20..<bytes.count { unit *= 10 }
    return Double(whole) + Double(fraction) / unit
  }

  private static func integer(_ digits: ArraySlice<UInt8>) -> Int? {
    var value = 0
    for digit in digits {
      guard digit >= 48 && digit <= 57 else { return nil }
      value = value * 10 + Int(digit - 48)
    }
    return value
  }

  private static func daysInMonth(_ year: Int, _ month: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  }

  /// Days of the Gregorian calendar, counted from March on so that the leap day is the last of its year.
  private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let marchYear = month > 2 ? year : year - 1
    let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

/// The values of one metric: moments as they come, percentiles at the end.
///
/// Percentiles are exact (linear interpolation between the two nearest ranks). The values are kept in double precision up to `exactLimit` of
/// them, and beyond that either rounded to single precision (relative error 6e-8) or not at all, so that ten million requests fit into memory.
public struct Distribution: Sendable {
  /// What happens to the values when there are more than the limit.
  public enum Overflow: Equatable, Sendable {
    /// They are rounded to single precision.
    case round
    /// They are dropped; moments go on, percentiles are NaN.
    case drop
  }

  private enum Values {
    case double([Double])
    case single([Float])
    case dropped
  }

  /// Values so far.
  public private(set) var count = 0
  /// Smallest value, NaN of nothing.
  public private(set) var least = Double.nan
  /// Greatest value, NaN of nothing.
  public private(set) var greatest = Double.nan
  private var sum = 0.0
  private var values = Values.double([])
  private let expected: Int
  private let exactLimit: Int
  private let roundedLimit: Int
  private let overflow: Overflow

  /// - Parameters:
  ///   - expected: values to come, as far as known; storage is reserved for them.
  ///   - exactLimit: values up to which they are kept in double precision.
  ///   - roundedLimit: values up to which they are kept in single precision, if they are; then they are dropped.
  public init(overflow: Overflow = .round, expected: Int = 0, exactLimit: Int = 1 << 20, roundedLimit: Int = .max) {
    self.overflow = overflow
    self.expected = expected
    self.exactLimit = exactLimit
    self.roundedLimit = roundedLimit
  }

  /// Mean, NaN of nothing.
  public var mean: Double { count == 0 ? .nan : sum / Double(count) }

  /// Whether percentiles come from values in double precision.
  public var isExact: Bool { if case .double = values { true } else { false } }

  /// Takes in one value.
  public mutating func add(_ value: Double) {
    least = count == 0 ? value : min(least, value)
    greatest = count == 0 ? value : max(greatest, value)
    sum += value
    count += 1
    switch values {
    case .double(var list):
      values = .dropped
      if list.count < exactLimit {
        list.append(value)
        values = .double(list)
      } else if overflow == .round {
        var rounded: [Float] = []
        rounded.reserveCapacity(max(expected, 2 * list.count))
        for value in list { rounded.append(Float(value)) }
        rounded.append(Float(value))
        values = .single(rounded)
      }
    case .single(var list):
      values = .dropped
      if list.count < roundedLimit {
        list.append(Float(value))
        values = .single(list)
      }
    case .dropped: break
    }
  }

  /// The `shares` quantiles, NaN where there are no values.
  ///
  /// - Complexity: O(count) on average for each; the values are reordered in place.
  public mutating func percentiles(_ shares: [Double]) -> [Double] {
    switch values {
    case .double(var list):
      values = .dropped
      defer { values = .double(list) }
      return shares.map { Self.percentile(&list, $0) }
    case .single(var list):
      values = .dropped
      defer { values = .single(list) }
      return shares.map { Self.percentile(&list, $0) }
    case .dropped: return shares.map { _ in .nan }
    }
  }

  private static func percentile<Value: BinaryFloatingPoint>(_ list: inout [Value], _ share: Double) -> Double {
    if list.isEmpty { return .nan }
    let position = min(max(share, 0), 1) * Double(list.count - 1)
    let index = Int(position)
    select(index, &list)
    let low = Double(list[index])
    if index + 1 == list.count { return low }
    // Everything behind the selected value is at least as large: the next rank is the least of it.
    var next = list[index + 1]
    for place in (index + 1)..<list.count where list[place] < next { next = list[place] }
    return low + (position - Double(index)) * (Double(next) - low)
  }

  /// Hoare's selection: afterwards nothing before `target` is greater and nothing behind it is less.
  private static func select<Value: BinaryFloatingPoint>(_ target: Int, _ list: inout [Value]) {
    var low = 0
    var high = list.count - 1
    while low < high {
      let middle = low + (high - low) / 2
      // The median of three as pivot keeps ascending and descending lists quick.
      if list[middle] < list[low] { list.swapAt(middle, low) }
      if list[high] < list[low] { list.swapAt(high, low) }
      if list[high] < list[middle] { list.swapAt(high, middle) }
      let pivot = list[middle]
      var left = low
      var right = high
      while left <= right {
        while list[left] < pivot { left += 1 }
        while pivot < list[right] { right -= 1 }
        if left <= right {
          list.swapAt(left, right)
          left += 1
          right -= 1
        }
      }
      if target <= right { high = right } else if target >= left { low = left } else { return }
    }
  }
}

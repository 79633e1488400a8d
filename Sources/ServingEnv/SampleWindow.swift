/// Samples (time, value) of the last seconds, oldest first, in a power-of-two ring that grows and never shrinks.
///
/// Invariant: times do not decrease from front to back.
struct SampleWindow: Sendable {
  private var times: [Double]
  private var values: [Double]
  private var head = 0
  private(set) var count = 0

  /// Room for `capacity` samples (a power of two) before the first growth.
  init(capacity: Int = 256) {
    precondition(capacity > 0 && capacity & (capacity - 1) == 0, "ring capacity must be a power of two")
    times = [Double](repeating: 0, count: capacity)
    values = times
  }

  mutating func append(time: Double, value: Double) {
    precondition(count == 0 || times[place(count - 1)] <= time, "samples must not go back in time")
    if count == times.count { grow() }
    let last = place(count)
    times[last] = time
    values[last] = value
    count += 1
  }

  /// Drops samples with times up to and including `limit`.
  mutating func drop(through limit: Double) {
    while count > 0 && times[head] <= limit {
      head = place(1)
      count -= 1
    }
  }

  mutating func removeAll() {
    head = 0
    count = 0
  }

  /// Sum of the values, oldest first: no running sum, so nothing of a dropped sample stays behind.
  var sum: Double {
    var total = 0.0
    for offset in 0..<count { total += values[place(offset)] }
    return total
  }

  private func place(_ offset: Int) -> Int { (head &+ offset) & (times.count &- 1) }

  private mutating func grow() {
    let old = self
    times = [Double](repeating: 0, count: old.times.count * 2)
    values = times
    for offset in 0..<count {
      times[offset] = old.times[old.place(offset)]
      values[offset] = old.values[old.place(offset)]
    }
    head = 0
  }
}

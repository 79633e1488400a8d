/// A quantity that changes in steps: its mean over time, its least and its greatest value. Values that last for no time do not count.
public struct StepSeries: Equatable, Sendable {
  private let begin: Double
  private var since: Double
  private var value: Double
  private var area = 0.0
  private var least = Double.infinity
  private var greatest = -Double.infinity

  /// The quantity is `value` from `begin` on.
  public init(_ value: Double, from begin: Double) {
    self.begin = begin
    since = begin
    self.value = value
  }

  /// The quantity is `new` from `time` on, not before the change before.
  public mutating func change(to new: Double, at time: Double) {
    close(at: time)
    value = new
  }

  /// The figures from begin to `end`; all are the present value if that is no time.
  public func summary(until end: Double) -> (mean: Double, least: Double, greatest: Double) {
    var copy = self
    copy.close(at: max(end, since))
    if copy.since <= begin { return (value, value, value) }
    return (copy.area / (copy.since - begin), copy.least, copy.greatest)
  }

  private mutating func close(at time: Double) {
    if time <= since { return }
    area += value * (time - since)
    least = min(least, value)
    greatest = max(greatest, value)
    since = time
  }
}

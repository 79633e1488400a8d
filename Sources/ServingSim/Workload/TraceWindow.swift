/// The rows of a trace that a replay uses, and its pace.
struct TraceWindow: Equatable, Sendable {
  /// Row numbers in the trace: at least one, from a drawn row at least two.
  let range: Range<Int>
  /// Seconds after which the window starts over: from first to last row plus one mean gap; 0 if all rows arrive at once.
  let period: Double
  /// Factor from trace time to simulated time.
  let timeScale: Double
  /// Time in the trace that is 0 for a replay from the first row on.
  let begin: Double

  init(_ replay: WorkloadConfiguration.Replay) throws(ServingError) {
    let rows = replay.trace.rows
    var low = 0
    var high = rows.count
    if let from = replay.from { while low < high && rows[low].arrivedAt < from { low += 1 } }
    if let to = replay.to { while high > low && !(rows[high - 1].arrivedAt < to) { high -= 1 } }
    let count = high - low
    let span = count > 0 ? rows[high - 1].arrivedAt - rows[low].arrivedAt : 0
    // A replay that is drawn goes on for ever, so time must pass in it.
    guard replay.begin == .firstRow ? count >= 1 : count >= 2 && span > 0 else {
      let times = "rows of \(replay.trace.name) arrive at \(rows[0].arrivedAt)...\(rows[rows.count - 1].arrivedAt) s"
      let needed = replay.begin == .firstRow ? "one is needed" : "two at different times are needed"
      throw ServingError(.outOfRange, field: "from/to", reason: "\(count) rows lie in the window, \(needed); \(times)")
    }
    try replay.scale.validate()
    range = low..<high
    let meanGap = span / Double(max(1, count - 1))
    period = span + meanGap
    begin = replay.from ?? 0
    if let qps = replay.qps {
      guard span > 0 else { throw ServingError(.inconsistent, field: "qps", reason: "\(qps), but all rows in the window arrive at once") }
      guard qps.isFinite && qps > 0 else { throw ServingError(.outOfRange, field: "qps", reason: "\(qps), allowed above 0") }
      timeScale = 1 / (qps * meanGap)
    } else {
      timeScale = replay.scale.time
    }
    guard timeScale.isFinite && period * timeScale <= 1e12 else {
      throw ServingError(
        .outOfRange, field: "qps", reason: "one lap over \(replay.trace.name) would last \(period * timeScale) s, allowed up to 1e12")
    }
  }

  /// Simulated time of row `offset` of the window, counted on over laps, when row `first` starts the replay.
  func time(of offset: Int, first: Int, in replay: WorkloadConfiguration.Replay) -> Double {
    let rows = replay.trace.rows
    let row = rows[range.lowerBound + offset % range.count].arrivedAt
    let origin = replay.begin == .firstRow ? begin : rows[range.lowerBound + first].arrivedAt
    return (row - origin + Double(offset / range.count) * period) * timeScale
  }
}

/// The rows of a trace that a replay uses, and its pace.
struct TraceWindow: Equatable, Sendable {
  /// Row numbers in the trace, at least two.
  let range: Range<Int>
  /// Seconds after which the window starts over: from first to last row plus one mean gap.
  let period: Double
  /// Factor from trace time to simulated time.
  let timeScale: Double

  init(_ replay: WorkloadConfiguration.Replay) throws(ServingError) {
    let rows = replay.trace.rows
    var low = 0
    var high = rows.count
    if let from = replay.from { while low < high && rows[low].arrivedAt < from { low += 1 } }
    if let to = replay.to { while high > low && !(rows[high - 1].arrivedAt < to) { high -= 1 } }
    let count = high - low
    let span = count > 0 ? rows[high - 1].arrivedAt - rows[low].arrivedAt : 0
    guard count >= 2 && span > 0 else {
      throw ServingError(
        .outOfRange, field: "from/to", reason: "\(count) rows of \(replay.trace.name) lie in the window; two at different times are needed")
    }
    range = low..<high
    let meanGap = span / Double(count - 1)
    period = span + meanGap
    if let qps = replay.qps {
      guard qps.isFinite && qps > 0 else { throw ServingError(.outOfRange, field: "qps", reason: "\(qps), allowed above 0") }
      timeScale = 1 / (qps * meanGap)
    } else {
      timeScale = 1
    }
  }
}

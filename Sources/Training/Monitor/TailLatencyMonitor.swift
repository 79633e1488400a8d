/// The slowest requests of a run: percentiles of end-to-end time over the newest completed requests, and an alert when the 99th is too high.
///
/// Requests are taken in by environment, then time, once an iteration. The clock is simulated time: the mean of what the environments'
/// clocks advanced. Nothing here reaches the training.
///
/// Invariant: at most `window` samples, oldest first.
struct TailLatencyMonitor: Equatable, Sendable {
  /// End-to-end times in seconds, oldest first.
  var samples: [Double] = []
  /// Simulated seconds since the run began.
  var clock = 0.0
  /// Clock of the last alert; nil before the first.
  var lastAlert: Double?
  /// Alerts so far.
  var alertCount = 0

  /// What one iteration showed.
  struct Finding: Equatable {
    /// Percentiles in seconds; NaN without a completed request.
    var p90: Double
    var p95: Double
    var p99: Double
    /// Whether an alert is due.
    var isAlert: Bool
  }

  /// Takes in one iteration.
  ///
  /// - Parameters:
  ///   - latencies: of the completed requests, in gathered order.
  ///   - seconds: simulated time that passed.
  ///   - window: samples that are kept.
  ///   - threshold: 99th percentile above which an alert is due.
  ///   - cooldown: simulated seconds that an alert keeps the next one away.
  mutating func take(_ latencies: [Double], seconds: Double, window: Int, threshold: Double, cooldown: Double) -> Finding {
    samples.append(contentsOf: latencies)
    if samples.count > window { samples.removeFirst(samples.count - window) }
    clock += seconds
    let ascending = samples.sorted()
    var finding = Finding(
      p90: Percentile.of(ascending, 0.9), p95: Percentile.of(ascending, 0.95), p99: Percentile.of(ascending, 0.99), isAlert: false)
    if finding.p99 > threshold, lastAlert.map({ clock - $0 >= cooldown }) ?? true {
      finding.isAlert = true
      lastAlert = clock
      alertCount += 1
    }
    return finding
  }
}

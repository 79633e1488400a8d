/// Throughput, latency and arrival rate over the last W seconds, as of one decision.
struct ClusterMetrics: Equatable, Sendable {
  /// Time of the decision, seconds.
  var time = 0.0
  /// Completions in (t - W, t] over the length of the window.
  var throughput = 0.0
  /// Mean end-to-end latency of these completions; carried on while there are none; 0 before the first.
  var latency = 0.0
  /// Arrivals in (t - W, t] over the length of the window.
  var arrivalRate = 0.0
  /// Completions in the window.
  var completions = 0
}

/// Gathers what `ClusterMetrics` is made from.
struct MetricsWindow: Sendable {
  /// W.
  let seconds: Double
  private var completed = SampleWindow()
  private var arrived = SampleWindow()
  private(set) var metrics = ClusterMetrics()
  /// As of the decision before.
  private(set) var previous = ClusterMetrics()

  init(seconds: Double) { self.seconds = seconds }

  mutating func reset() {
    completed.removeAll()
    arrived.removeAll()
    metrics = ClusterMetrics()
    previous = metrics
  }

  mutating func addCompletion(at time: Double, latency: Double) { completed.append(time: time, value: latency) }

  mutating func addArrival(at time: Double) { arrived.append(time: time, value: 0) }

  /// Moves the window to end at `time` and renews `metrics`.
  ///
  /// The window is as long as the time that has passed, but no shorter than the smaller of W and 1 s: the first request of an episode may arrive
  /// after a microsecond, and a rate of 10^6 per second would spoil averages and running statistics.
  mutating func advance(to time: Double) {
    previous = metrics
    completed.drop(through: time - seconds)
    arrived.drop(through: time - seconds)
    let length = min(seconds, max(time, 1))
    metrics.time = time
    metrics.completions = completed.count
    metrics.throughput = Double(completed.count) / length
    metrics.arrivalRate = Double(arrived.count) / length
    if completed.count > 0 { metrics.latency = completed.sum / Double(completed.count) }
  }
}

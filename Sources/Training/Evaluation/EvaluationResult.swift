import ServingEnv
import ServingSim

/// One policy on one workload: the figures of every request, all of them served to the end.
public struct EvaluationResult: Equatable, Sendable {
  /// Numbers of the served requests, ascending; those of `requestCount` that are missing could not be served.
  public let ids: [Int]
  /// End-to-end times in seconds, of each request.
  public let endToEnd: [Double]
  /// Times to the first token in seconds, of each request.
  public let timeToFirstToken: [Double]
  /// Mean times between tokens in seconds, of each request: time after the first token over output tokens.
  public let timeBetweenTokens: [Double]
  /// Requests per second from the first arrival to the last completion.
  public let throughput: Double
  /// Requests that each replica served.
  public let counts: [Int]
  /// Requests of the workload.
  public let requestCount: Int

  init(_ completed: [CompletedRequest], requestCount: Int, replicaCount: Int) {
    let ordered = completed.sorted { $0.id < $1.id }
    ids = ordered.map(\.id)
    endToEnd = ordered.map(\.endToEndSeconds)
    timeToFirstToken = ordered.map(\.timeToFirstTokenSeconds)
    timeBetweenTokens = ordered.map(\.timeBetweenTokensSeconds)
    let first = ordered.map(\.arrivedAt).min() ?? 0
    let last = ordered.map(\.completedAt).max() ?? 0
    throughput = last > first ? Double(ordered.count) / (last - first) : 0
    var counts = [Int](repeating: 0, count: replicaCount)
    for request in ordered { counts[request.replica] += 1 }
    self.counts = counts
    self.requestCount = requestCount
  }

  /// By parts, as another rank sent them.
  init(
    ids: [Int], endToEnd: [Double], timeToFirstToken: [Double], timeBetweenTokens: [Double], throughput: Double, counts: [Int],
    requestCount: Int
  ) {
    self.ids = ids
    self.endToEnd = endToEnd
    self.timeToFirstToken = timeToFirstToken
    self.timeBetweenTokens = timeBetweenTokens
    self.throughput = throughput
    self.counts = counts
    self.requestCount = requestCount
  }

  /// Whether every request was served.
  public var isComplete: Bool { ids.count == requestCount }
}

/// The figures of one policy over all requests of several workloads.
public struct EvaluationSummary: Equatable, Sendable {
  /// Order statistics of one time, in seconds.
  public struct Times: Equatable, Sendable {
    /// Arithmetic mean.
    public let mean: Double
    /// Median and upper quantiles, linearly interpolated.
    public let p50, p95, p99: Double

    init(_ values: [Double]) {
      let ascending = values.sorted()
      // In the order of the workloads and their requests, so that the sum does not depend on who computed what.
      mean = Percentile.mean(values)
      p50 = Percentile.of(ascending, 0.5)
      p95 = Percentile.of(ascending, 0.95)
      p99 = Percentile.of(ascending, 0.99)
    }
  }

  /// End-to-end times, times to the first token, times between tokens.
  public let endToEnd, timeToFirstToken, timeBetweenTokens: Times
  /// Mean square of the time to the first token, s^2.
  public let timeToFirstTokenSquared: Double
  /// Requests per second, mean over the workloads.
  public let throughput: Double
  /// Share of the requests that each replica served.
  public let shares: [Double]
  /// Requests that could not be served.
  public let unserved: Int

  /// Over `results`, one for each workload, in order.
  public init(_ results: [EvaluationResult]) {
    endToEnd = Times(results.flatMap(\.endToEnd))
    let first = results.flatMap(\.timeToFirstToken)
    timeToFirstToken = Times(first)
    timeToFirstTokenSquared = Percentile.mean(first.map { $0 * $0 })
    timeBetweenTokens = Times(results.flatMap(\.timeBetweenTokens))
    throughput = Percentile.mean(results.map(\.throughput))
    let counts = (0..<(results.first?.counts.count ?? 0)).map { replica in results.reduce(0) { $0 + $1.counts[replica] } }
    let served = counts.reduce(0, +)
    shares = counts.map { Double($0) / Double(max(served, 1)) }
    unserved = results.reduce(0) { $0 + $1.requestCount - $1.ids.count }
  }

  /// What the objective is made of.
  public var figures: LatencyFigures {
    LatencyFigures(endToEnd: endToEnd.mean, firstToken: timeToFirstToken.mean, firstTokenSquared: timeToFirstTokenSquared)
  }
}

/// Order statistics of ascending values.
public enum Percentile {
  /// The `share` quantile with linear interpolation between the two nearest ranks; NaN of nothing.
  public static func of(_ ascending: [Double], _ share: Double) -> Double {
    guard let last = ascending.last else { return .nan }
    let position = share * Double(ascending.count - 1)
    let index = Int(position)
    guard index + 1 < ascending.count else { return last }
    return ascending[index] + (position - Double(index)) * (ascending[index + 1] - ascending[index])
  }

  /// Arithmetic mean; NaN of nothing.
  public static func mean(_ values: [Double]) -> Double { values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count) }
}

import Randomness

/// An endless sequence of requests, a function of (configuration, seed, chunk, environment).
///
/// Draws are keyed by the request's number, so nothing depends on how many requests are taken or when.
public struct Workload: Equatable, Sendable {
  /// The source and its limits.
  public let configuration: WorkloadConfiguration
  /// Requests shortened to `maxTokens` since the reset.
  public private(set) var clampedCount = 0
  /// Requests left out as too long since the reset.
  public private(set) var rejectedCount = 0

  private let window: TraceWindow?
  private var seed: UInt64
  private var chunk: Int
  private var environment: Int
  /// Candidates drawn so far, left out ones included.
  private var drawn = 0
  private var clock = 0.0
  /// First row of a replay, as an offset into the window.
  private var firstRow = 0

  /// A workload at its first request.
  public init(_ configuration: WorkloadConfiguration, seed: UInt64 = 0, chunk: Int = 0, environment: Int = 0) throws(ServingError) {
    guard configuration.maxTokens >= 2 else {
      throw ServingError(.outOfRange, field: "maxTokens", reason: "\(configuration.maxTokens), allowed 2 or more")
    }
    switch configuration.source {
    case .poisson(let synthetic):
      guard synthetic.qps.isFinite && synthetic.qps > 0 else {
        throw ServingError(.outOfRange, field: "qps", reason: "\(synthetic.qps), allowed above 0")
      }
      try synthetic.lengths.validate()
      if configuration.lengthPolicy == .reject && synthetic.lengths.totalTokensMin > configuration.maxTokens {
        throw ServingError(.inconsistent, field: "lengths", reason: "every request exceeds maxTokens \(configuration.maxTokens)")
      }
      window = nil
    case .trace(let replay):
      let window = try TraceWindow(replay)
      let isEveryRowLong = !replay.trace.rows[window.range].contains { $0.prefillTokens + $0.decodeTokens <= configuration.maxTokens }
      if configuration.lengthPolicy == .reject && isEveryRowLong {
        throw ServingError(.inconsistent, field: "trace", reason: "every row exceeds maxTokens \(configuration.maxTokens)")
      }
      self.window = window
    }
    self.configuration = configuration
    self.seed = seed
    self.chunk = chunk
    self.environment = environment
    reset(seed: seed, chunk: chunk, environment: environment)
  }

  /// Back to the first request of another (or the same) name.
  public mutating func reset(seed: UInt64, chunk: Int, environment: Int) {
    self.seed = seed
    self.chunk = chunk
    self.environment = environment
    drawn = 0
    clock = 0
    clampedCount = 0
    rejectedCount = 0
    firstRow = 0
    if let window {
      var stream = RandomStream(seed: seed, purpose: .window, chunk: chunk, environment: environment)
      firstRow = stream.bounded(window.range.count)
    }
  }

  /// The next request. Arrival times start near 0 (at 0 for a trace) and do not decrease.
  public mutating func next() -> RequestSpec {
    while true {
      var request = candidate()
      drawn += 1
      let excess = request.totalTokens - configuration.maxTokens
      if excess <= 0 { return request }
      if configuration.lengthPolicy == .reject {
        rejectedCount += 1
        continue
      }
      clampedCount += 1
      let fromPrefill = min(excess, request.prefillTokens - 1)
      request.prefillTokens -= fromPrefill
      request.decodeTokens -= excess - fromPrefill
      return request
    }
  }

  private mutating func candidate() -> RequestSpec {
    switch configuration.source {
    case .poisson(let synthetic):
      var arrivals = RandomStream(seed: seed, purpose: .arrivals, chunk: chunk, environment: environment, index: drawn)
      var lengths = RandomStream(seed: seed, purpose: .lengths, chunk: chunk, environment: environment, index: drawn)
      clock += arrivals.exponential(rate: synthetic.qps)
      let (prefill, decode) = synthetic.lengths.draw(&lengths)
      return RequestSpec(arrivedAt: clock, prefillTokens: prefill, decodeTokens: decode)
    case .trace(let replay):
      guard let window else { preconditionFailure("a replay without a window") }
      let offset = firstRow + drawn
      let row = replay.trace.rows[window.range.lowerBound + offset % window.range.count]
      let first = replay.trace.rows[window.range.lowerBound + firstRow].arrivedAt
      let laps = Double(offset / window.range.count)
      let time = (row.arrivedAt - first + laps * window.period) * window.timeScale
      return RequestSpec(arrivedAt: time, prefillTokens: row.prefillTokens, decodeTokens: row.decodeTokens)
    }
  }
}

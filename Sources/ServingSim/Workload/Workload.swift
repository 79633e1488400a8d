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

  /// Rows of a replay, of a whole trace or of recorded intervals.
  private let window: TraceWindow?
  /// Ends of the classes' shares, the last one 1; empty for a single class.
  private let shareEnds: [Double]
  private var seed: UInt64
  private var chunk: Int
  private var environment: Int
  /// Candidates drawn so far, left out ones included.
  private var drawn = 0
  /// Sum of the drawn intervals.
  private var clock = 0.0
  /// Arrival of the request before.
  private var last = 0.0
  /// First row of a replay, as an offset into the window.
  private var firstRow = 0

  /// A workload at its first request.
  public init(_ configuration: WorkloadConfiguration, seed: UInt64 = 0, chunk: Int = 0, environment: Int = 0) throws(ServingError) {
    guard configuration.maxTokens >= 2 else {
      throw ServingError(.outOfRange, field: "maxTokens", reason: "\(configuration.maxTokens), allowed 2 or more")
    }
    switch configuration.source {
    case .synthetic(let synthetic):
      window = try Self.validate(synthetic, configuration)
      shareEnds = Self.shareEnds(synthetic.classes)
    case .trace(let replay):
      let window = try TraceWindow(replay)
      let isEveryRowLong = !replay.trace.rows[window.range].contains { row in
        let (prefill, decode) = replay.scale.lengths(row)
        return prefill + decode <= configuration.maxTokens
      }
      if configuration.lengthPolicy == .reject && isEveryRowLong {
        throw ServingError(.inconsistent, field: "trace", reason: "every row exceeds maxTokens \(configuration.maxTokens)")
      }
      self.window = window
      shareEnds = []
    }
    self.configuration = configuration
    self.seed = seed
    self.chunk = chunk
    self.environment = environment
    reset(seed: seed, chunk: chunk, environment: environment)
    if case .synthetic = configuration.source, configuration.lengthPolicy == .reject, !isServable {
      throw ServingError(.inconsistent, field: "lengths", reason: "none of 1000 requests stays within maxTokens \(configuration.maxTokens)")
    }
  }

  /// Whether one of the first thousand requests is short enough, so that leaving out the others comes to an end.
  private var isServable: Bool {
    var probe = self
    for _ in 0..<1000 {
      if probe.candidate().request.totalTokens <= configuration.maxTokens { return true }
      probe.drawn += 1
    }
    return false
  }

  /// Rows of the window of a replayed trace or of recorded intervals: after so many requests it starts over. Nil for other sources.
  public var rowCount: Int? { window?.range.count }

  /// Back to the first request of another (or the same) name.
  public mutating func reset(seed: UInt64, chunk: Int, environment: Int) {
    self.seed = seed
    self.chunk = chunk
    self.environment = environment
    drawn = 0
    clock = 0
    last = 0
    clampedCount = 0
    rejectedCount = 0
    firstRow = 0
    if let window, replay?.begin == .drawnRow {
      var stream = RandomStream(seed: seed, purpose: .window, chunk: chunk, environment: environment)
      firstRow = stream.bounded(window.range.count)
    }
  }

  /// The next request. Arrival times start near 0 (at 0 for a trace from a drawn row) and do not decrease.
  public mutating func next() -> RequestSpec {
    while true {
      var (request, isShortenedInProportion) = candidate()
      drawn += 1
      let excess = request.totalTokens - configuration.maxTokens
      if excess <= 0 { return request }
      if configuration.lengthPolicy == .reject {
        rejectedCount += 1
        continue
      }
      clampedCount += 1
      if isShortenedInProportion {
        let total = request.totalTokens
        request.prefillTokens = max(1, request.prefillTokens - (excess * request.prefillTokens + total - 1) / total)
        request.decodeTokens = max(1, request.decodeTokens - (excess * request.decodeTokens + total - 1) / total)
      }
      // A part that was kept at one token may leave a token too many.
      let rest = max(0, request.totalTokens - configuration.maxTokens)
      let fromPrefill = min(rest, request.prefillTokens - 1)
      request.prefillTokens -= fromPrefill
      request.decodeTokens -= rest - fromPrefill
      return request
    }
  }

  // MARK: Parts of a request

  /// The replay that gives the arrivals.
  private var replay: WorkloadConfiguration.Replay? {
    switch configuration.source {
    case .trace(let replay): return replay
    case .synthetic(let synthetic):
      if case .recorded(let replay) = synthetic.intervals { return replay }
      return nil
    }
  }

  private mutating func candidate() -> (request: RequestSpec, isShortenedInProportion: Bool) {
    switch configuration.source {
    case .synthetic(let synthetic):
      let time = arrivalTime(synthetic)
      var stream = RandomStream(seed: seed, purpose: .lengths, chunk: chunk, environment: environment, index: drawn)
      let classIndex = chooseClass(&stream)
      let drawnClass = synthetic.classes[classIndex]
      let (prefill, decode) = drawnClass.lengths.draw(&stream) { count in
        RowOrder(count: count, seed: seed, chunk: chunk, environment: environment).row(at: drawn)
      }
      let request = RequestSpec(
        arrivedAt: time, prefillTokens: prefill, decodeTokens: decode, priority: drawnClass.priority, requestClass: classIndex)
      if case .recorded = drawnClass.lengths { return (request, true) }
      return (request, false)
    case .trace(let replay):
      guard let window else { preconditionFailure("a replay without a window") }
      let offset = firstRow + drawn
      let row = replay.trace.rows[window.range.lowerBound + offset % window.range.count]
      let (prefill, decode) = replay.scale.lengths(row)
      let time = ordered(window.time(of: offset, first: firstRow, in: replay))
      return (RequestSpec(arrivedAt: time, prefillTokens: prefill, decodeTokens: decode, priority: row.priority), false)
    }
  }

  private mutating func arrivalTime(_ synthetic: WorkloadConfiguration.Synthetic) -> Double {
    if case .recorded(let replay) = synthetic.intervals, let window {
      return ordered(window.time(of: firstRow + drawn, first: firstRow, in: replay))
    }
    var stream = RandomStream(seed: seed, purpose: .arrivals, chunk: chunk, environment: environment, index: drawn)
    clock += synthetic.intervals.draw(rate: synthetic.qps, &stream)
    return ordered(clock)
  }

  /// `time` of a steady rate under the rate profile; rounding never takes it behind the arrival before.
  private mutating func ordered(_ time: Double) -> Double {
    guard let profile = configuration.rateProfile else { return time }
    last = max(last, profile.time(atAccumulated: time))
    return last
  }

  private func chooseClass(_ stream: inout RandomStream) -> Int {
    if shareEnds.isEmpty { return 0 }
    let u = stream.uniform()
    return shareEnds.firstIndex { u < $0 } ?? shareEnds.count - 1
  }

  // MARK: Checks

  private static func validate(
    _ synthetic: WorkloadConfiguration.Synthetic, _ configuration: WorkloadConfiguration
  ) throws(ServingError) -> TraceWindow? {
    guard synthetic.qps >= 1e-9 && synthetic.qps <= 1e9 else {
      throw ServingError(.outOfRange, field: "qps", reason: "\(synthetic.qps), allowed 1e-9...1e9")
    }
    guard !synthetic.classes.isEmpty && synthetic.classes.count <= 1024 else {
      throw ServingError(.outOfRange, field: "classes", reason: "\(synthetic.classes.count) classes, allowed 1...1024")
    }
    try synthetic.intervals.validate()
    for (index, requestClass) in synthetic.classes.enumerated() {
      guard requestClass.share > 0 && requestClass.share <= 1e9 else {
        throw ServingError(.outOfRange, field: "classes[\(index)].share", reason: "\(requestClass.share), allowed above 0 to 1e9")
      }
      guard requestClass.priority.isFinite else {
        throw ServingError(.outOfRange, field: "classes[\(index)].priority", reason: "\(requestClass.priority), allowed finite numbers")
      }
      try requestClass.lengths.validate()
    }
    if case .recorded(let replay) = synthetic.intervals { return try TraceWindow(replay) }
    return nil
  }

  private static func shareEnds(_ classes: [RequestClass]) -> [Double] {
    if classes.count == 1 { return [] }
    var sum = 0.0
    for requestClass in classes { sum += requestClass.share }
    var end = 0.0
    return classes.map { requestClass in
      end += requestClass.share
      return end / sum
    }
  }
}

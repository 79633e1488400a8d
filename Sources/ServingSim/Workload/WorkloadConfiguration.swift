/// What to do with a request of more than the longest sequence.
public enum LengthPolicy: String, Equatable, Sendable, CaseIterable {
  /// Take the excess off the prompt, down to one token, then off the output; recorded lengths without arrivals lose it in proportion.
  case clamp
  /// Leave the request out.
  case reject
}

/// Requests of one kind in a mix.
public struct RequestClass: Equatable, Sendable {
  /// Weight among the classes, above 0.
  public var share: Double
  /// Token counts.
  public var lengths: LengthDistribution
  /// Importance of its requests.
  public var priority: Double

  /// A class.
  public init(share: Double = 1, lengths: LengthDistribution, priority: Double = 0) {
    self.share = share
    self.lengths = lengths
    self.priority = priority
  }
}

/// Where requests come from.
public struct WorkloadConfiguration: Equatable, Sendable {
  /// Drawn requests.
  public struct Synthetic: Equatable, Sendable {
    /// Mean arrivals per second, before the rate profile and a cap on intervals; of recorded intervals their own.
    public var qps: Double
    /// Times between arrivals.
    public var intervals: IntervalDistribution
    /// Kinds of requests, drawn by share.
    public var classes: [RequestClass]

    /// Poisson arrivals at `qps` with these lengths.
    public init(qps: Double, lengths: LengthDistribution = .conversation, intervals: IntervalDistribution = .poisson(cap: nil)) {
      self.init(qps: qps, classes: [RequestClass(lengths: lengths)], intervals: intervals)
    }

    /// A mix of classes.
    public init(qps: Double, classes: [RequestClass], intervals: IntervalDistribution = .poisson(cap: nil)) {
      self.qps = qps
      self.classes = classes
      self.intervals = intervals
    }
  }

  /// Rows of a recorded trace, over and over.
  public struct Replay: Equatable, Sendable {
    /// The row that comes first.
    public enum Begin: Equatable, Sendable {
      /// One that is drawn; it arrives at time 0.
      case drawnRow
      /// The first one of the window, at its own time after the window's begin.
      case firstRow
    }

    /// The trace.
    public var trace: Trace
    /// Rows before this time are left out, seconds.
    public var from: Double?
    /// Rows at or after this time are left out, seconds.
    public var to: Double?
    /// Mean arrivals per second to rescale to; nil keeps the recorded pace.
    public var qps: Double?
    /// Factors on its numbers.
    public var scale: TraceScale
    /// Where it starts.
    public var begin: Begin

    /// A replay of the rows inside [from, to).
    public init(
      trace: Trace, from: Double? = nil, to: Double? = nil, qps: Double? = nil, scale: TraceScale = TraceScale(), begin: Begin = .drawnRow
    ) {
      self.trace = trace
      self.from = from
      self.to = to
      self.qps = qps
      self.scale = scale
      self.begin = begin
    }
  }

  /// Kinds of sources.
  public enum Source: Equatable, Sendable {
    /// Drawn arrivals and lengths.
    case synthetic(Synthetic)
    /// Recorded ones.
    case trace(Replay)

    /// Drawn ones, as their most common kind is called.
    public static func poisson(_ synthetic: Synthetic) -> Source { .synthetic(synthetic) }
  }

  /// The source.
  public var source: Source
  /// Changes of the rate over time; nil for none.
  public var rateProfile: RateProfile?
  /// Longest sequence, prompt and output together.
  public var maxTokens: Int
  /// Treatment of longer ones.
  public var lengthPolicy: LengthPolicy

  /// A workload from `source`.
  public init(source: Source, rateProfile: RateProfile? = nil, maxTokens: Int = 4096, lengthPolicy: LengthPolicy = .clamp) {
    self.source = source
    self.rateProfile = rateProfile
    self.maxTokens = maxTokens
    self.lengthPolicy = lengthPolicy
  }

  /// Mean arrivals per second that really come, over a period of the rate profile if it repeats; infinite when all come at once.
  public var meanRate: Double { baseRate * (rateProfile?.meanFactor ?? 1) }

  private var baseRate: Double {
    switch source {
    case .synthetic(let synthetic):
      if case .recorded(let replay) = synthetic.intervals { return Self.rate(of: replay) }
      return synthetic.qps / synthetic.intervals.meanInterval
    case .trace(let replay): return Self.rate(of: replay)
    }
  }

  private static func rate(of replay: Replay) -> Double {
    if let qps = replay.qps { return qps }
    let rows = replay.trace.rows.filter { $0.arrivedAt >= replay.from ?? 0 && $0.arrivedAt < replay.to ?? .infinity }
    guard let first = rows.first, let last = rows.last, last.arrivedAt > first.arrivedAt else { return .infinity }
    return Double(rows.count - 1) / ((last.arrivedAt - first.arrivedAt) * replay.scale.time)
  }
}

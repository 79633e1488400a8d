/// What to do with a request of more than the longest sequence.
public enum LengthPolicy: String, Equatable, Sendable, CaseIterable {
  /// Take the excess off the prompt, down to one token, then off the output.
  case clamp
  /// Leave the request out.
  case reject
}

/// Where requests come from.
public struct WorkloadConfiguration: Equatable, Sendable {
  /// A Poisson process.
  public struct Synthetic: Equatable, Sendable {
    /// Mean arrivals per second; intervals are exponential and not capped.
    public var qps: Double
    /// Token counts.
    public var lengths: LengthDistribution

    /// Poisson arrivals at `qps` with these lengths.
    public init(qps: Double, lengths: LengthDistribution = .conversation) {
      self.qps = qps
      self.lengths = lengths
    }
  }

  /// Rows of a recorded trace, from a drawn row on, over and over.
  public struct Replay: Equatable, Sendable {
    /// The trace.
    public var trace: Trace
    /// Rows before this time are left out, seconds.
    public var from: Double?
    /// Rows at or after this time are left out, seconds.
    public var to: Double?
    /// Mean arrivals per second to rescale to; nil keeps the recorded pace.
    public var qps: Double?

    /// A replay of the rows inside [from, to).
    public init(trace: Trace, from: Double? = nil, to: Double? = nil, qps: Double? = nil) {
      self.trace = trace
      self.from = from
      self.to = to
      self.qps = qps
    }
  }

  /// Kinds of sources.
  public enum Source: Equatable, Sendable {
    /// Drawn arrivals and lengths.
    case poisson(Synthetic)
    /// Recorded ones.
    case trace(Replay)
  }

  /// The source.
  public var source: Source
  /// Longest sequence, prompt and output together.
  public var maxTokens: Int
  /// Treatment of longer ones.
  public var lengthPolicy: LengthPolicy

  /// A workload from `source`.
  public init(source: Source, maxTokens: Int = 4096, lengthPolicy: LengthPolicy = .clamp) {
    self.source = source
    self.maxTokens = maxTokens
    self.lengthPolicy = lengthPolicy
  }
}

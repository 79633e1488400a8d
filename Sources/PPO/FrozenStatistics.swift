/// How running statistics turn into a normaliser.
public struct NormalizerConfiguration: Sendable, Equatable {
  /// Floor of the variance (it is not added).
  public var epsilon: Double
  /// Largest magnitude of a normalised value.
  public var clip: Double
  /// Below this many samples a deviation under 1 counts as 1.
  public var minimumCount: Int

  /// The defaults for observations.
  public init(epsilon: Double = 1e-6, clip: Double = 5, minimumCount: Int = 10) {
    precondition(epsilon > 0, "epsilon must be positive")
    precondition(clip > 0, "clip must be positive")
    self.epsilon = epsilon
    self.clip = clip
    self.minimumCount = minimumCount
  }

  /// The standard deviation to divide by.
  func deviation(_ statistics: RunningStatistics, _ index: Int) -> Double {
    let root = max(statistics.variance(index), epsilon).squareRoot()
    return statistics.count < minimumCount ? max(root, 1) : root
  }
}

/// Mean and deviation as they were when a rollout began: every observation of a rollout is normalised alike.
///
///     z = clip((x - mean) / std)
///
/// Without data the raw value is clipped.
public struct FrozenStatistics: Sendable, Equatable {
  private let mean: [Double]
  private let deviation: [Double]
  private let clip: Double

  /// Freezes `statistics`.
  public init(_ statistics: RunningStatistics, _ configuration: NormalizerConfiguration = NormalizerConfiguration()) {
    mean = statistics.mean
    clip = configuration.clip
    deviation = (0..<statistics.dimension).map { i in
      statistics.count == 0 ? 1 : configuration.deviation(statistics, i)
    }
  }

  /// Passes values through unchanged.
  public init(identity dimension: Int) {
    mean = [Double](repeating: 0, count: dimension)
    deviation = [Double](repeating: 1, count: dimension)
    clip = .infinity
  }

  /// Length of a sample.
  public var dimension: Int { mean.count }

  /// Normalises `raw` `[dimension]` into `result` `[dimension]`.
  public func normalise(_ raw: Span<Float>, into result: inout MutableSpan<Float>) {
    precondition(raw.count == mean.count && result.count == mean.count, "observation of another dimension")
    for i in 0..<raw.count { result[i] = normalised(raw[i], i) }
  }

  /// Normalises `raw` `[dimension]` into the elements of `result` from `offset` on.
  public func normalise(_ raw: Span<Float>, into result: inout [Float], at offset: Int) {
    precondition(raw.count == mean.count, "observation of another dimension")
    precondition(offset >= 0 && offset + raw.count <= result.count, "observation does not fit")
    var span = result.mutableSpan
    for i in 0..<raw.count { span[offset + i] = normalised(raw[i], i) }
  }

  private func normalised(_ raw: Float, _ i: Int) -> Float {
    Float(min(max((Double(raw) - mean[i]) / deviation[i], -clip), clip))
  }
}

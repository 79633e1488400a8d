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
    let means = mean.span
    let deviations = deviation.span
    for i in 0..<raw.count {
      let z = (Double(raw[i]) - means[i]) / deviations[i]
      result[i] = Float(min(max(z, -clip), clip))
    }
  }

  /// Normalises in place.
  public func normalise(_ values: inout MutableSpan<Float>) {
    precondition(values.count == mean.count, "observation of another dimension")
    let means = mean.span
    let deviations = deviation.span
    for i in 0..<values.count {
      let z = (Double(values[i]) - means[i]) / deviations[i]
      values[i] = Float(min(max(z, -clip), clip))
    }
  }
}

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

  /// Freezes statistics of one block for `replicaCount` blocks, which come before what `cluster` is about.
  public init(
    replicas: RunningStatistics, replicaCount: Int, cluster: RunningStatistics,
    _ configuration: NormalizerConfiguration = NormalizerConfiguration()
  ) {
    let (block, rest) = (FrozenStatistics(replicas, configuration), FrozenStatistics(cluster, configuration))
    mean = (0..<replicaCount).flatMap { _ in block.mean } + rest.mean
    deviation = (0..<replicaCount).flatMap { _ in block.deviation } + rest.deviation
    clip = configuration.clip
  }

  /// Passes values through unchanged.
  public init(identity dimension: Int) {
    mean = [Double](repeating: 0, count: dimension)
    deviation = [Double](repeating: 1, count: dimension)
    clip = .infinity
  }

  /// The same for another number of blocks, which are all alike and come first.
  public func refitted(blockSize: Int, from oldCount: Int, to newCount: Int) -> FrozenStatistics {
    func refit(_ values: [Double]) -> [Double] {
      (0..<newCount).flatMap { _ in Array(values[..<blockSize]) } + values[(oldCount * blockSize)...]
    }
    return FrozenStatistics(mean: refit(mean), deviation: refit(deviation), clip: clip)
  }

  private init(mean: [Double], deviation: [Double], clip: Double) {
    self.mean = mean
    self.deviation = deviation
    self.clip = clip
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

/// Scales rewards by the deviation of the discounted return (no centring: subtracting the mean return from a reward would shift it by
/// about 1 / (1 - gamma) rewards).
///
///     G = gamma G + r        one per environment, 0 at an episode's start, kept by the caller
///     output = clip(r / sqrt(max(var(G), eps)))
public struct ReturnScaling: Sendable, Equatable {
  /// Defaults: floor 1e-8, clip 10, at least 10 samples.
  public static let standard = NormalizerConfiguration(epsilon: 1e-8, clip: 10, minimumCount: 10)

  private let deviation: Double
  private let clip: Double

  /// Freezes scalar `statistics` of the discounted return. Without data rewards are only clipped.
  public init(_ statistics: RunningStatistics, _ configuration: NormalizerConfiguration = ReturnScaling.standard) {
    precondition(statistics.dimension == 1, "return statistics are scalar")
    deviation = statistics.count == 0 ? 1 : configuration.deviation(statistics, 0)
    clip = configuration.clip
  }

  /// The scaled reward.
  public func scale(_ reward: Float) -> Float { Float(min(max(Double(reward) / deviation, -clip), clip)) }
}

/// Mean and variance of a stream of vectors, by Welford's recursion in double precision.
///
///     n += 1;  d = x - mean;  mean += d / n;  m2 += d (x - mean)
///
/// Invariants: `mean` and `m2` have `dimension` elements, every `m2` is at least 0, and all are 0 while `count` is 0.
public struct RunningStatistics: Sendable, Equatable {
  /// Samples seen.
  public private(set) var count = 0
  /// Mean of each dimension.
  public private(set) var mean: [Double]
  /// Sum of squared deviations of each dimension.
  public private(set) var m2: [Double]

  /// Nothing seen yet.
  public init(dimension: Int) {
    precondition(dimension > 0, "statistics need a dimension")
    mean = [Double](repeating: 0, count: dimension)
    m2 = [Double](repeating: 0, count: dimension)
  }

  /// From stored values. Nil if they break an invariant or are not finite.
  public init?(count: Int, mean: [Double], m2: [Double]) {
    guard count >= 0, !mean.isEmpty, mean.count == m2.count else { return nil }
    guard mean.allSatisfy(\.isFinite), m2.allSatisfy({ $0.isFinite && $0 >= 0 }) else { return nil }
    if count == 0 { guard mean.allSatisfy({ $0 == 0 }), m2.allSatisfy({ $0 == 0 }) else { return nil } }
    self.count = count
    self.mean = mean
    self.m2 = m2
  }

  /// Length of a sample.
  public var dimension: Int { mean.count }

  /// Sample variance m2 / max(n - 1, 1).
  public func variance(_ index: Int) -> Double { m2[index] / Double(max(count - 1, 1)) }

  /// Takes in one sample `[dimension]`.
  public mutating func add(_ sample: Span<Float>) {
    precondition(sample.count == mean.count, "sample of another dimension")
    count += 1
    RunningStatistics.add(sample, n: Double(count), &mean, &m2)
  }

  private static func add(_ sample: Span<Float>, n: Double, _ mean: inout [Double], _ m2: inout [Double]) {
    var means = mean.mutableSpan
    var squares = m2.mutableSpan
    for i in 0..<sample.count {
      let x = Double(sample[i])
      let difference = x - means[i]
      means[i] += difference / n
      squares[i] += difference * (x - means[i])
    }
  }

  /// Takes in one sample of a scalar stream.
  public mutating func add(_ sample: Double) {
    precondition(mean.count == 1, "scalar sample for vector statistics")
    count += 1
    let difference = sample - mean[0]
    mean[0] += difference / Double(count)
    m2[0] += difference * (sample - mean[0])
  }

  /// Adds another summary as if its samples had followed (Chan, Golub and LeVeque, 1979). An empty one changes nothing.
  public mutating func merge(_ other: RunningStatistics) {
    precondition(other.dimension == dimension, "statistics of another dimension")
    if other.count == 0 { return }
    if count == 0 {
      self = other
      return
    }
    let na = Double(count)
    let nb = Double(other.count)
    let n = na + nb
    for i in mean.indices {
      let difference = other.mean[i] - mean[i]
      mean[i] += difference * nb / n
      m2[i] = max(m2[i] + other.m2[i] + difference * difference * na * nb / n, 0)
    }
    count += other.count
  }

  /// The same mean and variance from `limit` samples at most: m2 is scaled by limit / count, so that new samples weigh more.
  public func capped(at limit: Int) -> RunningStatistics {
    precondition(limit >= 1, "statistics keep a sample")
    guard count > limit else { return self }
    var capped = self
    let factor = Double(limit) / Double(count)
    capped.count = limit
    for i in m2.indices { capped.m2[i] *= factor }
    return capped
  }

  /// Forgets everything.
  public mutating func clear() {
    count = 0
    for i in mean.indices {
      mean[i] = 0
      m2[i] = 0
    }
  }
}

import Randomness

/// Confidence intervals by resampling blocks of consecutive requests.
///
/// Requests that follow each other wait for each other, so they are not independent; blocks of them nearly are. A resample draws as many blocks as
/// there are, with replacement, over all workloads; every policy is seen through the same draw, because block b holds the same requests for all of
/// them. So what they have in common (an easy or a busy stretch) drops out of a difference. Draws are named by (seed, bootstrap, resample).
public struct PairedBootstrap: Sendable {
  /// An interval.
  public struct Interval: Equatable, Sendable {
    /// Lower end.
    public let low: Double
    /// Upper end.
    public let high: Double
  }

  /// One time of every request of one policy, in an order that quantiles can be read from under any resample.
  public struct Series: Sendable {
    /// Values in request order, and the block of each.
    fileprivate let values: [Double]
    fileprivate let blocks: [Int32]
    /// Places in ascending order of value.
    fileprivate let order: [Int32]

    /// - Parameters:
    ///   - values: per workload, by request.
    ///   - ids: numbers of these requests in their workload.
    public init(values: [[Double]], ids: [[Int]], blocksPerWorkload: Int, requests: Int) {
      var all: [Double] = []
      var block: [Int32] = []
      for workload in values.indices {
        all += values[workload]
        block += ids[workload].map { Int32(workload * blocksPerWorkload + min($0 * blocksPerWorkload / requests, blocksPerWorkload - 1)) }
      }
      self.values = all
      blocks = block
      order = all.indices.map { Int32($0) }.sorted { (all[Int($0)], $0) < (all[Int($1)], $1) }
    }
  }

  /// Blocks over all workloads.
  public let blockCount: Int
  /// Share of the resamples inside an interval.
  public let confidence: Double
  private let multiplicities: [[Int32]]

  /// `resamples` draws of `blockCount` blocks.
  public init(seed: UInt64, blockCount: Int, resamples: Int = 1000, confidence: Double = 0.95) {
    precondition(blockCount >= 1 && resamples >= 1, "a bootstrap needs blocks and resamples")
    precondition(confidence > 0 && confidence < 1, "a confidence between 0 and 1")
    self.blockCount = blockCount
    self.confidence = confidence
    multiplicities = (0..<resamples).map { resample in
      var stream = RandomStream(seed: seed, purpose: .bootstrap, index: resample)
      var counts = [Int32](repeating: 0, count: blockCount)
      for _ in 0..<blockCount { counts[stream.bounded(blockCount)] += 1 }
      return counts
    }
  }

  /// The mean of `transform`ed values in every resample.
  public func means(_ series: Series, _ transform: (Double) -> Double = { $0 }) -> [Double] {
    var sums = [Double](repeating: 0, count: blockCount)
    var counts = [Double](repeating: 0, count: blockCount)
    for place in series.values.indices {
      sums[Int(series.blocks[place])] += transform(series.values[place])
      counts[Int(series.blocks[place])] += 1
    }
    return multiplicities.map { multiplicity in
      var (sum, count) = (0.0, 0.0)
      for block in 0..<blockCount {
        sum += Double(multiplicity[block]) * sums[block]
        count += Double(multiplicity[block]) * counts[block]
      }
      return sum / count
    }
  }

  /// Quantiles at `shares` (ascending) in every resample, `[resamples][shares]`.
  public func quantiles(_ series: Series, _ shares: [Double]) -> [[Double]] {
    multiplicities.map { multiplicity in
      var count = 0
      for block in series.blocks { count += Int(multiplicity[Int(block)]) }
      return Self.quantiles(series, multiplicity, count: count, shares)
    }
  }

  /// One walk over the ascending values; value number i of a resample is the one at which the running count passes i.
  private static func quantiles(_ series: Series, _ multiplicity: [Int32], count: Int, _ shares: [Double]) -> [Double] {
    var result: [Double] = []
    var place = 0
    var passed = 0
    func value(at index: Int) -> Double {
      while place < series.order.count {
        let here = Int(multiplicity[Int(series.blocks[Int(series.order[place])])])
        if passed + here > index { break }
        passed += here
        place += 1
      }
      return place < series.order.count ? series.values[Int(series.order[place])] : .nan
    }
    for share in shares {
      let position = share * Double(count - 1)
      let index = Int(position)
      let low = value(at: index)
      // The next share may ask for the same place again.
      let kept = (place, passed)
      let high = index + 1 < count ? value(at: index + 1) : low
      (place, passed) = kept
      result.append(low + (position - Double(index)) * (high - low))
    }
    return result
  }

  /// The central interval of `samples`.
  public func interval(_ samples: [Double]) -> Interval {
    let ascending = samples.sorted()
    return Interval(low: Percentile.of(ascending, (1 - confidence) / 2), high: Percentile.of(ascending, (1 + confidence) / 2))
  }
}

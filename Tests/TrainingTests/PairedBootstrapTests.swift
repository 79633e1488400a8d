import Randomness
import Testing

@testable import Training

@Suite struct PairedBootstrapTests {
  /// Three workloads of 40 requests in 8 blocks each, a tail in one of them.
  static func values(shift: Double) -> [[Double]] {
    (0..<3).map { workload in
      var stream = RandomStream(seed: 9, purpose: .environment, index: workload)
      return (0..<40).map { request in stream.exponential(rate: 0.5) + (request / 5 == 3 ? 4 : 0) + shift }
    }
  }

  static let ids = [[Int]](repeating: Array(0..<40), count: 3)

  static func series(shift: Double = 0) -> PairedBootstrap.Series {
    PairedBootstrap.Series(values: values(shift: shift), ids: ids, blocksPerWorkload: 8, requests: 40)
  }

  /// Draws blocks as the type says it does and writes the resample out.
  static func resamples(_ count: Int, seed: UInt64, shift: Double = 0) -> [[Double]] {
    let blocks = values(shift: shift).flatMap { workload in (0..<8).map { Array(workload[($0 * 5)..<($0 * 5 + 5)]) } }
    return (0..<count).map { resample in
      var stream = RandomStream(seed: seed, purpose: .bootstrap, index: resample)
      return (0..<24).flatMap { _ in blocks[stream.bounded(24)] }
    }
  }

  @Test("means and quantiles are those of the resamples written out")
  func bruteForce() {
    let bootstrap = PairedBootstrap(seed: 4, blockCount: 24, resamples: 60)
    let means = bootstrap.means(Self.series())
    let quantiles = bootstrap.quantiles(Self.series(), [0, 0.5, 0.95, 0.99, 1])
    for (resample, values) in Self.resamples(60, seed: 4).enumerated() {
      let ascending = values.sorted()
      #expect(abs(means[resample] - values.reduce(0, +) / 120) < 1e-12)
      for (place, share) in [0, 0.5, 0.95, 0.99, 1].enumerated() {
        #expect(quantiles[resample][place] == Percentile.of(ascending, share), "resample \(resample), share \(share)")
      }
    }
  }

  @Test("a constant difference has an interval of no width however wide the policies' own are")
  func pairing() {
    let bootstrap = PairedBootstrap(seed: 1, blockCount: 24)
    let (left, right) = (bootstrap.means(Self.series()), bootstrap.means(Self.series(shift: 0.25)))
    let own = bootstrap.interval(left)
    let difference = bootstrap.interval(zip(left, right).map { $1 - $0 })
    #expect(own.high - own.low > 0.3)
    #expect(abs(difference.low - 0.25) < 1e-12 && abs(difference.high - 0.25) < 1e-12)
  }

  @Test("the 95 % interval of a mean covers the true one in about 95 of 100 repetitions")
  func coverage() {
    var covered = 0
    for repetition in 0..<200 {
      var stream = RandomStream(seed: 77, purpose: .environment, index: repetition)
      let values = [(0..<200).map { _ in stream.normal() }]
      let series = PairedBootstrap.Series(values: values, ids: [Array(0..<200)], blocksPerWorkload: 40, requests: 200)
      let bootstrap = PairedBootstrap(seed: UInt64(repetition), blockCount: 40, resamples: 300)
      let interval = bootstrap.interval(bootstrap.means(series))
      if interval.low <= 0 && interval.high >= 0 { covered += 1 }
    }
    #expect(covered > 175 && covered < 199, "\(covered) of 200")
  }
}

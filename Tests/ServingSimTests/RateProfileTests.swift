import Randomness
import Testing

@testable import ServingSim

@Suite struct RateProfileTests {
  func profile(
    _ steps: [(Double, Double)], bursts: [(Double, Double, Double)] = [], period: Double? = nil
  ) throws(ServingError) -> RateProfile {
    try RateProfile(
      steps: steps.map { .init(atSeconds: $0.0, factor: $0.1) },
      bursts: bursts.map { .init(atSeconds: $0.0, durationSeconds: $0.1, factor: $0.2) }, periodSeconds: period)
  }

  @Test("schedule and bursts by hand")
  func byHand() throws {
    // Factor 1 up to 10 s, 2 from 10 to 20, 0.5 after that; a burst of 4 from 12 to 14.
    let steps = try profile([(10, 2), (20, 0.5)], bursts: [(12, 2, 4)])
    for (time, factor) in [(0.0, 1.0), (9.99, 1), (10, 2), (12, 8), (13.99, 8), (14, 2), (20, 0.5), (1e6, 0.5)] {
      #expect(steps.factor(at: time) == factor, "at \(time)")
    }
    // Accumulated: 10 at 10 s, 14 at 12 s, 30 at 14 s, 42 at 20 s.
    for (amount, time) in [(5.0, 5.0), (10, 10), (14, 12), (22, 13), (30, 14), (42, 20), (43, 22)] {
      #expect(steps.time(atAccumulated: amount) == time, "amount \(amount)")
    }
    #expect(steps.meanFactor == nil)
  }

  @Test("a period repeats, a pause is skipped")
  func periodic() throws {
    // 3 in the first of four seconds, nothing in the second, 1 in the others: 5 per period.
    let pulse = try profile([(0, 3), (1, 0), (2, 1)], period: 4)
    #expect(pulse.meanFactor == 1.25)
    for (amount, time) in [
      (1.5, 0.5), (2.999_999, 2.999_999 / 3), (3, 2), (4, 3), (5, 4), (6.5, 4.5), (8, 6), (5_000_000 + 3.5, 4_000_002.5),
    ] {
      #expect(abs(pulse.time(atAccumulated: amount) - time) < 1e-6, "amount \(amount)")
    }
    #expect(pulse.factor(at: 4_000_001.5) == 0)
    let first = try profile([(0, 0), (3, 1)])
    #expect(first.time(atAccumulated: 0) == 3)
  }

  @Test("time never goes back, over random profiles")
  func monotone() throws {
    for seed in 0..<200 {
      var stream = RandomStream(seed: UInt64(seed), purpose: .arrivals)
      let steps = (0..<1 + stream.bounded(6)).map { (Double($0) * 3 + stream.uniform(), Double(stream.bounded(4))) } + [(30, 0.7)]
      let bursts = (0..<stream.bounded(4)).map { _ in (stream.uniform() * 40, 0.1 + stream.uniform() * 9, stream.uniform() * 5) }
      let period = seed % 2 == 0 ? 31 + stream.uniform() * 10 : nil
      // A burst of factor 0 at the end of a profile without period would end it.
      guard let random = try? profile(steps, bursts: bursts, period: period) else { continue }
      var last = 0.0
      var amount = 0.0
      for _ in 0..<500 {
        amount += stream.uniform() * 2
        let time = random.time(atAccumulated: amount)
        #expect(time >= last - 1e-9 * last, "seed \(seed)")
        last = time
      }
    }
  }

  @Test("profiles that cannot be are refused")
  func refused() {
    let cases: [(steps: [(Double, Double)], bursts: [(Double, Double, Double)], period: Double?)] = [
      ([(5, 1), (5, 2)], [], nil), ([(-1, 1)], [], nil), ([(0, -1)], [], nil), ([(0, .nan)], [], nil), ([(0, 0)], [], nil),
      ([(0, 0)], [], 5), ([], [(0, 0, 2)], nil), ([], [(0, 1, .infinity)], nil), ([], [], 0), ([(0, 0), (9, 1)], [], 5),
    ]
    for (steps, bursts, period) in cases {
      #expect(throws: ServingError.self) { try profile(steps, bursts: bursts, period: period) }
    }
  }

  @Test("a Poisson process under a profile has the rates of the profile")
  func rates() throws {
    let mean: Double = (40 + 10 * 4 + 50 * 3) / 100
    let bursty = try profile([(0, 1), (50, 3)], bursts: [(20, 10, 4)], period: 100)
    let configuration = WorkloadConfiguration(source: .poisson(.init(qps: 20)), rateProfile: bursty)
    #expect(configuration.meanRate == 20 * mean)
    var counts: [Double] = [0, 0, 0]
    var workload = try Workload(configuration, seed: 5)
    while true {
      let time = workload.next().arrivedAt
      if time >= 10_000 { break }
      let local = time - (time / 100).rounded(.down) * 100
      counts[local < 50 ? (local >= 20 && local < 30 ? 1 : 0) : 2] += 1
    }
    let expected: [Double] = [80_000, 80_000, 300_000]
    for (count, expected) in zip(counts, expected) {
      #expect(abs(count / expected - 1) < 0.01, "\(counts)")
    }
  }
}

import Testing

@testable import ServingEnv

@Suite struct HybridRewardTests {
  struct Golden: Sendable {
    let throughput: Double
    let latency: Double
    let loads: [Double]
    let averages: (Double, Double)
    let raw: Double
    let reward: Double
  }

  /// Target 2.5 requests/s, threshold 4 s.
  static let goldens = [
    Golden(throughput: 2.4, latency: 3, loads: [2, 1, 1, 0], averages: (2.4, 3), raw: -0.0280, reward: -0.0233),
    Golden(throughput: 2.4, latency: 3, loads: [20, 0, 0, 0], averages: (2.5, 2.5), raw: -0.6017, reward: -0.5014),
    Golden(throughput: 2.0, latency: 8, loads: [10, 8, 9, 7], averages: (2.2, 6), raw: -0.8353, reward: -0.6960),
  ]

  @Test("three worked rewards", arguments: goldens)
  func worked(_ golden: Golden) {
    var reward = HybridReward(RewardConfiguration(), target: 2.5)
    reward.averages = (throughput: golden.averages.0, latency: golden.averages.1)
    let metrics = ClusterMetrics(time: 20, throughput: golden.throughput, latency: golden.latency, arrivalRate: 2.5, completions: 24)
    let terms = reward.evaluate(metrics, imbalance: HybridReward.imbalance(of: golden.loads.span), steps: 50)
    #expect(abs(terms.raw - golden.raw) < 5e-5)
    #expect(abs(terms.reward - golden.reward) < 5e-5)
    #expect(!terms.isStale)
    // The change was taken against the old averages, which then moved by a tenth.
    let averages = reward.averages
    #expect(abs((averages?.throughput ?? 0) - (0.9 * golden.averages.0 + 0.1 * golden.throughput)) < 1e-14)
    #expect(abs((averages?.latency ?? 0) - (0.9 * golden.averages.1 + 0.1 * golden.latency)) < 1e-14)
  }

  @Test("compression is the identity up to 4 and logarithmic beyond, odd and smooth at the knee")
  func compression() {
    #expect(HybridReward.compress(3.9) == 3.9)
    #expect(HybridReward.compress(-4) == -4)
    #expect(abs(HybridReward.compress(10) - 5.9459) < 5e-5)
    #expect(HybridReward.compress(-10) == -HybridReward.compress(10))
    #expect(abs((HybridReward.compress(4 + 1e-6) - 4) / 1e-6 - 1) < 1e-5)
  }

  @Test("imbalance is 0 for equal loads, small when nearly idle and below sqrt(R - 1)")
  func imbalance() {
    #expect(HybridReward.imbalance(of: [3, 3, 3].span) == 0)
    #expect(HybridReward.imbalance(of: [0, 0, 0, 0].span) == 0)
    #expect(abs(HybridReward.imbalance(of: [1, 0, 0, 0].span) - 0.34641) < 1e-5)
    let worst = HybridReward.imbalance(of: [1e9, 0, 0, 0].span)
    #expect(worst < 3.0.squareRoot() && worst > 1.73)
  }

  @Test("an empty window carries the last values, is stale and has no changes")
  func stale() {
    var reward = HybridReward(RewardConfiguration(), target: 2.5)
    // Before the first completion: decision rate and a guess below the threshold.
    var terms = reward.evaluate(ClusterMetrics(time: 4, completions: 0), imbalance: 0, steps: 8)
    #expect(terms.isStale && terms.throughput == 2 && abs(terms.latency - 1.2) < 1e-15 && terms.delta == 0)
    #expect(reward.averages == nil)
    terms = reward.evaluate(ClusterMetrics(time: 5, throughput: 2, latency: 3, completions: 10), imbalance: 0, steps: 9)
    #expect(!terms.isStale && terms.delta == 0)
    terms = reward.evaluate(ClusterMetrics(time: 6, throughput: 3, latency: 6, completions: 15), imbalance: 0, steps: 10)
    #expect(abs(terms.delta - (0.3 * 0.5 - 0.3 * 1)) < 1e-15)
    let before = reward.averages
    terms = reward.evaluate(ClusterMetrics(time: 20, throughput: 0, latency: 6, completions: 0), imbalance: 0, steps: 11)
    #expect(terms.isStale && terms.throughput == 3 && terms.latency == 6 && terms.delta == 0)
    #expect(reward.averages?.throughput == before?.throughput && reward.averages?.latency == before?.latency)
  }
}

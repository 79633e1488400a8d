import Testing

@testable import ServingEnv

@Suite struct RoutingRewardTests {
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
    var reward = RoutingReward(RewardConfiguration(), target: 2.5)
    reward.averages = (throughput: golden.averages.0, latency: golden.averages.1)
    let none: [Double] = []
    let metrics = ClusterMetrics(time: 20, throughput: golden.throughput, latency: golden.latency, arrivalRate: 2.5, completions: 24)
    let terms = reward.evaluate(metrics, balance: LoadBalance(loads: golden.loads.span, utilizations: none.span), steps: 50)
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
    #expect(RoutingReward.compress(3.9) == 3.9)
    #expect(RoutingReward.compress(-4) == -4)
    #expect(abs(RoutingReward.compress(10) - 5.9459) < 5e-5)
    #expect(RoutingReward.compress(-10) == -RoutingReward.compress(10))
    #expect(abs((RoutingReward.compress(4 + 1e-6) - 4) / 1e-6 - 1) < 1e-5)
  }

  @Test("imbalance is 0 for equal loads, small when nearly idle and below sqrt(R - 1)")
  func imbalance() {
    #expect(LoadBalance.imbalance(of: [3, 3, 3].span) == 0)
    #expect(LoadBalance.imbalance(of: [0, 0, 0, 0].span) == 0)
    #expect(abs(LoadBalance.imbalance(of: [1, 0, 0, 0].span) - 0.34641) < 1e-5)
    let worst = LoadBalance.imbalance(of: [1e9, 0, 0, 0].span)
    #expect(worst < 3.0.squareRoot() && worst > 1.73)
  }

  @Test("an empty window carries the last values, is stale and has no changes")
  func stale() {
    var reward = RoutingReward(RewardConfiguration(), target: 2.5)
    // Before the first completion: decision rate and a guess below the threshold.
    var terms = reward.evaluate(ClusterMetrics(time: 4, completions: 0), balance: LoadBalance(imbalance: 0), steps: 8)
    #expect(terms.isStale && terms.throughput == 2 && abs(terms.latency - 1.2) < 1e-15 && terms.delta == 0)
    #expect(reward.averages == nil)
    terms = reward.evaluate(
      ClusterMetrics(time: 5, throughput: 2, latency: 3, completions: 10), balance: LoadBalance(imbalance: 0), steps: 9)
    #expect(!terms.isStale && terms.delta == 0)
    terms = reward.evaluate(
      ClusterMetrics(time: 6, throughput: 3, latency: 6, completions: 15), balance: LoadBalance(imbalance: 0), steps: 10)
    #expect(abs(terms.delta - (0.3 * 0.5 - 0.3 * 1)) < 1e-15)
    let before = reward.averages
    terms = reward.evaluate(
      ClusterMetrics(time: 20, throughput: 0, latency: 6, completions: 0), balance: LoadBalance(imbalance: 0), steps: 11)
    #expect(terms.isStale && terms.throughput == 3 && terms.latency == 6 && terms.delta == 0)
    #expect(reward.averages?.throughput == before?.throughput && reward.averages?.latency == before?.latency)
  }

  /// thr 2, lat 3, then thr 2.5, lat 5; imbalance 0.4, spread 0.3, threshold 4.
  private static func pair(_ mode: RewardConfiguration.Mode) -> (RoutingReward.Components, RoutingReward.Components) {
    var reward = RoutingReward(
      RewardConfiguration(mode: mode, loadBalancePenalty: 0.5, latencyWeight: 1.5, balanceWeight: 0.2, latencyPenaltyScale: 2), target: 2.5)
    let balance = LoadBalance(imbalance: 0.4, utilizationSpread: 0.3)
    let first = reward.evaluate(
      ClusterMetrics(time: 20, throughput: 2, latency: 3, arrivalRate: 2.5, completions: 20), balance: balance, steps: 50)
    let second = reward.evaluate(
      ClusterMetrics(time: 21, throughput: 2.5, latency: 5, arrivalRate: 2.5, completions: 25), balance: balance, steps: 51)
    return (first, second)
  }

  @Test("instant: levels, spread, imbalance and the penalty above the threshold, worked by hand")
  func instant() {
    let (first, second) = Self.pair(.instant)
    // 2 - 1.5 * 3 - 0.2 * 0.3 - 0.5 * 0.4
    #expect(abs(first.raw - -2.76) < 1e-12 && first.reward == first.raw && first.excess == 0)
    // 2.5 - 7.5 - 0.06 - 0.2 - 2 (1 - 1/e) = -6.524241; compressed: -(4 + ln(1 + 2.524241))
    #expect(abs(second.excess - 1.2642411) < 1e-6)
    #expect(abs(second.raw - -6.5242411) < 1e-6 && abs(second.reward - -5.2596653) < 1e-6)
  }

  @Test("delta: changes since the last measured levels, nothing at first and none while stale")
  func delta() {
    let (first, second) = Self.pair(.delta)
    #expect(first.delta == 0 && abs(first.raw - -0.26) < 1e-12)
    // (2.5 - 2) - 1.5 (5 - 3) = -2.5
    #expect(abs(second.delta - -2.5) < 1e-12 && abs(second.raw - (-2.5 - 0.26 - 1.2642411)) < 1e-6)
    var reward = RoutingReward(RewardConfiguration(mode: .delta), target: 2.5)
    _ = reward.evaluate(ClusterMetrics(time: 5, throughput: 2, latency: 3, completions: 9), balance: LoadBalance(imbalance: 0), steps: 9)
    let stale = reward.evaluate(ClusterMetrics(time: 25, completions: 0), balance: LoadBalance(imbalance: 0), steps: 10)
    #expect(stale.isStale && stale.delta == 0 && stale.raw == 0)
  }

  @Test("bonuses are off by default; low latency and progress earn what the table says")
  func bonuses() {
    func evaluate(_ configuration: RewardConfiguration, _ latencies: [Double]) -> RoutingReward.Components {
      var reward = RoutingReward(configuration, target: 2.5)
      var terms = RoutingReward.Components()
      for (step, latency) in latencies.enumerated() {
        terms = reward.evaluate(
          ClusterMetrics(time: Double(step + 1), throughput: 2, latency: latency, completions: 5), balance: LoadBalance(imbalance: 0),
          steps: 9)
      }
      return terms
    }
    #expect(evaluate(RewardConfiguration(), [1]).bonus == 0)
    // 1 - 1 / (0.75 * 4)
    #expect(abs(evaluate(RewardConfiguration(latencyBonusScale: 1), [1]).bonus - 2.0 / 3) < 1e-15)
    #expect(evaluate(RewardConfiguration(latencyBonusScale: 1), [3]).bonus == 0)
    let progress = RewardConfiguration(progressImprovementWeight: 0.3, progressDegradationWeight: 0.1)
    #expect(abs(evaluate(progress, [4, 4, 4, 4, 4, 2]).bonus - 0.15) < 1e-15)
    #expect(abs(evaluate(progress, [4, 4, 4, 4, 4, 6]).bonus - -0.05) < 1e-15)
    // Only the last five count: the mean of 4, 4, 4, 4, 2 is 3.6.
    #expect(abs(evaluate(progress, [100, 4, 4, 4, 4, 2, 3.6]).bonus) < 1e-15)
  }
}

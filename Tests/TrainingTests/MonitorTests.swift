import PPO
import Testing

@testable import Training

/// Tail latency and collapse, by hand.
@Suite("Monitors")
struct MonitorTests {
  @Test("percentiles over the newest requests, alerts above the threshold, cooldown in simulated time")
  func tailLatency() {
    var monitor = TailLatencyMonitor()
    func take(_ values: [Double], _ seconds: Double) -> TailLatencyMonitor.Finding {
      monitor.take(values, seconds: seconds, window: 101, threshold: 5, cooldown: 30)
    }
    #expect(take([], 1).p99.isNaN)
    let first = take((0...100).map { Double($0) / 25 }, 9)
    #expect((first.p90, first.p95, first.p99) == (3.6, 3.8, 3.96) && !first.isAlert)
    // 2 of 101 above: the 99th percentile is rank 99 of 0...100.
    #expect(take([9, 9], 10).isAlert && monitor.samples.count == 101 && monitor.samples[0] == 0.08)
    #expect(!take([9], 29).isAlert)
    #expect(take([9], 1).isAlert && monitor.alertCount == 2 && monitor.clock == 50)
  }

  @Test("action balance is 1 for equal shares, -1 for a single action, and does not count padding")
  func balance() {
    #expect(ActionBalance.score([5, 5, 5, 5], choices: 4) == 1)
    #expect(ActionBalance.score([5, 5, 5, 5, 0, 0], choices: 4) == 1)
    #expect(abs(ActionBalance.score([4, 3, 2, 1], choices: 4) - 0.4836) < 5e-5)
    #expect(abs(ActionBalance.score([0, 0, 9], choices: 3) + 1) < 1e-15)
    #expect(ActionBalance.score([7], choices: 1) == 1)
    #expect(ActionBalance.score([0, 0], choices: 2).isNaN)
  }

  @Test("warnings come once when they begin; bits say what is in force")
  func collapse() {
    var monitor = CollapseMonitor()
    var metrics = UpdateMetrics()
    metrics.optimizerSteps = 1
    metrics.entropy = 1
    metrics.explainedVariance = 0.5
    func take(_ actions: [UInt16]) -> Int { monitor.take(actions: actions, actionCount: 4, metrics: metrics).count }
    #expect(take([UInt16](repeating: 2, count: 499)) == 0)
    #expect(take([2]) == 1 && monitor.inForce == 2)
    #expect(take([2]) == 0 && monitor.inForce == 2)
    // 450 of 500 is a share of 0.9, not above it.
    #expect(take([UInt16](repeating: 1, count: 50)) == 0 && monitor.inForce == 0)
    metrics.entropy = 0.05 * 1.386 - 0.001
    #expect(take([1, 2, 3]) == 1 && monitor.inForce == 1)
    metrics.entropy = 1
    metrics.explainedVariance = -0.1
    for _ in 0..<19 { #expect(take([0, 1, 2]) == 0) }
    #expect(take([0]) == 1 && monitor.inForce == 4)
    metrics.explainedVariance = 0
    metrics.skippedSteps = 2
    #expect(take([0]) == 1 && take([0]) == 1 && monitor.inForce == 8)
  }
}

import Testing

@testable import PPO

@Suite("schedules")
struct SchedulesTests {
  @Test(
    "cosine with warm-up by hand",
    arguments: [(0, 3.0e-7), (999, 3.0e-4), (1000, 3.0e-4), (2250, 2.604594e-4), (3500, 1.65e-4), (6000, 3.0e-4)])
  func cosine(step: Int, rate: Double) {
    let schedule = LearningRateSchedule.cosine(base: 3e-4, warmUp: 1000, period: 5000, minimumRatio: 0.1)
    #expect(abs(schedule.rate(optimizerStep: step, step: 0, planTotal: 1) - rate) < 1e-10)
  }

  @Test("a cosine without a period ends with the plan and stays there when the run is extended")
  func cosineOverPlan() {
    let schedule = LearningRateSchedule.cosine(base: 1, warmUp: 0, period: nil, minimumRatio: 0.1)
    #expect(schedule.rate(optimizerStep: 7, step: 0, planTotal: 1000) == 1)
    #expect(abs(schedule.rate(optimizerStep: 7, step: 500, planTotal: 1000) - 0.55) < 1e-12)
    #expect(abs(schedule.rate(optimizerStep: 7, step: 1000, planTotal: 1000) - 0.1) < 1e-12)
    #expect(abs(schedule.rate(optimizerStep: 7, step: 1500, planTotal: 1000) - 0.1) < 1e-12)
  }

  @Test("linear falls with the decisions and ends at 0")
  func linear() {
    let schedule = LearningRateSchedule.linear(base: 2e-4, minimumRatio: 0)
    #expect(schedule.rate(optimizerStep: 99, step: 0, planTotal: 1000) == 2e-4)
    #expect(abs(schedule.rate(optimizerStep: 0, step: 250, planTotal: 1000) - 1.5e-4) < 1e-18)
    #expect(schedule.rate(optimizerStep: 0, step: 1500, planTotal: 1000) == 0)
    #expect(LearningRateSchedule.constant(1).rate(optimizerStep: 5, step: 5, planTotal: 6) == 1)
  }

  @Test("the KL target grows after three early stops in a row, shrinks below half of it, and stays inside its bounds")
  func adaptiveTarget() {
    let rule = AdaptiveTargetKL(minimum: 0.015, maximum: 0.0205, rate: 0.02)
    func next(_ target: Double, _ streak: Int, _ stopped: Bool, _ divergence: Double) -> [Double] {
      let result = rule.next(target: target, streak: streak, stoppedEarly: stopped, divergence: divergence)
      return [result.target, Double(result.streak)]
    }
    #expect(next(0.02, 0, true, 0.05) == [0.02, 1])
    #expect(next(0.02, 1, true, 0.05) == [0.02, 2])
    #expect(next(0.02, 2, true, 0.05) == [0.02 * 1.02, 0])
    #expect(next(0.0204, 2, true, 0.05) == [0.0205, 0])
    #expect(next(0.02, 2, false, 0.0100001) == [0.02, 0])
    #expect(next(0.02, 2, false, 0.0099999) == [0.02 * 0.98, 0])
    #expect(next(0.0151, 0, false, 0.001) == [0.015, 0])
  }

  @Test("entropy and reference weights")
  func weights() {
    let warm = EntropySchedule(base: 0.01, warmUp: 0.02, warmUpSteps: 100)
    #expect(abs(warm.coefficient(optimizerStep: 0) - 0.03) < 1e-15)
    #expect(abs(warm.coefficient(optimizerStep: 50) - 0.02) < 1e-15)
    #expect(warm.coefficient(optimizerStep: 100) == 0.01)
    let falling = EntropySchedule(base: 0.02, final: 0, decaySteps: 40)
    #expect(abs(falling.coefficient(optimizerStep: 10) - 0.015) < 1e-15)
    #expect(abs(falling.coefficient(optimizerStep: 4000)) < 1e-15)
    let reference = ReferenceKLSchedule(initial: 0.3, final: 0.1, decaySteps: 10)
    #expect(reference.coefficient(optimizerStep: 0) == 0.3)
    #expect(abs(reference.coefficient(optimizerStep: 5) - 0.2) < 1e-15)
    #expect(reference.coefficient(optimizerStep: 10) == 0.1)
    #expect(reference.coefficient(optimizerStep: 999) == 0.1)
  }
}

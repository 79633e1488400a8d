import PPO
import Testing

/// The temperature controller by hand, and the moving KL target.
@Suite("temperature and target")
struct TemperatureTests {
  private func inputs(
    rate: Double = 10, targetRate: Double = 10, latency: Double = 4, targetLatency: Double = 4, balance: Double = 1, change: Double = 0
  ) -> TemperatureInputs {
    TemperatureInputs(
      arrivalRate: rate, targetRate: targetRate, latency: latency, targetLatency: targetLatency, balance: balance, change: change)
  }

  @Test("pressure lowers, imbalance raises, bounds hold: three decisions by hand")
  func byHand() {
    var controller = TemperatureController(TemperatureConfiguration())
    // pq = 0.5, pl = 0.25: Eq = 0.05, El = 0.025; T = 1 - 0.1 0.05 - 0.2 0.025 + 0.1 0.5
    #expect(abs(controller.next(inputs(rate: 15, latency: 5, balance: 0.5)) - 1.04) < 1e-6)
    // Eq = 0.045, El = 0.0225
    #expect(abs(controller.next(inputs()) - (1 - 0.0045 - 0.0045)) < 1e-6)
    // A low latency is no pressure, a low rate is negative pressure: Eq = 0.0405 - 0.05, El = 0.02025
    #expect(abs(controller.next(inputs(rate: 5, latency: 1)) - (1 + 0.00095 - 0.00405)) < 1e-6)
    #expect(controller.state.stepCount == 3)
    var hot = TemperatureController(TemperatureConfiguration(base: 3))
    #expect(hot.next(inputs()) == 1.5)
    var cold = TemperatureController(TemperatureConfiguration(base: 0.1))
    #expect(cold.next(inputs()) == 0.7)
    var aimless = TemperatureController(TemperatureConfiguration())
    #expect(aimless.next(inputs(rate: 9, targetRate: 0, latency: 9, targetLatency: 0)) == 1)
  }

  @Test("pulses: only at a standstill, no sooner than the interval, for their duration, up to twice the upper bound")
  func pulses() {
    let pulses = TemperatureConfiguration.Pulses(interval: 6, magnitude: 2.5, duration: 2, stagnationThreshold: 0.1, stagnationMemory: 3)
    var controller = TemperatureController(TemperatureConfiguration(pulses: pulses))
    let still = (0..<20).map { _ in controller.next(inputs()) }
    // Full memory at decision 3, interval from 0 at decision 6; then every 6 decisions. 1 + 2.5 is above 2 x 1.5.
    let expected: [Float] = (1...20).map { [6, 7, 12, 13, 18, 19].contains($0) ? 3 : 1 }
    #expect(still == expected)
    var moving = TemperatureController(TemperatureConfiguration(pulses: pulses))
    #expect((0..<20).allSatisfy { moving.next(inputs(change: $0 % 3 == 0 ? 1 : 0)) == 1 })
    #expect(moving.stagnationLevel == 1)
  }

  @Test("a copy of the state continues alike")
  func state() {
    let configuration = TemperatureConfiguration(pulses: .init(interval: 4, stagnationThreshold: 1, stagnationMemory: 2))
    var first = TemperatureController(configuration)
    for i in 0..<9 { _ = first.next(inputs(latency: Double(i))) }
    var second = TemperatureController(configuration)
    second.state = first.state
    for i in 0..<9 { #expect(first.next(inputs(rate: Double(i))) == second.next(inputs(rate: Double(i)))) }
  }
}

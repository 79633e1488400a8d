import Testing

@testable import Environments

@Suite struct CartPoleTests {
  @Test("each transition of Gymnasium's CartPole-v1 is reproduced to 1e-12", arguments: CartPoleGolden.episodes)
  func transitions(_ golden: CartPoleGolden.Episode) {
    for (index, action) in golden.actions.enumerated() {
      var environment = CartPole(state: golden.states[index])
      let result = environment.step(action)
      let isLast = golden.terminated && index == golden.actions.count - 1
      #expect(result.terminated == isLast)
      #expect(!result.truncated && result.reward == 1)
      if isLast {
        var final = [Float](repeating: 0, count: 4)
        var span = final.mutableSpan
        environment.finalObservation(into: &span)
        for i in 0..<4 { #expect(final[i] == Float(golden.states[index + 1][i])) }
      } else {
        for i in 0..<4 { #expect(abs(environment.state[i] - golden.states[index + 1][i]) <= 1e-12) }
      }
    }
  }

  @Test("a free run from Gymnasium's initial state ends at the same step and stays within 1e-12", arguments: CartPoleGolden.episodes)
  func freeRun(_ golden: CartPoleGolden.Episode) {
    var environment = CartPole(state: golden.states[0])
    for (index, action) in golden.actions.enumerated() {
      for i in 0..<4 { #expect(abs(environment.state[i] - golden.states[index][i]) <= 1e-12) }
      let result = environment.step(action)
      #expect(result.terminated == (golden.terminated && index == golden.actions.count - 1))
      if result.terminated {
        #expect(result.episode == EpisodeRecord(length: golden.actions.count, return: Double(index + 1), values: [1]))
      }
    }
  }

  @Test("a balanced pole is cut at step 500 and the next episode starts elsewhere")
  func truncation() {
    var environment = CartPole()
    environment.reset(seed: 3, chunk: 1, environment: 2)
    let start = environment.state
    for step in 1...500 {
      let s = environment.state
      // A hand-made linear controller that keeps cart and pole inside the limits.
      let action = 0.1 * s[0] + 0.3 * s[1] + 2 * s[2] + 0.8 * s[3] > 0 ? 1 : 0
      let result = environment.step(action)
      #expect(!result.terminated)
      #expect(result.truncated == (step == 500))
      if step == 500 {
        #expect(result.episode == EpisodeRecord(length: 500, return: 500, values: [0]))
      } else {
        #expect(environment.closingRecord()?.length == step)
      }
    }
    #expect(environment.closingRecord() == nil)
    #expect(environment.state != start)
    for i in 0..<4 { #expect(abs(environment.state[i]) <= 0.05) }
  }

  @Test("initial states are uniform over -0.05..<0.05")
  func initialStates() {
    var sum = SIMD4<Double>.zero
    var squares = SIMD4<Double>.zero
    let count = 4000
    for environment in 0..<count {
      var cartPole = CartPole()
      cartPole.reset(seed: 1, chunk: 1, environment: environment)
      for i in 0..<4 { #expect(cartPole.state[i] >= -0.05 && cartPole.state[i] < 0.05) }
      sum += cartPole.state
      squares += cartPole.state * cartPole.state
    }
    for i in 0..<4 {
      #expect(abs(sum[i] / Double(count)) < 0.002)
      #expect(abs(squares[i] / Double(count) - 0.01 / 12) < 3e-5)
    }
  }

  @Test("cart-pole keeps the environment contract")
  func contract() {
    #expect(EnvironmentContract.violations(of: CartPole(), steps: 400) == [])
  }

  @Test("an action outside 0 and 1 traps")
  func badAction() async {
    await #expect(processExitsWith: .failure) {
      var environment = CartPole()
      _ = environment.step(2)
    }
  }
}

import PPO
import Randomness
import Testing

@Suite("generalised advantage estimation")
struct GAETests {
  private func advantages(
    _ rewards: [Float], _ values: [Float], next: [Float], terminal: [UInt8], cut: [UInt8], gamma: Float, lambda: Float
  ) -> [Float] {
    var result = [Float](repeating: 0, count: rewards.count)
    var span = result.mutableSpan
    gae(
      rewards: rewards.span, values: values.span, valuesNext: next.span, terminal: terminal.span, cut: cut.span, gamma: gamma,
      lambda: lambda, advantages: &span)
    return result
  }

  private func expectClose(_ a: [Float], _ b: [Double]) {
    #expect(a.count == b.count)
    for (x, y) in zip(a, b) { #expect(abs(Double(x) - y) < 1e-6, "\(x) and \(y)") }
  }

  @Test("three steps by hand, with the bootstrap after the last")
  func golden() {
    let a = advantages([1, 0, 2], [0.5, 0.4, 0.3], next: [9, 9, 0.2], terminal: [0, 0, 0], cut: [0, 0, 0], gamma: 0.95, lambda: 0.95)
    expectClose(a, [2.315629, 1.590725, 1.89])
  }

  @Test("a cut bootstraps and separates, a terminal step does not bootstrap")
  func boundaries() {
    let cut = advantages(
      [1, 0, 2], [0.5, 0.4, 0.3], next: [9, 0.9, 0.2], terminal: [0, 0, 0], cut: [0, 1, 0], gamma: 0.95, lambda: 0.95)
    expectClose(cut, [1.290638, 0.455, 1.89])
    let terminal = advantages(
      [1, 0, 2], [0.5, 0.4, 0.3], next: [9, .nan, 0.2], terminal: [0, 1, 0], cut: [0, 0, 0], gamma: 0.95, lambda: 0.95)
    expectClose(terminal, [1 + 0.95 * 0.4 - 0.5 - 0.95 * 0.95 * 0.4, -0.4, 1.89])
  }

  /// A_t = sum over k of (gamma lambda)^k delta_{t+k} up to the first boundary, summed directly.
  @Test("the sweep equals the direct sum on random segments")
  func directSum() {
    var stream = RandomStream(seed: 3, purpose: .bootstrap)
    for length in 0..<40 {
      let rewards = (0..<length).map { _ in Float(stream.uniform() - 0.5) }
      let values = (0..<length).map { _ in Float(stream.uniform() - 0.5) }
      let next = (0..<length).map { _ in Float(stream.uniform() - 0.5) }
      let terminal = (0..<length).map { _ in UInt8(stream.bounded(5) == 0 ? 1 : 0) }
      let cut = (0..<length).map { _ in UInt8(stream.bounded(5) == 0 ? 1 : 0) }
      let (gamma, lambda) = (0.9, 0.8)
      let expected = (0..<length).map { t -> Double in
        var (sum, weight) = (0.0, 1.0)
        for k in t..<length {
          let following = cut[k] == 1 || k == length - 1 ? next[k] : values[k + 1]
          sum += weight * (Double(rewards[k]) + (terminal[k] == 1 ? 0 : gamma * Double(following)) - Double(values[k]))
          weight *= gamma * lambda
          if terminal[k] == 1 || cut[k] == 1 { break }
        }
        return sum
      }
      expectClose(advantages(rewards, values, next: next, terminal: terminal, cut: cut, gamma: 0.9, lambda: 0.8), expected)
    }
  }
}

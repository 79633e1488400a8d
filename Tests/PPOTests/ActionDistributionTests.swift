import PPO
import Randomness
import Testing

@Suite("action distribution")
struct ActionDistributionTests {
  private func logP(_ logits: [Float], mask: [UInt8]? = nil, temperature: Float = 1) -> [Float] {
    let mask = mask ?? [UInt8](repeating: 1, count: logits.count)
    var result = logits
    var span = result.mutableSpan
    ActionDistribution.logProbabilities(logits: logits.span, mask: mask.span, temperature: temperature, into: &span)
    return result
  }

  @Test("log-softmax by hand, with temperature and mask, and far from overflow")
  func logSoftmax() {
    let p = logP([0, 1.0986123])  // ln 3
    #expect(abs(p[0] + 1.3862944) < 1e-6)
    #expect(abs(p[1] + 0.2876821) < 1e-6)
    let cooled = logP([0, 2 * 1.0986123], temperature: 2)
    #expect(abs(cooled[1] + 0.2876821) < 1e-6)
    let masked = logP([0, 50, 1.0986123], mask: [1, 0, 1])
    #expect(masked[1] == -.infinity)
    #expect(abs(masked[2] + 0.2876821) < 1e-6)
    let large = logP([1e30, 1e30])
    #expect(abs(large[0] + 0.6931472) < 1e-6)
    #expect(logP([-3], mask: [1]) == [0])
  }

  @Test("entropy and divergence by hand")
  func entropy() {
    let p = logP([0, 1.0986123])
    let uniform = logP([5, 5])
    let quarter = 0.25
    #expect(abs(ActionDistribution.entropy(logProbabilities: p.span) - 0.5623351) < 1e-6)
    #expect(abs(ActionDistribution.entropy(logProbabilities: uniform.span) - 0.6931472) < 1e-6)
    #expect(abs(ActionDistribution.entropy(logProbabilities: logP([0, 9, 1.0986123], mask: [1, 0, 1]).span) - 0.5623351) < 1e-6)
    // 0.25 ln 0.5 + 0.75 ln 1.5
    let kl = quarter * -0.6931472 + 0.75 * 0.4054651
    #expect(abs(ActionDistribution.kl(p.span, uniform.span) - kl) < 1e-6)
    #expect(ActionDistribution.kl(p.span, p.span) == 0)
  }

  @Test("the uniform number picks by inverse distribution, in action order, never a masked action")
  func sampling() {
    let p = logP([0, 7, 1.0986123], mask: [1, 0, 1])
    #expect(ActionDistribution.sample(logProbabilities: p.span, uniform: 0) == 0)
    #expect(ActionDistribution.sample(logProbabilities: p.span, uniform: 0.2499) == 0)
    #expect(ActionDistribution.sample(logProbabilities: p.span, uniform: 0.2501) == 2)
    #expect(ActionDistribution.sample(logProbabilities: p.span, uniform: 1.0.nextDown) == 2)
    #expect(ActionDistribution.greedy(logProbabilities: p.span) == 2)
    #expect(ActionDistribution.greedy(logProbabilities: logP([1, 1]).span) == 0)
    var counts = [0, 0, 0]
    var sampler = ActionSampler(actionCount: 3)
    var stream = RandomStream(seed: 1, purpose: .action)
    let logits: [Float] = [0, 0.6931472, -0.5]
    let mask: [UInt8] = [1, 1, 0]
    for _ in 0..<30_000 {
      let choice = sampler.sample(logits: logits.span, mask: mask.span, temperature: 1, uniform: stream.uniform())
      counts[choice.action] += 1
      #expect(abs(choice.logProbability - (choice.action == 0 ? -1.0986123 : -0.4054651)) < 1e-6)
    }
    #expect(counts[2] == 0)
    #expect(abs(counts[0] - 10_000) < 400)
  }
}

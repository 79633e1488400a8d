import PPO
import Testing

@Suite("rollout")
struct RolloutTests {
  private func sample(lengths: [Int], reference: Bool = true, state: Int = 4, first: Int = 0) -> Rollout {
    TestRollouts.random(
      RolloutShape(observationSize: 3, actionCount: 2, stateSize: state, hasReference: reference), lengths: lengths, index: first)
  }

  @Test("bytes come back as the same rollout", arguments: [[], [0], [1], [3, 0, 2]], [false, true])
  func bytes(lengths: [Int], reference: Bool) throws {
    for state in [0, 4] {
      let rollout = sample(lengths: lengths, reference: reference, state: state)
      #expect(try Rollout(bytes: rollout.bytes()) == rollout)
    }
  }

  @Test("every shortened or lengthened form is refused")
  func damaged() {
    let bytes = sample(lengths: [2, 1]).bytes()
    for count in 0..<bytes.count { #expect(throws: RolloutFormatError.self) { try Rollout(bytes: Array(bytes[..<count])) } }
    #expect(throws: RolloutFormatError.self) { try Rollout(bytes: bytes + [0]) }
    for i in 0..<64 {
      var changed = bytes
      changed[i] ^= 0x40
      #expect(throws: RolloutFormatError.self) { try Rollout(bytes: changed) }
    }
  }

  @Test("parts join in order: environments, then their transitions")
  func concatenation() {
    let first = sample(lengths: [2, 1])
    let second = sample(lengths: [0, 3], first: 50)
    let joined = Rollout(concatenating: [first, second])
    #expect(joined.segmentLengths == [2, 1, 0, 3])
    #expect(joined.segmentStarts == [0, 2, 3, 3])
    #expect(joined.count == 6)
    #expect(joined.observations == first.observations + second.observations)
    #expect(joined.states == first.states + second.states)
    #expect(joined.masks == first.masks + second.masks)
    #expect(joined.referenceLogits == first.referenceLogits + second.referenceLogits)
    #expect(joined.valuesNext == first.valuesNext + second.valuesNext)
    #expect(joined.index(environment: 3, t: 2) == 5)
  }
}

import Randomness
import Testing

@testable import Environments

/// A walk on a line that breaks one promise of `Environment` on demand.
private struct FaultyWalk: Environment {
  enum Fault: CaseIterable, Sendable {
    case none, duplicateName, missingName, notFinite, unwrittenEntry, mask, historyLeaks, sameEverywhere, sharedCopy, lostReturn,
      missingRecord,
      bothFlags
  }

  /// State that copies share, which a value must not have.
  final class Shared: @unchecked Sendable {
    var value = 0
  }

  static let kind = "walk"
  static let episodeFields = ["place"]
  static let infoFields = ["action"]
  let fault: Fault
  private let shared = Shared()
  private var stream = RandomStream(seed: 0, purpose: .environment)
  private var place = 0.0
  private var history = 0.0
  private var steps = 0
  private var total = 0.0
  private var lastAction = 0
  private var final = 0.0

  init(_ fault: Fault) { self.fault = fault }

  var observationNames: [String] {
    switch fault {
    case .duplicateName: ["place", "place"]
    case .missingName: ["place"]
    default: ["place", "history"]
    }
  }
  var observationSize: Int { 2 }
  var actionCount: Int { 2 }

  mutating func reset(seed: UInt64, chunk: Int, environment: Int) {
    let number = fault == .sameEverywhere ? 0 : environment
    stream = RandomStream(seed: seed, purpose: .environment, chunk: fault == .sameEverywhere ? 0 : chunk, environment: number)
    place = stream.uniform()
    if fault != .historyLeaks { history = 0 }
    steps = 0
    total = 0
  }

  func observe(into observation: inout MutableSpan<Float>) {
    observation[0] = fault == .notFinite && steps == 3 ? .infinity : Float(place)
    if fault != .unwrittenEntry { observation[1] = Float(history) }
    if fault == .sharedCopy { observation[1] = Float(shared.value) }
  }

  func actionMask(into mask: inout MutableSpan<UInt8>) {
    mask[0] = fault == .mask ? 0 : 1
    mask[1] = fault == .mask ? 0 : 1
  }

  mutating func step(_ action: Int) -> StepResult {
    shared.value += 1
    lastAction = action
    place += (action == 1 ? 1 : -1) * stream.uniform()
    history += 0.5
    steps += 1
    let reward = Float(place)
    if !(fault == .lostReturn && steps == 2) { total += Double(reward) }
    var result = StepResult(reward: reward, truncated: steps == 7)
    if result.truncated {
      if fault != .missingRecord { result.episode = EpisodeRecord(length: 7, return: total, values: [place]) }
      if fault == .bothFlags { result.terminated = true }
      final = place
      steps = 0
      total = 0
    }
    return result
  }

  func finalObservation(into observation: inout MutableSpan<Float>) {
    observation[0] = Float(final)
    observation[1] = Float(history)
  }

  func info(into values: inout MutableSpan<Double>) { values[0] = Double(lastAction) }

  func closingRecord() -> EpisodeRecord? { steps == 0 ? nil : EpisodeRecord(length: steps, return: total, values: [place]) }
}

@Suite struct EnvironmentContractTests {
  @Test("a faultless environment has no violations")
  func faultless() {
    #expect(EnvironmentContract.violations(of: FaultyWalk(.none), steps: 40) == [])
  }

  @Test("every planted fault is found", arguments: FaultyWalk.Fault.allCases.filter { $0 != .none })
  private func planted(_ fault: FaultyWalk.Fault) {
    #expect(!EnvironmentContract.violations(of: FaultyWalk(fault), steps: 40).isEmpty)
  }
}

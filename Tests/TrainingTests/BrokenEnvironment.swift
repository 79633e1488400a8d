import Environments

/// Cart-pole that, as environment 4, gives a value that is not a number at its 30th decision.
struct BrokenEnvironment: Environment {
  static let kind = CartPole.kind
  static let episodeFields = CartPole.episodeFields
  static let infoFields = CartPole.infoFields

  private var inner = CartPole()
  private var environment = 0
  private var decisions = 0
  private let breaksReward: Bool

  /// - Parameter breaksReward: whether the reward breaks; otherwise the observation.
  init(breaksReward: Bool) { self.breaksReward = breaksReward }

  var observationNames: [String] { inner.observationNames }
  var observationSize: Int { inner.observationSize }
  var actionCount: Int { inner.actionCount }

  private var isBroken: Bool { environment == 4 && decisions >= 30 }

  mutating func reset(seed: UInt64, chunk: Int, environment: Int) {
    inner.reset(seed: seed, chunk: chunk, environment: environment)
    self.environment = environment
    decisions = 0
  }

  func observe(into observation: inout MutableSpan<Float>) {
    inner.observe(into: &observation)
    if isBroken, !breaksReward { observation[1] = .infinity }
  }

  func actionMask(into mask: inout MutableSpan<UInt8>) { inner.actionMask(into: &mask) }

  mutating func step(_ action: Int) -> StepResult {
    var result = inner.step(action)
    decisions += 1
    if isBroken, breaksReward { result.reward = .nan }
    return result
  }

  func finalObservation(into observation: inout MutableSpan<Float>) { inner.finalObservation(into: &observation) }

  func info(into values: inout MutableSpan<Double>) { inner.info(into: &values) }

  func closingRecord() -> EpisodeRecord? { inner.closingRecord() }
}

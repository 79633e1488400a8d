import Environments

/// Says in its observation where it stands, (chunk, environment, decision, last action), and ends episodes on schedule: an even
/// environment terminates after every third decision, an odd one is truncated there.
struct ScriptedEnvironment: Environment {
  static let kind = "scripted"
  static let episodeFields: [String] = []
  static let infoFields: [String] = []

  let observationNames = ["chunk", "environment", "decision", "last_action"]
  let observationSize = 4
  let actionCount = 3

  private var chunk = 0
  private var environment = 0
  private var decision = 0
  private var lastAction = 0
  private var length = 0
  private var total = 0.0
  private var final: [Float] = [0, 0, 0, 0]

  mutating func reset(seed: UInt64, chunk: Int, environment: Int) {
    self = ScriptedEnvironment()
    self.chunk = chunk
    self.environment = environment
  }

  private var values: [Float] { [Float(chunk), Float(environment), Float(decision), Float(lastAction)] }

  func observe(into observation: inout MutableSpan<Float>) { for (i, value) in values.enumerated() { observation[i] = value } }

  func actionMask(into mask: inout MutableSpan<UInt8>) {
    for i in 0..<actionCount { mask[i] = i == decision % actionCount ? 0 : 1 }
  }

  mutating func step(_ action: Int) -> StepResult {
    let reward = Float(action) - 0.5 * Float(decision % 5)
    decision += 1
    lastAction = action
    length += 1
    total += Double(reward)
    guard decision % 3 == 0 else { return StepResult(reward: reward) }
    defer { (length, total) = (0, 0) }
    final = values.map { $0 + 0.25 }
    return StepResult(
      reward: reward, terminated: environment % 2 == 0, truncated: environment % 2 == 1,
      episode: EpisodeRecord(length: length, return: total))
  }

  func finalObservation(into observation: inout MutableSpan<Float>) { for (i, value) in final.enumerated() { observation[i] = value } }

  func info(into values: inout MutableSpan<Double>) {}

  func closingRecord() -> EpisodeRecord? { length == 0 ? nil : EpisodeRecord(length: length, return: total) }
}

/// Decisions in episodes, each with the distribution that a teacher would have acted by.
///
/// Who acted (the *behaviour* policy) and who labels (the teacher) are two: acting at random leads where a teacher alone never goes.
///
/// Invariants: the episodes lie one behind the other and cover all samples; each target is a distribution over the allowed actions;
/// every array has `count` times its width elements.
public struct Demonstrations: Sendable, Equatable {
  /// Consecutive decisions of one behaviour policy in one scenario.
  public struct Episode: Sendable, Equatable {
    /// Index into `policies`.
    public var policy: Int
    /// Index into `scenarios`.
    public var scenario: Int
    /// First sample.
    public var start: Int
    /// Samples.
    public var count: Int
  }

  /// D.
  public let observationSize: Int
  /// A.
  public let actionCount: Int
  /// Names of the behaviour policies.
  public let policies: [String]
  /// Names of the scenarios.
  public let scenarios: [String]
  /// In the order of their samples.
  public private(set) var episodes: [Episode] = []
  /// Raw, not normalised `[N, D]`.
  public private(set) var observations: [Float] = []
  /// 1 = allowed `[N, A]`.
  public private(set) var masks: [UInt8] = []
  /// What the behaviour policy did `[N]`.
  public private(set) var actions: [UInt16] = []
  /// What the teacher would do `[N, A]`.
  public private(set) var targets: [Float] = []

  /// None yet.
  public init(observationSize: Int, actionCount: Int, policies: [String], scenarios: [String]) {
    precondition(observationSize > 0 && actionCount > 0, "sizes of a demonstration")
    self.observationSize = observationSize
    self.actionCount = actionCount
    self.policies = policies
    self.scenarios = scenarios
  }

  /// Samples.
  public var count: Int { actions.count }

  /// Opens an episode; samples that follow belong to it.
  public mutating func beginEpisode(policy: Int, scenario: Int) {
    precondition(policies.indices.contains(policy) && scenarios.indices.contains(scenario), "no such policy or scenario")
    episodes.append(Episode(policy: policy, scenario: scenario, start: count, count: 0))
  }

  /// Adds a decision to the open episode.
  ///
  /// - Parameters:
  ///   - observation: `[D]`, raw.
  ///   - mask: `[A]`.
  ///   - target: `[A]`, a distribution over the allowed actions.
  public mutating func append(observation: [Float], mask: [UInt8], action: Int, target: [Float]) {
    precondition(!episodes.isEmpty, "a sample belongs to an episode")
    precondition(
      observation.count == observationSize && mask.count == actionCount && target.count == actionCount, "extents of a sample")
    precondition(action >= 0 && action < actionCount, "action outside its range")
    observations += observation
    masks += mask
    actions.append(UInt16(action))
    targets += target
    episodes[episodes.count - 1].count += 1
  }

  /// Whether `action` is among the teacher's best at `sample`.
  public func isBest(_ action: Int, sample: Int) -> Bool {
    let first = sample * actionCount
    var highest: Float = 0
    for a in 0..<actionCount { highest = max(highest, targets[first + a]) }
    return targets[first + action] == highest
  }

  /// Samples of each behaviour policy, `[policies]`.
  public var policyCounts: [Int] {
    var counts = [Int](repeating: 0, count: policies.count)
    for episode in episodes { counts[episode.policy] += episode.count }
    return counts
  }

  /// How often each action was taken, `[A]`.
  public var actionCounts: [Int] {
    var counts = [Int](repeating: 0, count: actionCount)
    for action in actions { counts[Int(action)] += 1 }
    return counts
  }

  /// A teacher's distribution: uniform over the best allowed actions, mixed with the uniform one over all allowed actions.
  ///
  ///     target = (1 - smoothing) [a is best] / #best + smoothing [a is allowed] / #allowed
  public static func softTarget(best: [UInt8], mask: [UInt8], smoothing: Double) -> [Float] {
    let allowed = Double(mask.reduce(0) { $0 + ($1 != 0 ? 1 : 0) })
    let winners = Double(zip(best, mask).reduce(0) { $0 + ($1.0 != 0 && $1.1 != 0 ? 1 : 0) })
    precondition(winners > 0, "a teacher has at least one best action")
    return zip(best, mask).map { best, mask in
      guard mask != 0 else { return 0 }
      return Float((best != 0 ? (1 - smoothing) / winners : 0) + smoothing / allowed)
    }
  }
}

/// Sizes that all transitions of a rollout share.
public struct RolloutShape: Sendable, Equatable {
  /// D.
  public var observationSize: Int
  /// A.
  public var actionCount: Int
  /// S, recurrent state; 0 without recurrence.
  public var stateSize: Int
  /// Whether a reference policy's logits are kept.
  public var hasReference: Bool

  /// - Precondition: D and A positive, S not negative.
  public init(observationSize: Int, actionCount: Int, stateSize: Int, hasReference: Bool = false) {
    precondition(observationSize > 0 && actionCount > 0 && stateSize >= 0, "sizes of a rollout")
    self.observationSize = observationSize
    self.actionCount = actionCount
    self.stateSize = stateSize
    self.hasReference = hasReference
  }
}

/// The transitions of all environments between two updates, as one array a field, ordered (environment, t).
///
/// A decision is recorded when it is taken, its outcome when the environment has stepped. A segment is one environment's share.
///
/// Invariants: the segment lengths add up to `count`; every array of transitions has `count` times its width elements; the rows of
/// `actionAdvantages` are each named once.
public struct Rollout: Sendable, Equatable {
  /// Sizes of a transition.
  public let shape: RolloutShape
  /// Transitions of each environment, in environment order; 0 where it made none.
  public internal(set) var segmentLengths: [Int]
  /// Index of each environment's first transition.
  public internal(set) var segmentStarts: [Int]
  /// Normalised with the statistics of that moment `[T, D]`.
  public internal(set) var observations: [Float]
  /// Recurrent states before the step `[T, S]`.
  public internal(set) var states: [Float]
  /// Raw logits `[T, A]`.
  public internal(set) var logits: [Float]
  /// Raw logits of the reference policy `[T, A]`, empty without one.
  public internal(set) var referenceLogits: [Float]
  /// 1 = allowed `[T, A]`.
  public internal(set) var masks: [UInt8]
  /// `[T]`.
  public internal(set) var temperatures: [Float]
  /// `[T]`.
  public internal(set) var actions: [Int32]
  /// ln p of the action at its temperature `[T]`.
  public internal(set) var logProbabilities: [Float]
  /// Values when acting `[T]`.
  public internal(set) var values: [Float]
  /// Scaled rewards `[T]`.
  public internal(set) var rewards: [Float]
  /// 1 = the episode ended by itself `[T]`.
  public internal(set) var terminal: [UInt8]
  /// 1 = the episode was cut: truncation or chunk end `[T]`.
  public internal(set) var cut: [UInt8]
  /// Value of the observation that followed, where `gae` reads it: cuts and segment ends `[T]`.
  public internal(set) var valuesNext: [Float]
  /// Row of `actionAdvantages` that belongs to a transition, -1 without one `[T]`; empty if no transition has one.
  public internal(set) var actionAdvantageRows: [Int32] = []
  /// Advantages of all actions for the transitions that credit was assigned to action by action `[n, A]`, in order of their labelling.
  public internal(set) var actionAdvantages: [Float] = []

  /// Room for `segmentLengths[e]` transitions of each environment e.
  public init(_ shape: RolloutShape, segmentLengths: [Int]) {
    precondition(segmentLengths.allSatisfy { $0 >= 0 }, "negative segment length")
    self.shape = shape
    self.segmentLengths = segmentLengths
    segmentStarts = Rollout.starts(segmentLengths)
    let count = segmentLengths.reduce(0, +)
    observations = [Float](repeating: 0, count: count * shape.observationSize)
    states = [Float](repeating: 0, count: count * shape.stateSize)
    logits = [Float](repeating: 0, count: count * shape.actionCount)
    referenceLogits = [Float](repeating: 0, count: shape.hasReference ? count * shape.actionCount : 0)
    masks = [UInt8](repeating: 1, count: count * shape.actionCount)
    temperatures = [Float](repeating: 1, count: count)
    actions = [Int32](repeating: 0, count: count)
    logProbabilities = [Float](repeating: 0, count: count)
    values = [Float](repeating: 0, count: count)
    rewards = [Float](repeating: 0, count: count)
    terminal = [UInt8](repeating: 0, count: count)
    cut = [UInt8](repeating: 0, count: count)
    valuesNext = [Float](repeating: 0, count: count)
  }

  static func starts(_ lengths: [Int]) -> [Int] {
    var sum = 0
    return lengths.map { length in
      defer { sum += length }
      return sum
    }
  }

  /// Transitions of all environments.
  public var count: Int { actions.count }

  /// Index of transition `t` of the environment at position `environment` of this rollout.
  public func index(environment: Int, t: Int) -> Int {
    precondition(t >= 0 && t < segmentLengths[environment], "transition outside its segment")
    return segmentStarts[environment] + t
  }

  /// Whether an episode ended with transition `index`, either way: recurrent states start again behind it.
  func isEnd(_ index: Int) -> Bool { terminal[index] != 0 || cut[index] != 0 }

  /// Records a decision.
  ///
  /// - Parameters:
  ///   - index: from `index(environment:t:)`.
  ///   - observation: `[D]`, normalised.
  ///   - state: `[S]`, before the step.
  ///   - mask: `[A]`, 1 = allowed.
  ///   - logits: `[A]`, raw.
  ///   - referenceLogits: `[A]`, left out without a reference policy.
  ///   - logProbability: of the action, from the masked logits over `temperature`.
  public mutating func recordDecision(
    at index: Int, observation: Span<Float>, state: Span<Float>, mask: Span<UInt8>, logits: Span<Float>,
    referenceLogits: Span<Float> = Span(),
    action: Int, logProbability: Float, value: Float, temperature: Float
  ) {
    precondition(index >= 0 && index < count, "transition outside the rollout")
    precondition(action >= 0 && action < shape.actionCount, "action outside its range")
    Rollout.copy(observation, &observations, row: index, width: shape.observationSize)
    Rollout.copy(state, &states, row: index, width: shape.stateSize)
    Rollout.copy(mask, &masks, row: index, width: shape.actionCount)
    Rollout.copy(logits, &self.logits, row: index, width: shape.actionCount)
    Rollout.copy(referenceLogits, &self.referenceLogits, row: index, width: shape.hasReference ? shape.actionCount : 0)
    actions[index] = Int32(action)
    logProbabilities[index] = logProbability
    values[index] = value
    temperatures[index] = temperature
  }

  /// Records what followed: the scaled reward and whether the episode ended or was cut. `valueNext` may follow by `setValueNext`.
  public mutating func recordOutcome(at index: Int, reward: Float, terminal: Bool, cut: Bool, valueNext: Float = 0) {
    precondition(index >= 0 && index < count, "transition outside the rollout")
    rewards[index] = reward
    self.terminal[index] = terminal ? 1 : 0
    self.cut[index] = cut ? 1 : 0
    valuesNext[index] = valueNext
  }

  /// Sets the bootstrap value of a cut or of a segment's last transition.
  public mutating func setValueNext(at index: Int, _ value: Float) { valuesNext[index] = value }

  /// Gives a transition advantages of all its actions `[A]`: estimates of how much better each action is than the policy, up to a constant
  /// and in any one unit. The policy loss then takes the expectation over the policy in place of the sampled action. Those of masked
  /// actions are not read.
  public mutating func setActionAdvantages(at index: Int, _ advantages: Span<Float>) {
    precondition(index >= 0 && index < count, "transition outside the rollout")
    precondition(advantages.count == shape.actionCount, "field of another width")
    if actionAdvantageRows.isEmpty { actionAdvantageRows = [Int32](repeating: -1, count: count) }
    precondition(actionAdvantageRows[index] < 0, "a transition is labelled once")
    actionAdvantageRows[index] = Int32(actionAdvantages.count / shape.actionCount)
    for a in 0..<advantages.count { actionAdvantages.append(advantages[a]) }
  }

  /// Row of `actionAdvantages` of a transition, nil without one.
  public func actionAdvantageRow(_ index: Int) -> Int? {
    actionAdvantageRows.isEmpty || actionAdvantageRows[index] < 0 ? nil : Int(actionAdvantageRows[index])
  }

  /// Marks a recorded transition as cut, as the chunk's end does.
  public mutating func markCut(at index: Int) { cut[index] = 1 }

  private static func copy<Element>(_ source: Span<Element>, _ target: inout [Element], row: Int, width: Int) {
    precondition(source.count == width, "field of another width")
    var span = target.mutableSpan
    let first = row * width
    for i in 0..<width { span[first + i] = source[i] }
  }
}

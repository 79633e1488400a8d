/// A decision as credit assignment remembers it.
public struct Decision: Equatable, Sendable {
  /// What it was about, see `Environment.subject`.
  public var subject: Int
  /// The action taken.
  public var action: Int

  /// `action` for `subject`.
  public init(subject: Int, action: Int) {
    self.subject = subject
    self.action = action
  }
}

/// What each action at a decision would have cost, when later decisions stay as they were.
public struct CostHorizon: Equatable, Sendable {
  /// Later decisions that are followed.
  public var decisions: Int
  /// Whether what is open at the end is followed to its own end, without anything new.
  public var drains: Bool

  /// Follows so many later decisions.
  public init(decisions: Int, drains: Bool) {
    precondition(decisions >= 0, "a negative horizon")
    self.decisions = decisions
    self.drains = drains
  }
}

/// Credit by copies. An environment is a value, so "what if" is a copy that goes on; these are the questions that are asked of copies. The answers
/// here hold for any environment, with minus the rewards as costs; one that knows its costs better gives its own.
extension Environment {
  /// Copies follow `later` action by action and stop where the recorded decisions, the horizon or the episode end.
  public func actionCosts(later: [Decision], horizon: CostHorizon) -> [Double] {
    var mask = [UInt8](repeating: 1, count: actionCount)
    var span = mask.mutableSpan
    actionMask(into: &span)
    return (0..<actionCount).map { action in
      if mask[action] == 0 { return .nan }
      var copy = self
      var result = copy.step(action)
      var cost = -Double(result.reward)
      for decision in later.prefix(horizon.decisions) {
        if result.isEpisodeEnd { break }
        var allowed = mask
        var allowedSpan = allowed.mutableSpan
        copy.actionMask(into: &allowedSpan)
        if allowed[decision.action] == 0 { break }
        result = copy.step(decision.action)
        cost -= Double(result.reward)
      }
      return cost
    }
  }

  /// A copy takes the decisions again; each costs minus its reward.
  public func ownCosts(of decisions: [Decision]) -> [Double] {
    var copy = self
    return decisions.map { -Double(copy.step($0.action).reward) }
  }

  /// 0: decisions are known by their order alone.
  public var subject: Int { 0 }

  /// No blocks: every value is shared.
  public var observationLayout: ObservationLayout {
    ObservationLayout(identifier: Self.kind, blockCount: 0, blockNames: [], sharedNames: observationNames)
  }
}

import ExactMath
import PPO

/// Watches for a policy that stops choosing and a critic that explains nothing. It warns, and never reaches into the training: an uneven
/// choice of actions is not a failure as such.
///
/// Invariant: at most `decisionsMax` actions, oldest first.
struct CollapseMonitor: Equatable, Sendable {
  /// What can be wrong; the raw value is its bit in the metric `warnings`.
  enum Warning: Int, CaseIterable {
    case lowEntropy = 1
    case oneAction = 2
    case badCritic = 4
    case nonFinite = 8
  }

  /// Decisions that the largest share is taken over.
  static let decisionsMax = 500
  /// Largest share of one action.
  static let shareMax = 0.9
  /// Share of the largest entropy.
  static let entropyShareMin = 0.05
  /// Updates in a row without explained variance.
  static let criticUpdatesMax = 20

  /// The newest actions, in gathered order.
  var actions: [UInt16] = []
  /// Updates in a row, up to now, whose explained variance was negative.
  var badCriticStreak = 0
  /// Bits of the warnings in force.
  var inForce = 0

  /// Takes in one iteration with an update.
  ///
  /// - Returns: what came into force with it, in words.
  mutating func take(actions newest: [UInt16], actionCount: Int, metrics: UpdateMetrics) -> [String] {
    actions.append(contentsOf: newest.suffix(Self.decisionsMax))
    if actions.count > Self.decisionsMax { actions.removeFirst(actions.count - Self.decisionsMax) }
    badCriticStreak = metrics.explainedVariance < 0 ? badCriticStreak + 1 : 0
    var counts = [Int](repeating: 0, count: actionCount)
    for action in actions { counts[Int(action)] += 1 }
    let most = counts.indices.max { counts[$0] < counts[$1] } ?? 0
    let share = Double(counts[most]) / Double(max(actions.count, 1))
    let floor = Self.entropyShareMin * ExactMath.log(Double(actionCount))

    var warnings: [(Warning, String)] = []
    // Without minibatches that count there is no entropy to speak of.
    if metrics.optimizerSteps > 0, metrics.entropy < floor {
      warnings.append((.lowEntropy, "entropy \(metrics.entropy) nat is below \(floor)"))
    }
    if actions.count == Self.decisionsMax, share > Self.shareMax {
      warnings.append((.oneAction, "action \(most) took \(counts[most]) of the last \(actions.count) decisions"))
    }
    if badCriticStreak >= Self.criticUpdatesMax {
      warnings.append((.badCritic, "explained variance was negative in \(badCriticStreak) updates in a row"))
    }
    if metrics.skippedSteps > 0 {
      warnings.append((.nonFinite, "\(metrics.skippedSteps) minibatches were skipped: loss or gradient not finite"))
    }
    let before = inForce
    inForce = warnings.reduce(0) { $0 | $1.0.rawValue }
    return warnings.filter { before & $0.0.rawValue == 0 || $0.0 == .nonFinite }.map(\.1)
  }
}

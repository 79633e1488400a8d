import Environments
import PPO
import Randomness
import RunConfig

/// What a rollout does beyond taking rewards, so that decisions get credit (`docs/credit.md`).
enum CreditSettings: Equatable, Sendable {
  /// The environment's reward is the credit; `interval` is a reward, too.
  case reward
  /// Rewards are replaced by minus the cost of what each decision was about, known when the iteration ends.
  case own
  /// One decision in `labelEvery` gets an advantage for each action from copies of the environment.
  case counterfactual(labelEvery: Int, horizon: CostHorizon)

  init(_ section: CreditSection) {
    self =
      switch section.assignment {
      case .reward, .interval: .reward
      case .own: .own
      case .counterfactual:
        .counterfactual(labelEvery: section.labelEvery, horizon: CostHorizon(decisions: section.horizon, drains: section.drain))
      }
  }

  /// Whether decision number `decision` of the chunk gets a label. Named by what it is for, like every draw.
  func labels(seed: UInt64, chunk: Int, environment: Int, decision: Int) -> Bool {
    guard case .counterfactual(let every, _) = self else { return false }
    var stream = RandomStream(seed: seed, purpose: .creditLabel, chunk: chunk, environment: environment, index: decision)
    return stream.bounded(every) == 0
  }
}

/// An environment as it was when a decision was labelled.
struct LabelledDecision<E: Environment> {
  /// Number of the decision in its iteration.
  let place: Int
  /// Before the action.
  let environment: E
}

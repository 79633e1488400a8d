import Environments
import PPO

extension RolloutCollector {
  /// Completes the rewards and labels of the finished rollout from copies of the environments. Everything that it reads belongs to the iteration, so
  /// that rewards are final when the iteration ends; nothing of it is drawn, and ranks label their own environments.
  ///
  /// - Returns: the reason to stop, if one came up; the iteration is then incomplete.
  mutating func assignCredit(
    to rollout: inout Rollout, scaling: ReturnScaling?, stopRequested: () -> StopReason?
  ) -> StopReason? {
    switch settings.credit {
    case .reward: return nil
    case .own:
      for i in runners.indices {
        if let reason = stopRequested() { return reason }
        for (t, own) in runners[i].ownRewards(discount: settings.gamma).enumerated() {
          rollout.setReward(at: rollout.index(environment: i, t: t), scaling?.scale(own.reward) ?? own.reward)
          slots[i].returns.add(own.discountedReturn)
        }
      }
    case .counterfactual(_, let horizon):
      for i in runners.indices {
        for index in runners[i].labelled.indices {
          if let reason = stopRequested() { return reason }
          let costs = runners[i].actionCosts(labelled: index, horizon: horizon)
          rollout.setActionAdvantages(
            at: rollout.index(environment: i, t: runners[i].labelled[index].place), Self.advantages(ofCosts: costs).span)
        }
      }
    }
    return nil
  }

  /// How much cheaper each action is than their plain mean, in double precision before the rounding; 0 where an action is not allowed. The constant
  /// does not matter to the policy's gradient, which is centred under the policy.
  static func advantages(ofCosts costs: [Double]) -> [Float] {
    var sum = 0.0
    var count = 0
    for cost in costs where !cost.isNaN {
      sum += cost
      count += 1
    }
    let mean = sum / Double(max(count, 1))
    return costs.map { $0.isNaN ? 0 : Float(mean - $0) }
  }
}

extension Rollout {
  /// Replaces the scaled reward of a recorded transition, for credit that is known only when the rollout ends.
  public mutating func setReward(at index: Int, _ reward: Float) { rewards[index] = reward }
}

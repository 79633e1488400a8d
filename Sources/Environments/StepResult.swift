/// What one decision brought.
public struct StepResult: Equatable, Sendable {
  /// Reward of the action, raw.
  public var reward: Float
  /// The episode ended by itself: nothing follows the final observation.
  public var terminated: Bool
  /// The episode was cut; the final observation would have been followed by more. Never set together with `terminated`.
  public var truncated: Bool
  /// Record of the episode, exactly when it ended.
  public var episode: EpisodeRecord?

  /// A step inside an episode unless told otherwise.
  public init(reward: Float, terminated: Bool = false, truncated: Bool = false, episode: EpisodeRecord? = nil) {
    self.reward = reward
    self.terminated = terminated
    self.truncated = truncated
    self.episode = episode
  }

  /// Whether the episode ended, either way.
  public var isEpisodeEnd: Bool { terminated || truncated }
}

/// Everything that can be chosen about a run. `Configuration()` is the built-in default.
///
/// A value read by `init(parsing:name:overrides:)` is valid as a whole; one that was put together in code becomes so by `validate()`.
public struct Configuration: Equatable, Sendable {
  /// What is trained, and for how long.
  public var run = RunSection()
  /// How samples are collected.
  public var rollout = RolloutSection()
  /// The simulated cluster.
  public var cluster = ClusterSection()
  /// How long a batch takes.
  public var timing = TimingSection()
  /// The requests that arrive.
  public var workload = WorkloadSection()
  /// What `simulate` runs.
  public var simulate = SimulateSection()
  /// What the policy sees.
  public var observation = ObservationSection()
  /// What the policy is rewarded for.
  public var reward = RewardSection()
  /// What the users of the cluster want.
  public var objective = ObjectiveSection()
  /// How decisions get credit.
  public var credit = CreditSection()
  /// How the environment changes with the chunks.
  public var curriculum = CurriculumSection()
  /// The network.
  public var network = NetworkSection()
  /// The update.
  public var ppo = PPOSection()
  /// The order of the update's sums.
  public var update = UpdateSection()
  /// The temperature of the draws.
  public var temperature = TemperatureSection()
  /// What is watched.
  public var monitor = MonitorSection()
  /// Evaluation during training.
  public var evaluation = EvaluationSection()
  /// How a policy is taught before it trains.
  public var warmstart = WarmStartSection()
  /// When and how much is saved.
  public var checkpoint = CheckpointSection()

  /// The built-in default.
  public init() {}
}

/// The table of all keys: the one place that parsing, documents, digests and comparison are made from.
public enum Schema {
  /// Sections in document order, each with one sentence.
  public static let sections: [(name: String, documentation: String)] = [
    ("run", "What is trained, and for how long."),
    ("rollout", "How samples are collected."),
    ("cluster", "The simulated inference cluster (environment routing)."),
    ("timing", "How long a batch takes (environment routing)."),
    ("workload", "The requests that arrive (environment routing)."),
    ("simulate", "What the command simulate runs."),
    ("observation", "What the policy sees."),
    ("reward", "What the policy is rewarded for."),
    ("objective", "What the users of the cluster want: latency figures relative to those of lor_full on the same workload."),
    ("credit", "How the consequences of a decision are told from those of others."),
    ("curriculum", "How the environment changes with the chunks (environment routing)."),
    ("network", "The policy and value network."),
    ("ppo", "The update."),
    ("update", "The order of the update's sums."),
    ("temperature", "The temperature at which actions are drawn (environment routing)."),
    ("monitor", "What is watched and reported, without any effect on the training."),
    ("evaluation", "Evaluation of the policy while it is trained (environment routing)."),
    ("warmstart", "How a policy is taught by behaviour cloning before it trains, and what it takes from a model."),
    ("checkpoint", "When and how much is saved."),
  ]

  /// Every key in document order.
  public static let fields: [Field] =
    RunSection.fields + RolloutSection.fields + ClusterSection.fields + TimingSection.fields + WorkloadSection.fields
    + SimulateSection.fields + ObservationSection.fields + RewardSection.fields + ObjectiveSection.fields + CreditSection.fields
    + CurriculumSection.fields + NetworkSection.fields + PPOSection.fields + UpdateSection.fields + TemperatureSection.fields
    + MonitorSection.fields + EvaluationSection.fields + WarmStartSection.fields + CheckpointSection.fields

  /// The key with this dotted path.
  public static func field(_ path: String) -> Field? { fields.first { $0.path == path } }

  /// The keys of one section, in document order.
  public static func fields(of section: String) -> [Field] { fields.filter { $0.section == section } }
}

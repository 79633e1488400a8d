/// A rule that rates replicas and labels demonstrations.
public enum WarmStartTeacher: String, CaseIterable, Sendable {
  /// Fewest waiting requests.
  case lor
  /// Fewest waiting and resident requests.
  case lorFull = "lor_full"
  /// Fewest outstanding tokens, also known as jsw (join the shortest work).
  case lot
}

/// How a policy is taught by behaviour cloning before it trains.
public struct WarmStartSection: Equatable, Sendable {
  /// Whether a run that begins under `--start auto` is warm-started.
  public var enabled = false
  /// File of a pretrained actor; empty = collect and clone.
  public var model = ""
  /// File of demonstrations to clone from; empty = collect.
  public var demonstrations = ""
  /// Who labels.
  public var teacher = WarmStartTeacher.lorFull
  /// Who acts, comma-separated.
  public var behaviours = "teacher,random,round_robin"
  /// Episodes of each behaviour policy in each scenario.
  public var episodes = 40
  /// Decisions of an episode.
  public var episodeDecisions = 200
  /// Share of the uniform distribution in a target.
  public var labelSmoothing = 0.05
  /// Passes over the demonstrations at most.
  public var epochs = 30
  /// Samples of an optimizer step.
  public var batchSize = 256
  /// Consecutive decisions that the gradient follows the recurrence over.
  public var sequenceLength = 1
  /// Learning rate of AdamW.
  public var learningRate = 5e-4
  /// Decoupled weight decay.
  public var weightDecay = 1e-5
  /// Limit of the gradient's norm.
  public var maxGradNorm = 1.0
  /// Share of the episodes kept for validation.
  public var validationShare = 0.1
  /// Epochs without a better validation loss before it ends.
  public var patience = 5
  /// Samples that adopted statistics of observations count as, at most.
  public var normalizerCountMax = 10_000

  /// Names that `behaviours` may hold.
  public static let behaviourNames = ["teacher", "random", "round_robin", "lor", "lor_full", "lot"]

  /// The names in `behaviours`, in order.
  public var behaviourList: [String] {
    behaviours.split(separator: ",", omittingEmptySubsequences: false).map { name in
      String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
  }

  static let fields: [Field] = [
    .boolean(
      "warmstart.enabled", \.warmstart.enabled, .free,
      "Whether a run that begins under --start auto is warm-started; --start warmstart asks for it whatever this says."),
    .text(
      "warmstart.model", \.warmstart.model, lengthMax: 4096, .free,
      "File of a pretrained actor for a warm start, as pretrain writes it; empty means to collect demonstrations and clone them."),
    .text(
      "warmstart.demonstrations", \.warmstart.demonstrations, lengthMax: 4096, .free,
      "File of demonstrations to clone, as collect writes it; empty means to collect them."),
    .choice(
      "warmstart.teacher", \.warmstart.teacher, .frozen,
      "Rule that labels demonstrations: fewest waiting requests, fewest waiting and resident ones, or fewest outstanding tokens (jsw)."),
    .text(
      "warmstart.behaviours", \.warmstart.behaviours, lengthMax: 200, .frozen,
      "Policies that act while the teacher labels, comma-separated: teacher, random, round_robin, lor, lor_full, lot."),
    .integer(
      "warmstart.episodes", \.warmstart.episodes, 1...10_000, unit: "episodes", .frozen,
      "Episodes of each behaviour policy in each scenario."),
    .integer(
      "warmstart.episode_decisions", \.warmstart.episodeDecisions, 1...100_000, unit: "decisions", .frozen, "Decisions of such an episode."),
    .real(
      "warmstart.label_smoothing", \.warmstart.labelSmoothing, .below(0, 1), .frozen,
      "Share of the uniform distribution in a target; the rest is uniform over the teacher's best replicas."),
    .integer("warmstart.epochs", \.warmstart.epochs, 1...10_000, unit: "epochs", .frozen, "Passes over the demonstrations at most."),
    .integer(
      "warmstart.batch_size", \.warmstart.batchSize, 1...65_536, unit: "samples", .frozen, "Samples of an optimizer step of cloning."),
    .integer(
      "warmstart.sequence_length", \.warmstart.sequenceLength, 1...4096, unit: "decisions", .frozen,
      "Consecutive decisions that the gradient of cloning follows the recurrence over."),
    .real("warmstart.learning_rate", \.warmstart.learningRate, .above(0, 1), .frozen, "Learning rate of cloning."),
    .real("warmstart.weight_decay", \.warmstart.weightDecay, .closed(0, 1), .frozen, "Decoupled weight decay of matrices in cloning."),
    .real(
      "warmstart.max_grad_norm", \.warmstart.maxGradNorm, .above(0, 1e9), .frozen, "Limit of the gradient's norm in cloning."),
    .real(
      "warmstart.validation_share", \.warmstart.validationShare, .above(0, 0.9), unit: "", .frozen,
      "Share of the episodes that cloning keeps for validation."),
    .integer(
      "warmstart.patience", \.warmstart.patience, 1...10_000, unit: "epochs", .frozen,
      "Epochs without a lower validation loss after which cloning ends."),
    .integer(
      "warmstart.normalizer_count_max", \.warmstart.normalizerCountMax, 1...1_000_000_000, unit: "samples", .frozen,
      "Samples that the statistics of observations out of a model count as at most, so that they can adapt."),
  ]
}

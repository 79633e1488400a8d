/// Which environment the policy is trained in.
public enum EnvironmentKind: String, CaseIterable, Sendable {
  /// Routing of requests to the replicas of an inference cluster.
  case routing
  /// The cart-pole task.
  case cartpole
}

/// What is trained, and for how long.
public struct RunSection: Equatable, Sendable {
  /// Seed of every random stream.
  public var seed = 1
  /// Environment.
  public var environment = EnvironmentKind.routing
  /// Decisions of the whole run.
  public var totalRequests = 400_000
  /// Decisions of a chunk.
  public var chunkSize = 50_000
  /// Logical environments over the whole run.
  public var numEnvs = 8

  static let fields: [Field] = [
    .integer("run.seed", \.run.seed, 0...Int.max, .frozen, "Seed that every random stream of the run is derived from."),
    .choice("run.environment", \.run.environment, .frozen, "What the policy is trained in: the request router or the cart-pole task."),
    .integer(
      "run.total_requests", \.run.totalRequests, 1...1_000_000_000_000, unit: "decisions", .growing,
      "Decisions of the whole run over all environments; a greater value on a resume appends chunks."),
    .integer(
      "run.chunk_size", \.run.chunkSize, 1...1_000_000_000, unit: "decisions", .frozen,
      "Decisions of one chunk over all environments; the last chunk takes what is left."),
    .integer(
      "run.num_envs", \.run.numEnvs, 1...4096, unit: "environments", .frozen,
      "Logical environments of the run, shared out over however many ranks there are."),
  ]
}

/// How samples are collected.
public struct RolloutSection: Equatable, Sendable {
  /// Decisions of one environment between two updates.
  public var length = 128
  /// Decisions with uniform actions before the first update.
  public var stabilizationDecisions = 200

  static let fields: [Field] = [
    .integer(
      "rollout.length", \.rollout.length, 1...65_536, unit: "decisions", .frozen, "Decisions of each environment between two updates."),
    .integer(
      "rollout.stabilization_decisions", \.rollout.stabilizationDecisions, 0...1_000_000_000, unit: "decisions", .frozen,
      "Decisions over all environments with uniformly random actions at the start of a fresh run, for the statistics alone."),
  ]
}

/// When and how much is saved.
public struct CheckpointSection: Equatable, Sendable {
  /// Decisions between two checkpoints.
  public var interval = 16_384
  /// Checkpoints kept.
  public var maxCheckpoints = 5
  /// Seconds over which a chunk end that cannot be saved is tried again.
  public var retrySeconds = 60
  /// Whether saves inside a chunk are written while training goes on.
  public var asynchronous = true

  static let fields: [Field] = [
    .integer(
      "checkpoint.interval", \.checkpoint.interval, 1...1_000_000_000_000, unit: "decisions", .free,
      "A checkpoint is due when the step count crosses a multiple of this, and at every chunk end."),
    .integer(
      "checkpoint.max_checkpoints", \.checkpoint.maxCheckpoints, 1...100_000, unit: "files", .free,
      "Checkpoints that rotation keeps, besides the ones that the progress file, latest.pt and best.pt name."),
    .integer(
      "checkpoint.retry_seconds", \.checkpoint.retrySeconds, 0...86_400, unit: "s", .free,
      "Time over which the end of a chunk is tried again when the disk is full or away; then the job ends with code 74."),
    .boolean(
      "checkpoint.asynchronous", \.checkpoint.asynchronous, .free,
      "Whether checkpoints inside a chunk are written by a thread of their own while training goes on; the files are the same."),
  ]
}

/// How a model from elsewhere is used.
public enum ExternalMode: String, CaseIterable, Sendable {
  /// PPO goes on from it at once.
  case direct
  /// Behaviour cloning tunes it on demonstrations first.
  case finetune
}

/// What the user asked for about the beginning of a job.
public struct StartRequest: Equatable, Sendable {
  /// By name.
  public var mode: StartMode
  /// Path of a model from elsewhere.
  public var externalModel: String?
  /// How it is used.
  public var externalMode: ExternalMode
  /// Path of a checkpoint whose learner a new run takes over.
  public var forkFrom: String?
  /// Name of the checkpoint of this run to resume from; nil = the newest.
  public var resumeFrom: String?
  /// Whether a model that cannot be used leads to a fresh start and not to an error.
  public var allowsFreshStart: Bool

  /// A request.
  public init(
    mode: StartMode = .auto, externalModel: String? = nil, externalMode: ExternalMode = .direct, forkFrom: String? = nil,
    resumeFrom: String? = nil, allowsFreshStart: Bool = false
  ) {
    self.mode = mode
    self.externalModel = externalModel
    self.externalMode = externalMode
    self.forkFrom = forkFrom
    self.resumeFrom = resumeFrom
    self.allowsFreshStart = allowsFreshStart
  }

  /// What contradicts itself, with the flags to choose from; nil if nothing does.
  public var contradiction: String? {
    if let forkFrom {
      if externalModel != nil { return "--fork-from and --external-pretrain both name what the run begins with: give one" }
      if mode != .auto { return "--fork-from \(forkFrom) begins a new run of its own kind: leave out --start \(mode.rawValue)" }
    }
    if externalModel != nil, mode == .fresh || mode == .warmstart {
      return
        "--start \(mode.rawValue) does not use the model of --external-pretrain: choose --start external (that model), --start \(mode.rawValue) "
        + "without it, or --start resume"
    }
    if externalModel == nil, mode == .external { return "--start external needs --external-pretrain PATH" }
    if resumeFrom != nil, mode != .resume { return "--resume PATH excludes --start \(mode.rawValue)" }
    return nil
  }
}

/// What a start knows when it decides. Nothing of it is read from the clock or by chance.
struct StartFacts: Equatable {
  var request: StartRequest
  /// The run directory, for messages.
  var directory = "run"
  /// Whether the directory holds something to resume, whatever state that is in.
  var holdsRun = false
  /// Whether it has a progress file, of whatever kind.
  var hasProgress = false
  /// Why it holds none, for the log.
  var emptyReason = ""
  /// What its run began with, if that is known.
  var origin: RunOrigin?
  /// SHA-256 of the model or checkpoint that the request names; nil if it cannot be read.
  var namedSHA256: String?
  /// Whether the configuration asks for a warm start of runs that begin under `auto`.
  var warmStarts = false
  /// This batch job.
  var job: String?
  /// Whether somebody sits at a terminal.
  var canAsk = false
}

/// How a job begins. A function of the facts alone.
enum StartDecision: Equatable {
  /// Go on with the run in the directory.
  case resume
  /// Begin a run; what the directory holds is moved aside.
  case begin(StartKind, mode: ExternalMode? = nil, reason: String)
  /// Ask the user.
  case ask

  /// Decides.
  ///
  /// - Throws: `TrainingError` with `.usage`, naming the flags, for what contradicts itself or could be meant in two ways.
  init(_ facts: StartFacts) throws(TrainingError) {
    let request = facts.request
    if let contradiction = request.contradiction { throw TrainingError(.usage, contradiction) }
    switch request.mode {
    case .resume: self = .resume
    case .fresh: self = Self.explicit(.fresh, facts)
    case .warmstart: self = Self.explicit(.warmstart, facts)
    case .external: self = Self.explicit(.external, facts)
    case .auto: self = try Self.automatic(facts)
    }
  }

  /// Asked for by name. A job that the batch system starts again is still the job that began the run, and goes on with it.
  private static func explicit(_ kind: StartKind, _ facts: StartFacts) -> StartDecision {
    if facts.holdsRun, let job = facts.job, facts.origin?.job == job, facts.origin?.kind == kind { return .resume }
    return .begin(kind, mode: kind == .external ? facts.request.externalMode : nil, reason: "asked for")
  }

  private static func automatic(_ facts: StartFacts) throws(TrainingError) -> StartDecision {
    let request = facts.request
    if let path = request.forkFrom {
      if !facts.holdsRun { return .begin(.fork, reason: facts.emptyReason) }
      if isOrigin(.fork, path, facts) { return .resume }
      throw TrainingError(
        .usage,
        "\(facts.directory) holds a run that was not forked from \(path): choose another --output-dir, --start resume (that run) or --start fresh "
          + "in place of --fork-from")
    }
    if let path = request.externalModel {
      if !facts.holdsRun { return .begin(.external, mode: request.externalMode, reason: facts.emptyReason) }
      if isOrigin(.external, path, facts), facts.origin?.externalMode == request.externalMode { return .resume }
      if facts.canAsk { return .ask }
      throw TrainingError(
        .usage,
        "\(facts.directory) holds a run that did not begin with \(path) (\(request.externalMode.rawValue)): choose --start resume (go on with the run), "
          + "--start external (move it aside and begin with the model) or another --output-dir")
    }
    if facts.holdsRun { return .resume }
    return .begin(facts.warmStarts ? .warmstart : .fresh, reason: facts.emptyReason)
  }

  private static func isOrigin(_ kind: StartKind, _ path: String, _ facts: StartFacts) -> Bool {
    guard let origin = facts.origin, origin.kind == kind else { return false }
    return origin.path == path || (origin.fileSHA256 != nil && origin.fileSHA256 == facts.namedSHA256)
  }
}

/// The question to a user at a terminal, and the answers by name.
enum StartQuestion {
  enum Answer: String, CaseIterable {
    case resume, direct, finetune, quit
  }

  /// Most questions in a row.
  static let attemptsMax = 20

  static func text(_ facts: StartFacts) -> String {
    """
    \(facts.directory) holds a run, and --external-pretrain names \(facts.request.externalModel ?? "").
      resume    go on with the run, without the model
      direct    move the run aside, begin with the model
      finetune  move the run aside, tune the model by behaviour cloning, begin with the result
      quit      do nothing
    Choice [resume/direct/finetune/quit]:
    """
  }
}

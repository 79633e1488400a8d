import Checkpoint
import FileStore
import Hashing
import Neural
import RunConfig

extension StartKind {
  /// How the first line of the log begins.
  var label: String {
    switch self {
    case .fresh: "[Fresh]"
    case .warmstart: "[Warmstart]"
    case .external: "[External]"
    case .fork: "[Fork]"
    }
  }
}

/// Runs that begin at step 0, and the facts that a start decides by.
extension RunStarter {
  // MARK: Deciding

  /// The decision on what the directory holds now. Reads and changes nothing.
  func decision() throws(TrainingError) -> StartDecision { try StartDecision(try facts()) }

  /// What a start knows.
  func facts() throws(TrainingError) -> StartFacts {
    var facts = StartFacts(request: request, directory: directory.root)
    let present = try? files.list(directory.checkpoints).filter { CheckpointFile.step(inName: $0) != nil }
    facts.holdsRun = !(present ?? []).isEmpty
    facts.emptyReason = "no run in \(directory.root)"
    do throws(TrainingError) {
      if let progress = try choice.progress() {
        facts.hasProgress = true
        if !facts.holdsRun { facts.emptyReason = "the run in \(directory.root) ended before its first checkpoint" }
        facts.holdsRun = facts.holdsRun || progress.latestCheckpoint != nil
      }
    } catch {
      // It may stand for a run; resuming says what is wrong with it.
      (facts.hasProgress, facts.holdsRun) = (true, true)
    }
    if facts.holdsRun { facts.origin = origin() }
    if facts.holdsRun, let path = request.forkFrom ?? request.externalModel {
      facts.namedSHA256 = (try? files.read(path, limit: CheckpointStore.sizeLimit)).map { SHA256.hash($0).hex }
    }
    facts.warmStarts = record.configuration.warmstart.enabled
    facts.job = services.job
    facts.canAsk = services.ask != nil && worldSize == 1 && services.job == nil
    return facts
  }

  /// What `run.json` tells about the run's beginning; nil if it tells nothing.
  private func origin() -> RunOrigin? {
    guard let bytes = try? files.read(directory.identity, limit: 1 << 20),
      let identity = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self), name: directory.identity)
    else { return nil }
    return RunOrigin(identity: identity)
  }

  /// Asks the user until an answer is one of those offered.
  ///
  /// - Returns: nil if nothing is to be done.
  func ask(_ facts: StartFacts) throws(TrainingError) -> StartDecision? {
    for _ in 0..<StartQuestion.attemptsMax {
      guard let line = services.ask?(StartQuestion.text(facts)) else { break }
      switch StartQuestion.Answer(rawValue: line.filter { $0 != " " }.lowercased()) {
      case .resume: return .resume
      case .direct: return .begin(.external, mode: .direct, reason: "chosen at the terminal")
      case .finetune: return .begin(.external, mode: .finetune, reason: "chosen at the terminal")
      case .quit: return nil
      case nil: continue
      }
    }
    throw TrainingError(.usage, "no answer: choose --start resume or --start external")
  }

  // MARK: Beginning

  /// A run that begins. The file it comes from is read and compared with the network before anything is moved.
  ///
  /// - Parameter isOccupied: whether the directory holds a run that has to make room.
  func begin(
    _ kind: StartKind, mode: ExternalMode?, reason: String, isOccupied: Bool, fencing: UInt64
  ) throws(TrainingError) -> RunStart {
    var source: StartSource?
    var failure: TrainingError?
    do throws(TrainingError) {
      source = try openSource(kind)
    } catch {
      guard request.allowsFreshStart, kind != .fork else { throw error }
      failure = error
    }
    var start = fresh(failure == nil ? kind : .fresh, fencing: fencing, reason: failure == nil ? reason : "--allow-fresh-start")
    start.movesAside = isOccupied
    if !isOccupied, let earlier = try choice.progress() {
      start.carryFruitlessStarts(of: earlier)
    }
    if let failure { start.announcement = "[Warning] \(failure.message)\n[Warning] beginning from drawn parameters\n" + start.announcement }
    guard let source else { return start }
    start.source = source
    let digest = SHA256.hash(source.bytes)
    start.origin?.path = source.path
    start.origin?.fileSHA256 = digest.hex
    start.announcement += " model=\(source.path) sha256=\(digest.hex)"
    if let mode {
      start.origin?.externalMode = mode
      start.announcement += " mode=\(mode.rawValue)"
    }
    if source.isFork {
      let contents = try CheckpointFailure.wrap { () throws(CheckpointError) in
        try CheckpointFile.decode(bytes: source.bytes, name: source.path)
      }.contents
      start.origin?.forkedRunID = contents.runID
      start.origin?.forkedStep = contents.step
      start.announcement += " run=\(contents.runID) step=\(contents.step)"
    }
    return start
  }

  /// Reads the file that a run of this kind begins from, if it needs one, and checks that it fits.
  private func openSource(_ kind: StartKind) throws(TrainingError) -> StartSource? {
    let path: String
    switch kind {
    case .fresh: return nil
    case .warmstart:
      path = record.configuration.warmstart.model
      if path.isEmpty { return nil }
    case .external:
      guard let model = request.externalModel else { throw TrainingError(.usage, "--start external needs --external-pretrain PATH") }
      path = model
    case .fork:
      guard let checkpoint = request.forkFrom else { preconditionFailure("a fork names its checkpoint") }
      path = checkpoint
    }
    let bytes = try FileFailure.wrap { () throws(FileError) in try files.read(path, limit: CheckpointStore.sizeLimit) }
    let source = StartSource(path: path, isFork: kind == .fork, bytes: bytes)
    if kind == .fork {
      _ = try ForkedLearner(record: record, network: network).global(of: source)
    } else {
      var unused = network.initialParameters(seed: 0)
      _ = try StartingModel(bytes: bytes, path: path).load(
        into: &unused, of: network, observationNames: record.slotNames,
        normalizerCountMax: record.configuration.warmstart.normalizerCountMax)
    }
    return source
  }
}

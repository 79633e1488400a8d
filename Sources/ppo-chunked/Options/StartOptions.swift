import ArgumentParser
import Foundation
import Training

/// How a job begins, by name and by the aliases that the predecessor's users know.
struct StartOptions: ParsableArguments {
  @Option(
    help: """
      auto (resume if the directory holds this run, else external if a model is given, else warmstart if the configuration asks for it, else fresh), \
      resume, warmstart, external or fresh. The last three move an old run aside.
      """)
  var start: StartMode?
  @Option(help: "Same as --start resume; latest, or a checkpoint of this run, which newer ones make room for.")
  var resume: String?
  @Flag(help: "Same as --start warmstart.")
  var forceWarmstart = false
  @Option(help: "Pretrained actor for a warm start, as pretrain writes it; a run that begins is then warm-started.")
  var pretrainedActor: String?
  @Option(help: "Model to begin with: a pretrained actor, a checkpoint, or a file of the predecessor.")
  var externalPretrain: String?
  @Option(help: "direct (train from the model) or finetune (tune it by behaviour cloning first).")
  var externalMode: ExternalMode?
  @Option(help: "Checkpoint whose learner (parameters, optimizer, statistics) a new run takes over, at step 0 of a new plan.")
  var forkFrom: String?
  @Flag(help: "If the model cannot be used, begin from drawn parameters and say so, instead of ending with an error.")
  var allowFreshStart = false

  /// Keys that these options set.
  var overrides: [String] {
    guard let pretrainedActor else { return [] }
    return ["warmstart.enabled=true", "warmstart.model=\(Self.absolute(pretrainedActor))"]
  }

  /// The request, for a run in `outputDirectory` (absolute).
  ///
  /// - Throws: `TrainingError` with `.usage`, naming the flags that contradict each other.
  func request(outputDirectory: String) throws(TrainingError) -> StartRequest {
    var modes: [(flag: String, mode: StartMode)] = []
    if let start { modes.append(("--start \(start.rawValue)", start)) }
    if resume != nil { modes.append(("--resume", .resume)) }
    if forceWarmstart { modes.append(("--force-warmstart", .warmstart)) }
    guard modes.allSatisfy({ $0.mode == modes[0].mode }) else {
      throw TrainingError(.usage, "\(modes.map(\.flag).joined(separator: " and ")) exclude each other: give one")
    }
    if externalMode != nil, externalPretrain == nil { throw TrainingError(.usage, "--external-mode needs --external-pretrain PATH") }
    if pretrainedActor != nil, externalPretrain != nil {
      throw TrainingError(.usage, "--pretrained-actor (warm start) and --external-pretrain (external) both name a model: give one")
    }
    return StartRequest(
      mode: modes.first?.mode ?? .auto, externalModel: externalPretrain.map(Self.absolute), externalMode: externalMode ?? .direct,
      forkFrom: forkFrom.map(Self.absolute), resumeFrom: try checkpointName(outputDirectory), allowsFreshStart: allowFreshStart)
  }

  /// The checkpoint of this run that --resume names; nil for the newest.
  private func checkpointName(_ outputDirectory: String) throws(TrainingError) -> String? {
    guard let resume, resume != "latest" else { return nil }
    let url = URL(fileURLWithPath: resume).resolvingSymlinksInPath()
    let home = URL(fileURLWithPath: RunDirectory(root: outputDirectory).checkpoints).resolvingSymlinksInPath()
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw TrainingError(.missingInput, "\(resume): no such checkpoint (--resume)")
    }
    guard url.deletingLastPathComponent().path == home.path else {
      throw TrainingError(
        .usage,
        "\(resume) is no checkpoint of \(outputDirectory): choose --output-dir (the run it belongs to), --fork-from (a new run from it) or "
          + "--external-pretrain (its model alone)")
    }
    return url.lastPathComponent
  }

  /// `path` from the root of the file system, so that the same file has the same name in every job. Asks the file system for nothing: every rank
  /// does this.
  static func absolute(_ path: String) -> String { URL(filePath: path, directoryHint: .notDirectory).standardized.path }

  /// `--resume` may stand alone; the parser wants a value.
  static func completed(_ arguments: [String]) -> [String] {
    var result: [String] = []
    for (index, argument) in arguments.enumerated() {
      result.append(argument)
      guard argument == "--resume" else { continue }
      if index + 1 == arguments.count || arguments[index + 1].hasPrefix("-") { result.append("latest") }
    }
    return result
  }
}

extension StartMode: ExpressibleByArgument {}
extension ExternalMode: ExpressibleByArgument {}

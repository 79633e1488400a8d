/// Names inside a run directory. Everything of a run is below `root`; recorded paths are relative to it, so a run can be moved.
public struct RunDirectory: Equatable, Sendable {
  /// The directory given by the user, without a trailing slash.
  public let root: String

  /// - Parameter root: absolute or relative path.
  public init(root: String) {
    var trimmed = root
    while trimmed.count > 1 && trimmed.hasSuffix("/") { trimmed.removeLast() }
    self.root = trimmed
  }

  /// Checkpoints and `latest.pt`.
  public var checkpoints: String { root + "/checkpoints" }
  /// The record of chunks and attempts.
  public var progress: String { root + "/training_progress.json" }
  /// The configuration in force, every key written out.
  public var resolvedConfiguration: String { root + "/config.resolved.json" }
  /// Identity of the run: id, program, start.
  public var identity: String { root + "/run.json" }
  /// The actor that behaviour cloning made for this run.
  public var pretrainedActor: String { root + "/pretrained_actor.pt" }
  /// The lock of the one writer.
  public var lock: String { root + "/run.lock" }
  /// A file that people make to stop the job; it is removed when that was done.
  public var stopFile: String { root + "/STOP" }
  /// Logs, and every wall-clock figure.
  public var logs: String { root + "/logs" }
  /// The log of all attempts.
  public var trainingLog: String { logs + "/ppo_training.log" }
  /// Durations of iterations and saves.
  public var timing: String { logs + "/timing.jsonl" }
  /// Records that are equal byte for byte however often a run was interrupted.
  public var metrics: String { root + "/metrics" }

  /// The log of one attempt at one chunk, relative to the root.
  public static func chunkLog(chunk: Int, attempt: Int) -> String { "logs/chunk_\(chunk).attempt\(attempt).log" }
}

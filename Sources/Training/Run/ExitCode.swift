/// The contract with the batch system. docs/operating.md holds the same table for people.
public enum ExitCode: Int32, CaseIterable, Sendable {
  /// Everything asked for is done.
  case finished = 0
  /// What was compared differs.
  case differs = 1
  /// Unknown option, key or value.
  case usage = 64
  /// Bad input data, no valid checkpoint, or a corrupt progress file.
  case badData = 65
  /// A named input does not exist.
  case missingInput = 66
  /// A message passing call failed.
  case ranksFailed = 69
  /// A defect of the program, or training that diverged.
  case internalError = 70
  /// The output directory cannot be used: not writable, or held by a live run.
  case outputUnusable = 73
  /// Reading or writing failed: disk full, quota, device.
  case inputOutput = 74
  /// Stopped cleanly with work left: requeue.
  case stopped = 75
  /// Configuration, input or program differs from the recorded one.
  case mismatch = 78
}

/// How a job begins.
public enum StartMode: String, CaseIterable, Sendable {
  /// Resume if the run directory holds a run, else fresh.
  case auto
  /// Resume, or fail if there is nothing to resume.
  case resume
  /// From step 0; a run that the directory holds is moved aside, never overwritten.
  case fresh
}

/// What rank 0 decided at start and tells the others.
enum StartDecision {
  /// From step 0.
  case fresh
  /// From this verified checkpoint.
  case resume(name: String, bytes: [UInt8])
  /// Every chunk is complete.
  case finished
}

/// How a job begins.
public enum StartMode: String, CaseIterable, Sendable {
  /// Resume if the run directory holds a run, else fresh.
  case auto
  /// Resume, or fail if there is nothing to resume.
  case resume
  /// From step 0; a run that the directory holds is moved aside, never overwritten.
  case fresh
}

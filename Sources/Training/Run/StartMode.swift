/// What becomes of a job whose resume fails because of what it found.
public enum ResumeErrorPolicy: String, CaseIterable, Sendable {
  /// It ends with an error and changes nothing.
  case fail
  /// It moves the run aside and begins at step 0, and says so.
  case fresh
}

/// How a job begins.
public enum StartMode: String, CaseIterable, Sendable {
  /// Resume if the run directory holds a run, else fresh.
  case auto
  /// Resume, or fail if there is nothing to resume.
  case resume
  /// From step 0; a run that the directory holds is moved aside, never overwritten.
  case fresh
}

/// What becomes of a job whose resume fails because of what it found.
public enum ResumeErrorPolicy: String, CaseIterable, Sendable {
  /// It ends with an error and changes nothing.
  case fail
  /// It moves the run aside and begins at step 0, and says so.
  case fresh
}

/// How a job begins.
public enum StartMode: String, CaseIterable, Sendable {
  /// Resume if the run directory holds this run; else external if a model is given; else a warm start if the configuration asks for it; else fresh.
  case auto
  /// Resume, or fail if there is nothing to resume.
  case resume
  /// From step 0 with an actor that behaviour cloning made.
  case warmstart
  /// From step 0 with a model from elsewhere.
  case external
  /// From step 0; a run that the directory holds is moved aside, never overwritten.
  case fresh
}

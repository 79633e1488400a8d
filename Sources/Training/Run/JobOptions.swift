/// What one job is asked to do, besides the configuration.
public struct JobOptions: Equatable, Sendable {
  /// The run directory.
  public var outputDirectory: String
  /// How to begin.
  public var start: StartRequest
  /// What happens if a run is there and cannot be gone on with.
  public var onResumeError: ResumeErrorPolicy
  /// Chunks this job works on before it stops; nil = all.
  public var maxChunks: Int?
  /// Seconds that a live owner of the directory is waited for under a batch system.
  public var lockWaitSeconds: Double
  /// Seconds after which an owner on another host whose counter stands still is taken for dead.
  public var lockLeaseSeconds: Double
  /// Moments at which the job has to stop.
  public var deadlines: [StopDeadline]
  /// What the user should do about how the job was started; written to the log after the decision.
  public var hints: [String]
  /// Whether a run that failed several times without a new durable step is tried again.
  public var retry = false
  /// Whether the decision is all that is asked for.
  public var isDryRun = false

  /// A job on `outputDirectory`.
  public init(
    outputDirectory: String, start: StartMode = .auto, request: StartRequest? = nil, onResumeError: ResumeErrorPolicy = .fail,
    maxChunks: Int? = nil, lockWaitSeconds: Double = 600, lockLeaseSeconds: Double = 60, deadlines: [StopDeadline] = [],
    hints: [String] = []
  ) {
    self.outputDirectory = outputDirectory
    self.start = request ?? StartRequest(mode: start)
    self.onResumeError = onResumeError
    self.maxChunks = maxChunks
    self.lockWaitSeconds = lockWaitSeconds
    self.lockLeaseSeconds = lockLeaseSeconds
    self.deadlines = deadlines
    self.hints = hints
  }
}

import FileStore

/// What the process lends the training loop: clock, signals, identity and a voice. Nothing of it enters a result.
public struct RunServices {
  /// Seconds on a monotonic clock. Also asked by the checkpoint writer.
  public var monotonicSeconds: @Sendable () -> Double
  /// Waits about so many seconds; false when a stop was asked for.
  public var wait: (Double) -> Bool
  /// ISO-8601 UTC now, to the second. Also asked by the checkpoint writer.
  public var timestamp: @Sendable () -> String
  /// Why this process should stop, nil to go on. Polled once per decision and minibatch.
  public var stopRequested: () -> StopReason?
  /// Whether somebody asked, since the last call, for the last boundary to be saved before it is due. Polled like `stopRequested`.
  public var saveRequested: () -> Bool
  /// One line for people, written to the console and the log by rank 0.
  public var log: (String) -> Void
  /// Asks the user at a terminal and returns the line typed, nil at its end; nil if nobody is there to ask.
  public var ask: ((String) -> String?)?
  /// This process, for the lock and the record of an attempt.
  public var process: ProcessIdentity
  /// Batch job, if there is one.
  public var job: String?
  /// How often the batch system has started the job again, if it tells.
  public var restarts: Int?
  /// Version of the program, for the record.
  public var programVersion: String
  /// Host name.
  var host: String { process.host }
  /// Identity of a fresh run.
  public var newRunID: () -> String

  /// All of them.
  public init(
    monotonicSeconds: @escaping @Sendable () -> Double, wait: @escaping (Double) -> Bool, timestamp: @escaping @Sendable () -> String,
    stopRequested: @escaping () -> StopReason?, saveRequested: @escaping () -> Bool = { false },
    log: @escaping (String) -> Void, process: ProcessIdentity, job: String?, restarts: Int? = nil, programVersion: String,
    newRunID: @escaping () -> String
  ) {
    self.monotonicSeconds = monotonicSeconds
    self.wait = wait
    self.timestamp = timestamp
    self.stopRequested = stopRequested
    self.saveRequested = saveRequested
    self.log = log
    self.process = process
    self.job = job
    self.restarts = restarts
    self.programVersion = programVersion
    self.newRunID = newRunID
  }
}

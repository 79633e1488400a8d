import FileStore

extension RunStarter {
  /// Failed starts without a new durable step after which a run is not tried again by itself.
  static let fruitlessStartsMax = 3

  /// Why.
  static let fruitlessMessage =
    "\(fruitlessStartsMax) starts in a row failed without a new durable step; find out why, then start once with --retry"

  /// Refuses a run whose last starts all failed in vain, so that a batch system does not requeue it for ever. The reason goes into the progress file.
  ///
  /// Starts that were stopped, killed, or failed after a stop signal do not count.
  func checkProgress(_ progress: inout Progress, retry: Bool, claim: LockClaim) throws(TrainingError) {
    if retry { progress.fruitlessStarts = 0 }
    guard progress.fruitlessStarts >= Self.fruitlessStartsMax else { return }
    let last = progress.errorMessage ?? "no reason recorded"
    if !last.hasPrefix(Self.fruitlessMessage) { progress.errorMessage = Self.fruitlessMessage + "; the last failure: " + last }
    progress.status = .failed
    progress.lastUpdate = services.timestamp()
    try LockFailure.wrap { () throws(RunLockError) in try claim.verifyOwnership() }
    try FileFailure.wrap { () throws(FileError) in try publisher.replace(directory.progress, progress.fileBytes) }
    throw TrainingError(.internalError, progress.errorMessage ?? Self.fruitlessMessage)
  }
}

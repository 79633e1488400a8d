import FileStore

/// Saves: when they are due, who waits for them, and what happens when one fails.
///
/// A save inside a chunk runs on the writer while training goes on; the next due one waits for it, so the set of files is that of a run that saves
/// in place. The first save, chunk ends and stops are waited for. A failure surfaces at the next boundary: one that may pass (disk full,
/// quota, server away) is said and tried again later with the state of then, any other ends the job.
extension RunKeeper {
  /// First pause between two tries to save a chunk's end; each further one is twice as long.
  static let firstPauseSeconds = 0.125

  /// Whether a boundary at `step` that follows one at `previous` must be saved: the step crossed a multiple of the interval.
  func isSaveDue(step: Int, previous: Int) -> Bool { step / interval != previous / interval }

  /// At every boundary inside a chunk: takes in what became of the last save and begins the next one if it is due.
  func passBoundary(_ state: BoundaryState, previous: Int) throws(TrainingError) {
    if let outcome = thread.take() { try take(outcome) }
    // The best policy so far is worth a file of its own.
    let isBest = state.global.bestEvaluation?.step == state.global.step
    let isDue =
      retry.isWaiting ? retry.isDue(now: services.monotonicSeconds()) : isBest || isSaveDue(step: state.global.step, previous: previous)
    guard isDue else { return }
    // The stall of the save before, as far as it is this one that waits.
    try settle()
    begin(state, isChunkEnd: false)
  }

  /// Begins to save the last boundary, unless it is durable or being saved, because somebody asked for it.
  func saveEarly(_ state: BoundaryState) throws(TrainingError) {
    guard lastSavedStep != state.global.step else { return }
    try settle()
    guard lastSavedStep != state.global.step else { return }
    begin(state, isChunkEnd: false)
  }

  /// Saves at once and returns when the state is durable: the first save of a run, which fails now and not hours later.
  func saveFirst(_ state: BoundaryState) throws(TrainingError) {
    begin(state, isChunkEnd: false)
    let outcome = try wait()
    if case .failure(let failure) = outcome.result { throw failure.trainingError }
    try take(outcome)
  }

  /// Saves the end of a chunk, several times if need be, and returns when it is durable.
  func saveChunkEnd(_ state: BoundaryState) throws(TrainingError) {
    try settle()
    var tries = 0
    var waited = 0.0
    while true {
      begin(state, isChunkEnd: true)
      let outcome = try wait()
      tries += 1
      guard case .failure(let failure) = outcome.result else { return try take(outcome) }
      guard failure.isPassing else { throw failure.trainingError }
      let message = self.message(of: failure, outcome)
      let seconds = min(Self.firstPauseSeconds * Double(1 << min(tries - 1, 30)), Double(retrySeconds) - waited)
      guard seconds > 0 else {
        throw TrainingError(.inputOutput, "the end of chunk \(state.global.chunk) could not be saved in \(tries) tries: \(message)")
      }
      waited += seconds
      log.write("[Warning] \(message); the chunk's end waits, next try in \(seconds) s")
      guard try pause(seconds) else {
        throw TrainingError(.inputOutput, "stopped while the end of chunk \(state.global.chunk) could not be saved: \(message)")
      }
    }
  }

  /// Saves the last boundary before a stop unless it is durable; a full disk does not hold the stop up, because the newest checkpoint is enough.
  func saveStop(_ state: BoundaryState) throws(TrainingError) {
    try settle()
    guard lastSavedStep != state.global.step else { return }
    begin(state, isChunkEnd: false)
    try take(try wait())
  }

  /// Waits for the save in flight, if there is one, and takes in what became of it.
  func settle() throws(TrainingError) {
    guard thread.isBusy else { return }
    try take(try wait())
  }

  // MARK: Parts

  private func begin(_ state: BoundaryState, isChunkEnd: Bool) {
    let started = services.monotonicSeconds()
    let job = SaveJob(
      state: state, isChunkEnd: isChunkEnd, progress: progress, batch: batch, chunkClock: chunkClock, fencing: lock.fencing, plan: plan)
    batch = MetricsBatch()
    thread.start { job.run() }
    stallSeconds = services.monotonicSeconds() - started
  }

  /// Waits for the outcome while the lock is kept alive.
  private func wait() throws(TrainingError) -> SaveJob.Outcome {
    let started = services.monotonicSeconds()
    defer { stallSeconds += services.monotonicSeconds() - started }
    while true {
      if let outcome = thread.take(waiting: Self.heartbeatSeconds / 4) { return outcome }
      try heartbeat()
    }
  }

  /// Takes in an outcome; throws what cannot pass.
  private func take(_ outcome: SaveJob.Outcome) throws(TrainingError) {
    progress = outcome.progress
    time("save", step: outcome.step, seconds: outcome.seconds, stall: stallSeconds)
    switch outcome.result {
    case .success(let digest):
      lastSavedStep = outcome.step
      retry.succeeded()
      log.write("[Checkpoint] saved \(progress.latestCheckpoint ?? "") step=\(outcome.step) state_sha256=\(digest.hex)")
    case .failure(let failure):
      guard failure.isPassing else { throw failure.trainingError }
      let seconds = retry.failed(now: services.monotonicSeconds())
      log.write("[Warning] \(message(of: failure, outcome)); training goes on, next try after \(Int(seconds)) s")
    }
  }

  /// Waits `seconds` and keeps the lock alive; false when a stop was asked for.
  private func pause(_ seconds: Double) throws(TrainingError) -> Bool {
    var left = seconds
    while left > 0 {
      try heartbeat()
      guard services.wait(min(left, 1)) else { return false }
      left -= 1
    }
    return true
  }

  private func message(of failure: SaveFailure, _ outcome: SaveJob.Outcome) -> String {
    let size = outcome.bytes > 0 ? " of \(outcome.bytes) bytes" : ""
    return "checkpoint\(size) at step \(outcome.step) could not be saved: \(failure.trainingError.message)"
  }
}

import Ranks

extension Communicator {
  /// Ends a phase that can fail on some rank: one rank's failure is everyone's, so that nobody waits for a rank that gave up.
  ///
  /// - Throws: `TrainingError` of the lowest rank that failed, the same on every rank; `.ranksFailed` if the ranks cannot talk.
  public func agree(_ body: () throws(TrainingError) -> Void) throws(TrainingError) {
    var failure: TrainingError?
    do throws(TrainingError) {
      try body()
    } catch {
      failure = error
    }
    if let agreed = try agreedFailure(failure) { throw agreed }
  }

  /// The failure of the lowest rank that has one, the same on every rank; nil if none has. Every rank calls it with its own.
  func agreedFailure(_ own: TrainingError?) throws(TrainingError) -> TrainingError? {
    let agreement = try RanksFailure.wrap { () throws(RanksError) in try agree(own?.code.rawValue ?? 0, message: own?.message ?? "") }
    guard agreement.code != 0 else { return nil }
    let prefix = agreement.rank == 0 ? "" : "rank \(agreement.rank): "
    return TrainingError(ExitCode(rawValue: agreement.code) ?? .internalError, prefix + agreement.message)
  }

  /// `agree` for what rank 0 alone does, such as all work on the shared file system.
  ///
  /// - Returns: the result on rank 0, nil elsewhere.
  public func agreeOnRankZero<Value>(_ body: () throws(TrainingError) -> Value) throws(TrainingError) -> Value? {
    var value: Value?
    try agree { () throws(TrainingError) in
      if rank == 0 { value = try body() }
    }
    return value
  }
}

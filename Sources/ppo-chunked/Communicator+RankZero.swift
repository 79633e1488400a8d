import Ranks
import Training

extension Communicator {
  /// The result of `work`, which rank 0 alone does: the other ranks do not touch the shared file system. They get nil.
  ///
  /// - Throws: `TrainingError` of `work` on every rank.
  func onRankZero<Result>(_ work: () throws(TrainingError) -> Result) throws(TrainingError) -> Result? {
    var result: Result?
    var failure: TrainingError?
    if rank == 0 {
      do throws(TrainingError) {
        result = try work()
      } catch {
        failure = error
      }
    }
    let agreement: Agreement
    do throws(RanksError) {
      agreement = try agree(failure?.code.rawValue ?? 0, message: failure?.message ?? "")
    } catch {
      throw TrainingError(.ranksFailed, error.description)
    }
    guard agreement.code == 0 else {
      throw TrainingError(ExitCode(rawValue: agreement.code) ?? .internalError, agreement.message)
    }
    return result
  }
}

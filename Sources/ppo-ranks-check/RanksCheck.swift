import Glibc
import MPIRanks
import Ranks

/// Runs the communicator contract under a launcher: `mpirun -n 4 ppo-ranks-check [--fail]`.
///
/// Exit codes: 0 the contract holds, 70 it does not, 69 MPI failed, 64 usage. `--fail` makes the last rank abort in front of a
/// collective in which the others wait; a launcher that works ends the whole job with 70.
@main
enum RanksCheck {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.allSatisfy({ $0 == "--fail" }) else {
      complain("usage: ppo-ranks-check [--fail]")
      exit(64)
    }
    do {
      exit(try check(failing: !arguments.isEmpty))
    } catch {
      complain("\(error)")
      exit(69)
    }
  }

  /// Returns the exit code, the same on all ranks.
  private static func check(failing: Bool) throws(RanksError) -> Int32 {
    let session = try MPISession()
    let ranks = session.communicator
    let code: Int32
    do throws(RanksError) {
      code = try checkContract(ranks, failing: failing)
    } catch {
      // Said before the session ends the job for all ranks.
      complain("\(error)")
      throw error
    }
    try session.finalize()
    return code
  }

  private static func checkContract(_ ranks: MPICommunicator, failing: Bool) throws(RanksError) -> Int32 {
    if failing {
      if ranks.rank == ranks.size - 1 { ranks.abort(code: 70) }
      try ranks.barrier()
    }
    let violations = try checkCommunicator(ranks)
    for violation in violations { complain("rank \(ranks.rank): \(violation)") }
    let agreement = try ranks.agree(violations.isEmpty ? 0 : 70, message: violations.first ?? "")
    if ranks.rank == 0 { print(agreement.code == 0 ? "contract holds on \(ranks.size) ranks" : "contract violated") }
    return agreement.code
  }

  /// Writes one line to standard error, in one call so that lines of several ranks do not mix.
  private static func complain(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}

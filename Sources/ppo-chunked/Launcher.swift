import Foundation
import MPIRanks

/// How this process was started.
enum Launcher {
  /// Whether a launcher (mpirun, srun) started it as one of several ranks.
  static var isPresent: Bool { MPILauncher.isPresent(environment: ProcessInfo.processInfo.environment) }

  /// Rank according to the launcher's variables, before MPI is up; 0 without a launcher.
  static var rank: Int {
    let environment = ProcessInfo.processInfo.environment
    let value = environment["OMPI_COMM_WORLD_RANK"] ?? environment["PMIX_RANK"] ?? environment["SLURM_PROCID"] ?? "0"
    return Int(value) ?? 0
  }

  /// The batch job this process belongs to, as "system id".
  static var job: String? {
    let environment = ProcessInfo.processInfo.environment
    for (variable, system) in [("SLURM_JOB_ID", "slurm"), ("PBS_JOBID", "pbs"), ("LSB_JOBID", "lsf"), ("JOB_ID", "sge")] {
      if let id = environment[variable] { return "\(system) \(id)" }
    }
    return nil
  }
}

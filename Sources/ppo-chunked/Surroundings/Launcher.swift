import Foundation
import MPIRanks

/// How this process was started.
enum Launcher {
  /// Whether a launcher (mpirun, srun) started it as one of several ranks.
  static var isPresent: Bool { MPILauncher.isPresent(environment: ProcessInfo.processInfo.environment) }

  /// Path of a program as the shell would find it.
  static func find(_ name: String) -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return path.split(separator: ":").map { $0 + "/" + name }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Rank according to the launcher's variables, before MPI is up; 0 without a launcher.
  static var rank: Int {
    let environment = ProcessInfo.processInfo.environment
    let value = environment["OMPI_COMM_WORLD_RANK"] ?? environment["PMIX_RANK"] ?? environment["SLURM_PROCID"] ?? "0"
    return Int(value) ?? 0
  }

  /// Seconds since 1970 at which the batch system will end this job, if it tells.
  static var jobEnd: Double? { ProcessInfo.processInfo.environment["SLURM_JOB_END_TIME"].flatMap(Double.init) }

  /// How often the batch system has started this job again, if it tells.
  static var restarts: Int? {
    let environment = ProcessInfo.processInfo.environment
    for name in ["SLURM_RESTART_COUNT", "RESTARTED", "LSB_JOB_RESTARTED"] {
      if let count = environment[name].flatMap(Int.init) { return count }
    }
    return environment["SLURM_JOB_ID"] == nil ? nil : 0
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

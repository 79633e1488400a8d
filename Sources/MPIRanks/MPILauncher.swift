/// Whether a launcher started this process as one of several ranks.
///
/// Without one MPI need not be started at all, which saves half a second and a helper process.
public enum MPILauncher {
  /// Variables that launchers set for each rank: Open MPI's mpirun, PMIx (also through srun), PMI-1 and PMI-2.
  static let variables = ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMIX_NAMESPACE", "PMI_RANK", "PMI_SIZE"]

  /// True if `environment` carries a launcher's variables, or those of a Slurm step with more than one task.
  ///
  /// A batch script itself runs with `SLURM_JOB_ID` and no step variables of `srun`; it counts as a single process.
  public static func isPresent(environment: [String: String]) -> Bool {
    if variables.contains(where: { environment[$0]?.isEmpty == false }) { return true }
    guard environment["SLURM_STEP_ID"] != nil, environment["SLURM_PROCID"] != nil else { return false }
    return Int(environment["SLURM_STEP_NUM_TASKS"] ?? "1").map { $0 > 1 } ?? false
  }
}

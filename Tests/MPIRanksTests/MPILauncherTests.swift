import MPIRanks
import Testing

@Suite("Launcher detection")
struct MPILauncherTests {
  @Test(
    "variables of launchers are recognised",
    arguments: [
      ["OMPI_COMM_WORLD_SIZE": "4"], ["PMIX_RANK": "0"], ["PMI_RANK": "1"],
      ["SLURM_STEP_ID": "0", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2"],
    ])
  func present(environment: [String: String]) {
    #expect(MPILauncher.isPresent(environment: environment))
  }

  @Test(
    "a plain shell, a batch script and a step of one task are single processes",
    arguments: [
      [:], ["HOME": "/root"], ["SLURM_JOB_ID": "7", "SLURM_PROCID": "0"], ["PMIX_RANK": ""],
      ["SLURM_STEP_ID": "0", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"],
    ])
  func absent(environment: [String: String]) {
    #expect(!MPILauncher.isPresent(environment: environment))
  }
}

import Foundation
import Testing

@testable import ppo_chunked

/// The scripts under `cluster/`, their copies in the program, and what `job-script` makes of them.
@Suite("Job scripts")
struct JobScriptTests {
  private static let names = [
    ("slurm", "cluster/slurm/train.sbatch"), ("slurmChain", "cluster/slurm/chain.sbatch"), ("sge", "cluster/sge/train.sh"),
    ("pbs", "cluster/pbs/train.pbs"), ("lsf", "cluster/lsf/train.bsub"), ("kubernetes", "cluster/kubernetes/mpijob.yaml"),
  ]
  private static let file = "Sources/ppo-chunked/JobScripts/JobScriptTemplate+Files.swift"

  /// The Swift file that the scripts make.
  private func generated() throws -> String {
    var text = """
      // swift-format-ignore-file
      // Made from the files under cluster/ by `UPDATE_GOLDEN=1 swift test --filter JobScriptTests`.

      extension JobScriptTemplate {

      """
    for (name, path) in Self.names {
      let script = try String(contentsOf: ProgramRun.root.appendingPathComponent(path), encoding: .utf8)
      text += "  /// `\(path)`\n  static let \(name) = JobScriptTemplate(path: \"\(path)\", text: ##\"\"\"\n\(script)\n\"\"\"##)\n\n"
    }
    return String(text.dropLast()) + "}\n"
  }

  @Test("the program holds the files under cluster/ as they are")
  func embedded() throws {
    let url = ProgramRun.root.appendingPathComponent(Self.file)
    let expected = try generated()
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" { try expected.write(to: url, atomically: true, encoding: .utf8) }
    #expect(try String(contentsOf: url, encoding: .utf8) == expected, "UPDATE_GOLDEN=1 swift test --filter JobScriptTests, then build")
    for template in [JobScriptTemplate.slurm, .slurmChain, .sge, .pbs, .lsf, .kubernetes] {
      #expect(template.text == (try String(contentsOf: ProgramRun.root.appendingPathComponent(template.path), encoding: .utf8)))
    }
  }

  private func settings(_ system: BatchSystem, chain: Bool = false) -> JobScriptSettings {
    JobScriptSettings(
      system: system, isChain: chain, nodes: 3, ranksPerNode: 2, time: TimeSpan(seconds: 9000), queue: "short", account: "proj",
      jobName: "night", launcher: "srun", program: "/opt/my programs/ppo-chunked", outputDirectory: "/data/it's here", maxChunks: 2,
      scratch: "/fast disk/$USER",
      arguments: ["--trace", "a b.csv", "--set=run.seed=3"])
  }

  @Test("every given value stands in the script, and nothing else has changed", arguments: BatchSystem.allCases)
  func filled(system: BatchSystem) {
    for chain in system == .slurm ? [false, true] : [false] {
      let settings = settings(system, chain: chain)
      let (before, after) = (settings.template.text.split(separator: "\n"), settings.text.split(separator: "\n"))
      #expect(before.count == after.count)
      let changed = zip(before, after).filter { $0 != $1 }.map { String($1) }
      let expected = settings.fillings.map(\.line)
      #expect(changed.allSatisfy(expected.contains), "\(changed)")
      #expect(expected.allSatisfy { settings.text.contains($0 + "\n") })
    }
  }

  @Test("resources in the words of each system")
  func resources() {
    let expected: [(BatchSystem, [String])] = [
      (.slurm, ["#SBATCH --nodes=3", "#SBATCH --ntasks-per-node=2", "#SBATCH --time=02:30:00", "#SBATCH --partition=short"]),
      (.sge, ["#$ -pe mpi 6", "#$ -l h_rt=02:30:00", "PPO_TIME=02:30:00", "#$ -q short"]),
      (.pbs, ["#PBS -l select=3:ncpus=2:mpiprocs=2", "#PBS -l walltime=02:30:00", "PPO_TIME=02:30:00", "#PBS -q short"]),
      (.lsf, ["#BSUB -n 6", "#BSUB -W 02:30", "#BSUB -R \"span[ptile=2]\"", "#BSUB -q short"]),
      (.kubernetes, ["  slotsPerWorker: 2", "      replicas: 3", "                  value: \"6\"", "  name: night"]),
    ]
    for (system, lines) in expected {
      let text = settings(system).text
      for line in lines { #expect(text.contains("\n" + line + "\n"), "\(system): \(line)") }
    }
    #expect(settings(.pbs).text.contains("\nPPO_OUTPUT_DIR='/data/it'\\''s here'\n"))
    #expect(settings(.pbs).text.contains("\nPPO_SCRATCH=\"/fast disk/$USER\"\n"))
    #expect(JobScriptSettings.expanding("/a'b") == "'/a'\\''b'" && JobScriptSettings.expanding("$A/`b\"") == "\"$A/\\`b\\\"\"")
    #expect(settings(.pbs).text.contains("\nPPO_ARGUMENTS=(--trace 'a b.csv' --set=run.seed=3)\n"))
  }

  @Test("the command refuses what the job would refuse, with 64")
  func refusals() throws {
    let good = try ProgramRun("job-script", "slurm", "--nodes", "2", "--time", "4:00:00", "--", "--total-requests", "1000")
    #expect(good.code == 0 && good.output.contains("#SBATCH --ntasks-per-node=4\n") && good.output.contains("(--total-requests 1000)"))
    #expect(try ProgramRun("job-script", "slurm", "--nodes", "2", "--ranks-per-node", "8").code == 64)
    #expect(try ProgramRun("job-script", "slurm", "--nodes", "2", "--ranks-per-node", "8", "--", "--num-envs", "16").code == 0)
    #expect(try ProgramRun("job-script", "slurm", "--", "--total-request", "5").code == 64)
    #expect(try ProgramRun("job-script", "condor").code == 64)
    #expect(try ProgramRun("job-script", "pbs", "--chain").code == 64)
    #expect(try ProgramRun("job-script", "slurm", "--queue", "a;rm").code == 64)
    #expect(try ProgramRun("job-script", "slurm", "--scratch", "here").code == 64)
    #expect(try ProgramRun("job-script", "kubernetes", "--scratch", "/scratch").code == 64)
    #expect(try ProgramRun("job-script", "slurm", "--scratch", "$TMP/a").output.contains("\nPPO_SCRATCH=\"$TMP/a\"\n"))
  }

  @Test("every script is a program of bash")
  func syntax() throws {
    for system in BatchSystem.allCases where system != .kubernetes {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/bash")
      process.arguments = ["-n", "/dev/stdin"]
      let pipe = Pipe()
      process.standardInput = pipe
      try process.run()
      pipe.fileHandleForWriting.write(Data(settings(system).text.utf8))
      try pipe.fileHandleForWriting.close()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "\(system)")
    }
  }
}

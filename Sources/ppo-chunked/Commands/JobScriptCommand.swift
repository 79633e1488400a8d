import ArgumentParser
import Foundation
import Training

/// Prints a batch script.
struct JobScriptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "job-script", abstract: "Prints a batch script that trains until the run is complete: slurm, sge, pbs, lsf or kubernetes.",
    discussion: """
      The script is one of those under cluster/, with the given values in its block to edit. Options of train follow after --.

        ppo-chunked job-script slurm --nodes 2 --time 4:00:00 --output-dir runs/a -- --trace trace.csv > train.sbatch
        sbatch train.sbatch
      """)

  @Argument(help: "Batch system: slurm, sge, pbs, lsf or kubernetes.")
  var system: BatchSystem
  @Flag(help: "Slurm: one link of a chain (job array or --dependency=singleton) instead of a job that requeues itself.")
  var chain = false
  @Option(help: "Nodes.")
  var nodes = 1
  @Option(help: "Ranks of a node, one core each; as many as the run has environments for by default.")
  var ranksPerNode: Int?
  @Option(help: "Time limit of the job (\(TimeSpan.forms)).")
  var time: TimeSpan?
  @Option(name: [.long, .customLong("partition")], help: "Queue or partition.")
  var queue: String?
  @Option(help: "Slurm: account.")
  var account: String?
  @Option(help: "Name of the job.")
  var jobName: String?
  @Option(help: "Slurm: mpirun or srun.")
  var launcher: String?
  @Option(help: "Slurm, with --chain: chunks of one link.")
  var maxChunks: Int?
  @Option(help: "Path of the program on the nodes; this one by default.")
  var program: String?
  @Option(help: "Run directory on a file system that all nodes see.")
  var outputDir: String?
  @Option(help: "Folder on each node for Open MPI's temporary files; may name variables of the job, such as '/scratch/$SLURM_JOB_ID'.")
  var scratch: String?
  @Argument(parsing: .postTerminator, help: "Options of ppo-chunked train.")
  var arguments: [String] = []

  func validate() throws {
    if let launcher, !["mpirun", "srun"].contains(launcher) {
      throw ValidationError("--launcher is \(launcher), allowed are mpirun and srun")
    }
    if nodes < 1 || ranksPerNode ?? 1 < 1 { throw ValidationError("--nodes and --ranks-per-node must be 1 or more") }
    if let time, time.seconds < 60 { throw ValidationError("--time is \(time), allowed is a minute or more") }
    if chain, system != .slurm { throw ValidationError("--chain is for slurm") }
    if scratch != nil, system == .kubernetes { throw ValidationError("--scratch is for batch systems: /tmp of a pod is its own") }
    if let scratch, !scratch.hasPrefix("/"), !scratch.hasPrefix("$") {
      throw ValidationError("--scratch is \(scratch), allowed is an absolute path")
    }
    if maxChunks ?? 1 < 1 { throw ValidationError("--max-chunks must be 1 or more") }
    for text in [queue, account, jobName] {
      if let text, !text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_-.,@".contains($0)) }) || text.isEmpty {
        throw ValidationError("\"\(text)\" is no name: letters, digits and _-.,@ are allowed")
      }
    }
  }

  func run() throws {
    // What the job would refuse is refused here.
    let train: TrainCommand
    do {
      train = try TrainCommand.parse(arguments)
    } catch {
      throw TrainingError(.usage, "options of train: \(TrainCommand.message(for: error))")
    }
    let environments = try train.options.load().run.numEnvs
    let perNode = ranksPerNode ?? max(1, environments / nodes)
    guard nodes * perNode <= environments else {
      throw TrainingError(
        .usage,
        "\(nodes) nodes with \(perNode) ranks each are more than the \(environments) environments of the run (run.num_envs); fewer ranks, or "
          + "-- --num-envs \(nodes * perNode)")
    }
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    let directory = outputDir ?? (system == .kubernetes ? "/data/runs/a" : "outputs/" + system.rawValue)
    let settings = JobScriptSettings(
      system: system, isChain: chain, nodes: nodes, ranksPerNode: perNode, time: time, queue: queue, account: account, jobName: jobName,
      launcher: launcher, program: program ?? own, outputDirectory: directory, maxChunks: maxChunks, scratch: scratch,
      arguments: arguments)
    Console.write(settings.text.hasSuffix("\n") ? String(settings.text.dropLast()) : settings.text)
  }
}

extension BatchSystem: ExpressibleByArgument {}

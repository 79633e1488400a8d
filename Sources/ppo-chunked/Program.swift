import ArgumentParser
import ExactMath
import FileStore
import Foundation
import Hashing
import MPIRanks
import Training

/// The program: subcommands over the libraries, and the only place that owns arguments, signals, clock, standard output and exit.
@main
struct Program: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ppo-chunked",
    abstract: "Trains a policy that routes requests to the replicas of an LLM inference cluster, in chunks that survive any kill.",
    discussion: """
      Without a subcommand: train with the built-in configuration into outputs/default. Run the same command again after a stop, a kill or a
      requeue: it goes on where the last durable checkpoint is and ends with the same bits.

        mpirun -n 8 ppo-chunked train --output-dir runs/a --trace trace.csv
        ppo-chunked status --output-dir runs/a
        ppo-chunked compare --policies ckpt:runs/a,random,lor_full
      """,
    version: ProgramVersion.text,
    subcommands: [
      TrainCommand.self, StatusCommand.self, InspectCommand.self, DiffCommand.self, CompareCommand.self, ConfigCommand.self,
      VerifyResumeCommand.self, InferCommand.self, ExportCommand.self, VerifyCommand.self, RepairCommand.self,
      JobScriptCommand.self, DoctorCommand.self, SimulateCommand.self, CollectCommand.self, PretrainCommand.self,
    ],
    defaultSubcommand: TrainCommand.self)

  static func main() {
    _ = ProcessServices.startSeconds
    if ProcessInfo.processInfo.environment["PPO_CHUNKED_KERNELS"] == "portable" { KernelSelection.select(portable: true) }
    // Reads the whole program file, so it is not made at every start.
    if CommandLine.arguments.dropFirst() == ["--version"] { return Console.write(ProgramVersion.details) }
    do {
      var command = try parseAsRoot(StartOptions.completed(Array(CommandLine.arguments.dropFirst())))
      try command.run()
    } catch let error as TrainingError {
      Console.fail(error)
    } catch {
      // Arguments are the same on all ranks, so one of them speaks.
      if Launcher.rank == 0 { exit(withError: error) }
      Foundation.exit(exitCode(for: error).rawValue)
    }
  }
}

/// What the program calls itself.
enum ProgramVersion {
  static let text = "0.1.0"

  /// SHA-256 of the program file, in hex: the identity of a build. Reads the file once.
  static let build =
    (try? POSIXFileSystem().read("/proc/self/exe", limit: 1 << 30)).map { SHA256.hash($0).hex } ?? "unknown"

  /// What `--version` prints: version, build, and the MPI library that it runs with.
  static var details: String {
    "\(text)\nbuild \(build.prefix(16)), determinism \(determinismVersion)\n\(MPILibrary.version)"
  }
}

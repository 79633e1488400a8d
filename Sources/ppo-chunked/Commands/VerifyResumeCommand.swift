import ArgumentParser
import CProcess
import Foundation
import RunConfig
import Training

/// The first promise, proved on the machine of whoever asks.
struct VerifyResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-resume",
    abstract: "Stops, kills and resumes runs on 1 to 8 ranks and shows that all end with the same bits.",
    discussion: """
      Starts jobs of this program one after another, with mpirun for more than one rank: undisturbed ones, a chain of clean stops with another
      number of ranks at each link, runs killed with -9 at drawn moments, and one job per chunk. Compares state_sha256 and every metrics file
      with those of an undisturbed run on one rank. Exit codes: 0 all agree, 1 something differs.
      """)

  @Option(help: "Configuration file; without it a small built-in one that takes seconds a run.")
  var config: String?
  @Option(name: .customLong("set"), help: "Override one key: key.path=value. May be repeated.")
  var overrides: [String] = []
  @Option(help: "Runs that are killed, each one to three times.")
  var kills = 3
  @Option(help: "Comma-separated numbers of ranks.")
  var ranks = "1,2,4,8"
  @Option(help: "Seed of moments and victims of the kills (not of the training).")
  var seed = 1
  @Flag(help: "Also run with the portable kernels, which are slow.")
  var portable = false
  @Option(help: "Seconds that one job may take.")
  var jobSeconds = 3600.0
  @Option(help: "Directory for the runs, new or empty; kept. By default a temporary one that is removed if all agree.")
  var outputDir: String?

  /// What the built-in configuration changes: three chunks, saves inside and at the end of chunks.
  private static let small = [
    "run.total_requests=12000", "run.chunk_size=4000", "run.num_envs=8", "rollout.length=32", "rollout.stabilization_decisions=40",
    "cluster.num_replicas=2", "workload.qps=6", "observation.queue_slots=2", "network.hidden=16", "network.gru_layers=1",
    "network.projection=32", "ppo.epochs=2", "ppo.minibatch_size=32", "ppo.learning_rate_warmup_opt_steps=10",
    "ppo.entropy_warmup_opt_steps=50", "checkpoint.interval=512", "checkpoint.max_checkpoints=3",
  ]

  func validate() throws {
    if kills < 0 { throw ValidationError("--kills is \(kills), allowed 0 or more") }
    if seed < 0 { throw ValidationError("--seed is \(seed), allowed 0 or more") }
    if !(jobSeconds > 0) { throw ValidationError("--job-seconds is \(jobSeconds), allowed above 0") }
    if Launcher.isPresent { throw ValidationError("verify-resume starts mpirun itself: run it without a launcher") }
  }

  func run() throws {
    let configuration = try loadConfiguration()
    let counts = try rankCounts(environments: configuration.run.numEnvs)
    let launcher = Launcher.find("mpirun")
    let usable = counts.filter { $0 == 1 || launcher != nil }
    let status = cprocess_install_signal_handlers()
    guard status == 0 else { throw TrainingError(.internalError, "signal handlers: errno \(status)") }
    let directory = try makeDirectory()
    let file = directory + "/configuration.json"
    guard FileManager.default.createFile(atPath: file, contents: Data(configuration.resolvedText().utf8)) else {
      throw TrainingError(.outputUnusable, "\(file): cannot be made")
    }

    Console.write(
      "\(configuration.run.totalRequests) decisions in chunks of \(configuration.run.chunkSize), \(configuration.run.numEnvs) environments, "
        + "kill seed \(seed), in \(directory)")
    if usable != counts {
      Console.write("skipped: \(counts.filter { $0 > 1 }.map(String.init).joined(separator: ", ")) ranks, there is no mpirun in PATH")
    }
    if !portable { Console.write("skipped: portable kernels, --portable asks for them") }
    Console.write(ProofRow.heading)
    let proof = ResumeProof(
      setup: ProofSetup(
        directory: directory, configuration: file, launcher: launcher, environment: Self.childEnvironment, jobSeconds: jobSeconds),
      total: configuration.run.totalRequests, counts: usable.isEmpty ? [1] : usable, kills: kills, seed: UInt64(seed),
      isPortableTried: portable)
    let differing: [String]
    do {
      differing = try proof.run { Console.write($0.line) }
    } catch {
      throw TrainingError(error.code, error.message + "\nThe runs are in \(directory)")
    }
    for run in differing { Console.write("different: ppo-chunked diff \(directory)/reference \(run)") }
    guard differing.isEmpty else { Foundation.exit(Training.ExitCode.differs.rawValue) }
    Console.write("all agree")
    if outputDir == nil { try? FileManager.default.removeItem(atPath: directory) }
  }

  private func loadConfiguration() throws -> Configuration {
    let arguments = (config.map { ["--config", $0] } ?? []) + (config == nil ? Self.small + overrides : overrides).map { "--set=" + $0 }
    let configuration = try ConfigurationOptions.parse(arguments).load()
    _ = try RunInputs.readFiles(configuration)
    return configuration
  }

  private func rankCounts(environments: Int) throws -> [Int] {
    let words = ranks.split(separator: ",", omittingEmptySubsequences: false)
    return try words.map { word in
      guard let count = Int(word), 1...environments ~= count else {
        throw TrainingError(.usage, "--ranks: \"\(word)\" is not allowed, 1 ... \(environments) (run.num_envs), separated by commas")
      }
      return count
    }
  }

  /// A new directory that nothing else uses.
  private func makeDirectory() throws -> String {
    let path = outputDir ?? FileManager.default.temporaryDirectory.path + "/ppo-chunked-proof-\(UUID().uuidString.lowercased())"
    if let present = try? FileManager.default.contentsOfDirectory(atPath: path), !present.isEmpty {
      throw TrainingError(.outputUnusable, "\(path): is not empty")
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw TrainingError(.outputUnusable, "\(path): cannot be made")
    }
    return path
  }

  /// The environment of the jobs: as root Open MPI wants to be told twice; with more ranks than cores it has to share them and to yield
  /// while it waits.
  private static var childEnvironment: [String: String] {
    var environment = ProcessInfo.processInfo.environment
    var additions = ["OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_mpi_yield_when_idle": "1"]
    if geteuid() == 0 {
      additions["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
      additions["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    }
    environment.merge(additions) { own, _ in own }
    return environment
  }
}

import ArgumentParser
import CProcess
import Environments
import ExactMath
import FileStore
import Foundation
import MPIRanks
import Ranks
import RunConfig
import ServingEnv
import ServingSim
import Training

/// The main job.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains in chunks; run again after a stop or a kill, it goes on by itself.",
    discussion: "Exit codes: 0 finished, 75 stopped with work left (requeue), others in docs/operating.md.")

  @OptionGroup var options: ConfigurationOptions
  @Option(help: "Run directory; everything of a run is inside.")
  var outputDir = "outputs/default"
  @Option(help: "Stop with code 75 after this many chunks.")
  var maxChunks: Int?
  @Option(help: "fail, or fresh: if the run in the directory cannot be gone on with, move it aside and begin at step 0.")
  var onResumeError = ResumeErrorPolicy.fail
  @Option(help: "Seconds to wait for another job's lock under a batch system.")
  var lockWait = 600.0
  @Option(help: "Seconds after which a silent owner on another host is taken for dead; at least 1, in earnest at least 20.")
  var lockLease = 60.0

  @OptionGroup var starts: StartOptions
  @Flag(help: "Try again a run that failed several times without a new durable step.")
  var retry = false
  @Flag(help: "Print how the job would begin, its plan and what it needs on the disk; write nothing.")
  var dryRun = false

  @OptionGroup var stops: StopOptions

  func validate() throws {
    if let maxChunks, maxChunks < 1 { throw ValidationError("--max-chunks is \(maxChunks), allowed 1 or more") }
    guard lockWait >= 0 else { throw ValidationError("--lock-wait is \(lockWait), allowed 0 or more") }
    guard lockLease >= 1 else { throw ValidationError("--lock-lease is \(lockLease), allowed 1 or more") }
  }

  func run() throws {
    guard FloatingPointEnvironment.isDefault() else {
      throw TrainingError(.internalError, "the floating-point control word is not the default one")
    }
    let deadlines = stops.deadlines
    let status = cprocess_install_signal_handlers()
    guard status == 0 else { throw TrainingError(.internalError, "signal handlers: errno \(status)") }
    guard Launcher.isPresent else {
      Foundation.exit(stops.status(work(SingleRank(), deadlines)))
    }
    let session: MPISession
    do {
      session = try MPISession()
    } catch {
      throw TrainingError(.ranksFailed, "MPI_Init: \(error)")
    }
    guard FloatingPointEnvironment.isDefault() else {
      throw TrainingError(.internalError, "MPI_Init changed the floating-point control word")
    }
    let code = work(session.communicator, deadlines)
    if code == .ranksFailed { session.communicator.abort(code: code.rawValue) }
    do {
      try session.finalize()
    } catch {
      throw TrainingError(.ranksFailed, "MPI_Finalize: \(error)")
    }
    Foundation.exit(stops.status(code))
  }

  /// Runs the job; rank 0 says what failed.
  private func work<C: Communicator>(_ communicator: C, _ deadlines: [StopDeadline]) -> Training.ExitCode {
    do throws(TrainingError) {
      return try train(communicator, deadlines)
    } catch {
      if communicator.rank == 0 || error.code == .ranksFailed { Console.writeError("ppo-chunked: \(error.message)") }
      return error.code
    }
  }

  private func train<C: Communicator>(_ communicator: C, _ deadlines: [StopDeadline]) throws(TrainingError) -> Training.ExitCode {
    // One rank has nobody to differ from.
    let world = communicator.size > 1 ? try World.meet(communicator) : nil
    var options = options
    options.overrides = starts.overrides + options.overrides
    let directory = StartOptions.absolute(outputDir)
    // Only rank 0 decides how the run begins.
    let request =
      try communicator.agreeOnRankZero { () throws(TrainingError) -> StartRequest in try starts.request(outputDirectory: directory) }
      ?? StartRequest()
    let inputs = try RunInputs.read(options, communicator)
    var job = JobOptions(
      outputDirectory: directory, request: request, onResumeError: onResumeError, maxChunks: maxChunks, lockWaitSeconds: lockWait,
      lockLeaseSeconds: lockLease, deadlines: deadlines, hints: world?.hints ?? [])
    job.retry = retry
    job.isDryRun = dryRun
    var services = ProcessServices.make()
    if isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 { services.ask = Console.ask }
    switch inputs.configuration.run.environment {
    case .routing:
      return try TrainingJob(
        options: job, configuration: inputs.configuration, prototype: try inputs.routingEnvironment(), inputs: inputs.files,
        communicator: communicator, files: POSIXFileSystem(), services: services,
        collector: DemonstrationCollector(inputs.configuration, routing: try inputs.routingConfiguration())
      ).run()
    case .cartpole:
      return try TrainingJob(
        options: job, configuration: inputs.configuration, prototype: CartPole(), inputs: inputs.files, communicator: communicator,
        files: POSIXFileSystem(), services: services
      ).run()
    }
  }
}

extension ResumeErrorPolicy: ExpressibleByArgument {}

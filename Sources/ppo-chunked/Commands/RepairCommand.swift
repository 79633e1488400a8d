import ArgumentParser
import FileStore
import Training

/// A lost or damaged progress file, made anew.
struct RepairCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair", abstract: "Makes a lost or damaged progress file anew from the checkpoints of the run.",
    discussion: """
      Takes the lock of the run: 73 if a job holds it. A damaged file is kept beside the new one. A whole one is left alone. Numbers of attempts and
      recorded changes of keys are lost; times come from logs/timing.jsonl. Exit codes: 0 done, 65 no checkpoint of the run is whole, nothing was changed.
      """)

  @Argument(help: "Run directory.")
  var directory: String
  @Option(help: "Which run, if the checkpoints are of several and run.json is lost too.")
  var runId: String?

  func run() throws {
    let services = ProcessServices.make()
    let run = RunDirectory(root: directory)
    let publisher = AtomicPublish(files: POSIXFileSystem(), host: services.process.host, pid: services.process.pid)
    switch try RunRepair(directory: run, publisher: publisher, services: services).run(runID: runId) {
    case .nothingToDo: Console.write("\(run.progress) is whole, nothing to do")
    case .rebuilt(let progress, let checkpoint, let kept):
      if let kept { Console.write("the damaged file is now \(kept)") }
      Console.write(
        "\(run.progress) made anew from \(checkpoint): run \(progress.runID), \(progress.completedChunks) of \(progress.plan.chunkCount) chunks, "
          + "step \(progress.latestStep) of \(progress.plan.total)")
    }
  }
}

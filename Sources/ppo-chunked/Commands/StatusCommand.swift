import ArgumentParser
import FileStore
import Foundation
import RunConfig
import Training

/// Reads a run directory without MPI and without its lock.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows where a run stands: chunk, step, time left, last durable checkpoint, why it stopped.")

  @Option(help: "Run directory.")
  var outputDir = "outputs/default"
  @Flag(help: "Print the progress file's content, with derived figures, as JSON.")
  var json = false

  func run() throws {
    let directory = RunDirectory(root: outputDir)
    guard let data = FileManager.default.contents(atPath: directory.progress) else {
      throw TrainingError(.missingInput, "\(directory.progress): no such file; is \(outputDir) a run directory?")
    }
    let progress: Training.Progress
    do {
      progress = try Progress(parsing: [UInt8](data), file: directory.progress)
    } catch {
      throw TrainingError(.badData, "\(error)")
    }
    if json {
      var value = progress.json
      value["next_chunk"] = progress.nextChunk.map { .integer($0) } ?? .null
      value["remaining_seconds"] = progress.remainingSeconds.map { .number($0) } ?? .null
      Console.write(value.text())
    } else {
      print(progress)
    }
  }

  private func print(_ progress: Training.Progress) {
    Console.write("run         \(progress.runID)")
    Console.write("status      \(progress.status.rawValue)" + (progress.stopReason.map { " (\($0))" } ?? ""))
    if let error = progress.errorMessage { Console.write("error       \(error)") }
    Console.write("chunks      \(progress.completedChunks) of \(progress.plan.chunkCount)")
    Console.write("step        \(progress.latestStep) of \(progress.plan.total) durable")
    Console.write("checkpoint  \(progress.latestCheckpoint ?? "none")")
    if let digest = progress.latestStateSHA256 { Console.write("state       \(digest)") }
    Console.write("attempts    \(progress.attempts)")
    Console.write("updated     \(progress.lastUpdate)")
    let remaining = progress.status == .completed ? "0s" : progress.remainingSeconds.map(Console.duration) ?? "unknown"
    Console.write("remaining   \(remaining)")
    for chunk in progress.chunks.suffix(5) {
      Console.write(
        "  chunk \(chunk.chunk): \(chunk.status.rawValue), attempt \(chunk.attempt), \(chunk.requests) requests, "
          + "\(Console.duration(chunk.seconds)), \(chunk.worldSize) ranks on \(chunk.host)")
    }
  }
}

import ArgumentParser
import Checkpoint
import FileStore
import Foundation
import RunConfig
import Training

/// Whether files are what was written, without MPI and without a lock.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Checks every byte of a checkpoint, or all files of a run directory.",
    discussion: """
      A run directory: every checkpoint, the links, the progress file, run.json, and whether the metrics hold what the checkpoint counts on from which a
      resume would begin, which is named. Exit codes: 0 all are whole, 65 something is not, 66 nothing is there.
      """)

  @Argument(help: "Checkpoint file, run directory, or directory of checkpoints.")
  var path: String
  @Flag(help: "Print as JSON.")
  var json = false

  func run() throws {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw TrainingError(.missingInput, "\(path): no such file or directory")
    }
    guard isDirectory.boolValue else { return try verifyFile() }
    let identity = ProcessIdentity.current()
    let publisher = AtomicPublish(files: POSIXFileSystem(), host: identity.host, pid: identity.pid)
    let directory = RunDirectory(root: path)
    let isRun = [directory.checkpoints, directory.progress].contains { FileManager.default.fileExists(atPath: $0) }
    let verification =
      isRun
      ? try RunVerification(run: directory, publisher: publisher) : try RunVerification(checkpoints: directory.root, publisher: publisher)
    guard !verification.items.isEmpty else {
      throw TrainingError(.missingInput, "\(path): neither a run directory nor a directory of checkpoints")
    }
    if json { Console.write(Self.json(verification).text()) } else { Self.lines(verification).forEach(Console.write) }
    if !verification.isWhole { Foundation.exit(Training.ExitCode.badData.rawValue) }
  }

  private func verifyFile() throws {
    switch try CheckpointArgument(path: path).content() {
    case .checkpoint(let loaded):
      if json {
        let value: JSONValue = [
          "whole": true, "file": .string(path), "step": .integer(loaded.contents.step), "run_id": .string(loaded.contents.runID),
          "state_sha256": .string(loaded.stateDigest.hex),
        ]
        Console.write(value.text())
      } else {
        Console.write("\(path)  whole  step \(loaded.contents.step), state_sha256 \(loaded.stateDigest.hex)")
      }
    case .reference:
      throw TrainingError(
        .badData,
        "\(path): a file of another program without checksums: its CRC-32s are right, more cannot be said; infer and export read it")
    }
  }

  private static func lines(_ verification: RunVerification) -> [String] {
    let width = verification.items.map(\.file.count).max() ?? 0
    var lines = verification.items.map { item in
      let name = item.file + String(repeating: " ", count: width - item.file.count)
      return item.problem.map { "\(name)  INVALID  \($0)" } ?? "\(name)  whole    \(item.content)"
    }
    if let file = verification.resumesFrom { lines.append("a resume takes \(file)") }
    if let note = verification.resumeNote { lines.append(verification.resumesFrom == nil ? "a resume is refused: \(note)" : note) }
    return lines
  }

  private static func json(_ verification: RunVerification) -> JSONValue {
    let items = verification.items.map { item -> JSONValue in
      [
        "file": .string(item.file), "whole": .boolean(item.problem == nil), "problem": item.problem.map { .string($0) } ?? .null,
        "content": .string(item.content),
      ]
    }
    return [
      "whole": .boolean(verification.isWhole), "resumes_from": verification.resumesFrom.map { .string($0) } ?? .null,
      "note": verification.resumeNote.map { .string($0) } ?? .null, "files": .array(items),
    ]
  }
}

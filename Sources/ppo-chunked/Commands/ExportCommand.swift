import ArgumentParser
import Checkpoint
import FileStore
import Foundation
import RunConfig
import TorchFormat
import Training

/// Files for other programs: parameters as safetensors, metrics as CSV.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a checkpoint's parameters as safetensors, or a run's metrics as CSV.",
    discussion: """
      The safetensors file has the tensors of model_state_dict; its metadata has step, run_id, state_sha256, the configuration and the statistics of the
      observations (normalizer, as JSON). The CSV file has one line a record and one column a field, in the order of their first appearance.
      """)

  @Argument(help: "Checkpoint file, or a run directory (its newest checkpoint, its metrics).")
  var path: String
  @Option(help: "File to write the parameters to.")
  var safetensors: String?
  @Option(help: "File to write the metrics to; needs a run directory.")
  var csv: String?
  @Option(help: "Which metrics: updates, rollouts, episodes or evaluations.")
  var metrics = "updates"

  func validate() throws {
    if safetensors == nil && csv == nil { throw ValidationError("nothing to do: give --safetensors FILE or --csv FILE") }
    if !["updates", "rollouts", "episodes", "evaluations"].contains(metrics) {
      throw ValidationError("--metrics is \"\(metrics)\", allowed updates, rollouts, episodes and evaluations")
    }
  }

  func run() throws {
    if let safetensors {
      let (bytes, count) = try parameters()
      try write(bytes, to: safetensors)
      Console.write("\(safetensors): \(count) tensors, \(bytes.count) bytes")
    }
    if let csv {
      let source = RunDirectory(root: path).metrics + "/\(metrics).jsonl"
      guard let data = FileManager.default.contents(atPath: source) else {
        throw TrainingError(.missingInput, "\(source): no such file; is \(path) a run directory?")
      }
      let table = try MetricsTable(parsing: [UInt8](data), file: source)
      try write([UInt8](table.csv.utf8), to: csv)
      Console.write("\(csv): \(table.rows.count) records, \(table.columns.count) columns")
    }
  }

  private func parameters() throws(TrainingError) -> (bytes: [UInt8], tensors: Int) {
    let argument = CheckpointArgument(path: path)
    let tree: TorchValue
    var metadata: [(name: String, text: String)] = [("format", "pt")]
    switch try argument.content() {
    case .checkpoint(let loaded):
      tree = loaded.contents.tree
      metadata += [
        ("step", String(loaded.contents.step)), ("run_id", loaded.contents.runID), ("state_sha256", loaded.stateDigest.hex),
        ("configuration", try TrainedPolicy.configuration(of: loaded).resolvedText()),
      ]
      metadata.append(("normalizer", Self.json(tree["normalizer_state"]?["observation"] ?? .none).compactText()))
    case .reference(let reference):
      tree = reference
      if case .int(let step)? = tree["step"] { metadata.append(("step", String(step))) }
      metadata.append(("normalizer", Self.json(tree["normalizer_state"] ?? .none).compactText()))
    }
    let tensors = (tree["model_state_dict"]?.entries ?? []).compactMap { entry in entry.1.tensor.map { (name: entry.0, tensor: $0) } }
    guard !tensors.isEmpty else { throw TrainingError(.badData, "\(argument.resolved): model_state_dict holds no tensor") }
    do throws(TorchFormatError) {
      return (try Safetensors.encode(tensors, metadata: metadata), tensors.count)
    } catch {
      throw TrainingError(.badData, "\(argument.resolved): \(error)")
    }
  }

  /// Small values as JSON; tensors of doubles as lists.
  private static func json(_ value: TorchValue) -> JSONValue {
    switch value {
    case .bool(let flag): .boolean(flag)
    case .int(let number): .integer(Int(number))
    case .float(let number): .number(number)
    case .string(let text): .string(text)
    case .list(let values): .array(values.map(json))
    case .tensor(let tensor): .array((tensor.doubles ?? []).map { .number($0) })
    case .none: .null
    default: .object((value.entries ?? []).map { JSONMember($0.0, json($0.1)) })
    }
  }

  private func write(_ bytes: [UInt8], to path: String) throws(TrainingError) {
    let identity = ProcessIdentity.current()
    try FileFailure.wrap { () throws(FileError) in
      try AtomicPublish(files: POSIXFileSystem(), host: identity.host, pid: identity.pid).replace(path, bytes)
    }
  }
}

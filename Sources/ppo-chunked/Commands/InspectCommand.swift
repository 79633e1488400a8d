import ArgumentParser
import Checkpoint
import RunConfig
import TorchFormat
import Training

/// Verifies a checkpoint and shows what is in it.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Verifies a checkpoint and prints its content table.")

  @Argument(help: "Checkpoint file, or a run directory for its newest one.")
  var file: String
  @Flag(help: "Print as JSON.")
  var json = false

  func run() throws {
    let loaded = try CheckpointArgument(path: file).load()
    let leaves = Self.leaves(of: loaded.contents.tree, path: "")
    if json {
      let sections = leaves.map { JSONValue.object([JSONMember("name", .string($0.path)), JSONMember("content", .string($0.content))]) }
      let value: JSONValue = [
        "file": .string(loaded.name), "bytes": .integer(loaded.bytes.count), "step": .integer(loaded.contents.step),
        "run_id": .string(loaded.contents.runID), "state_sha256": .string(loaded.stateDigest.hex), "sections": .array(sections),
      ]
      Console.write(value.text())
    } else {
      Console.write("file          \(loaded.name), \(loaded.bytes.count) bytes, whole")
      Console.write("step          \(loaded.contents.step)")
      Console.write("run           \(loaded.contents.runID)")
      Console.write("state_sha256  \(loaded.stateDigest.hex)")
      for leaf in leaves { Console.write("  \(leaf.path)  \(leaf.content)") }
    }
  }

  /// Path and short form of every value.
  private static func leaves(of value: TorchValue, path: String) -> [(path: String, content: String)] {
    if let entries = value.entries {
      return entries.flatMap { leaves(of: $0.1, path: path.isEmpty ? $0.0 : path + "." + $0.0) }
    }
    if case .list(let elements) = value {
      return elements.enumerated().flatMap { leaves(of: $1, path: "\(path)[\($0)]") }
    }
    let content =
      switch value {
      case .int(let number): String(number)
      case .float(let number): number.description
      case .bool(let flag): String(flag)
      case .string(let text): text.contains("\n") ? "text of \(text.utf8.count) bytes" : text
      default: value.kind
      }
    return [(path, content)]
  }
}

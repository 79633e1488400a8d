import ArgumentParser
import Checkpoint
import Foundation
import RunConfig
import Training

/// Where two checkpoints part.
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compares the states of two checkpoints and shows where they differ.",
    discussion: "Exit codes: 0 the states are equal, 1 they differ. Provenance (run id, times, hosts) is not compared.")

  @Argument(help: "Checkpoint file, or a run directory for its newest one.")
  var first: String
  @Argument(help: "The other one.")
  var second: String
  @Flag(help: "Print as JSON.")
  var json = false

  func run() throws {
    let left = try CheckpointArgument(path: first).load()
    let right = try CheckpointArgument(path: second).load()
    let difference = CheckpointDifference(left.contents, right.contents)
    if json {
      Console.write(Self.json(left, right, difference).text())
    } else {
      for line in Self.lines(left, right, difference) { Console.write(line) }
    }
    if !difference.isEmpty { Foundation.exit(Training.ExitCode.differs.rawValue) }
  }

  /// The report for people: groups always, their entries where they differ.
  private static func lines(_ left: LoadedCheckpoint, _ right: LoadedCheckpoint, _ difference: CheckpointDifference) -> [String] {
    var lines = [
      "A  \(left.name)  step \(left.contents.step)  state_sha256 \(left.stateDigest.hex)",
      "B  \(right.name)  step \(right.contents.step)  state_sha256 \(right.stateDigest.hex)",
    ]
    guard let item = difference.first else { return lines + ["equal: all \(elements(difference)) elements of the state"] }
    lines.append("first difference  \(item.path)" + (item.element.map { ", element \($0)" } ?? ""))
    lines.append("  A  \(item.left ?? "(missing)")")
    lines.append("  B  \(item.right ?? "(missing)")")
    lines.append("differing elements, largest absolute difference")
    for section in difference.sections where section.depth == 1 || section.differing > 0 {
      let indent = String(repeating: "  ", count: section.depth)
      var line = "\(indent)\(section.name)  \(section.differing) of \(section.elements)"
      if let largest = section.largest { line += "  \(largest)" }
      if section.presence != .both { line += "  only in \(section.presence == .left ? "A" : "B")" }
      lines.append(line)
    }
    return lines
  }

  private static func elements(_ difference: CheckpointDifference) -> Int {
    difference.sections.reduce(0) { $0 + ($1.depth == 1 ? $1.elements : 0) }
  }

  private static func json(_ left: LoadedCheckpoint, _ right: LoadedCheckpoint, _ difference: CheckpointDifference) -> JSONValue {
    func side(_ loaded: LoadedCheckpoint) -> JSONValue {
      ["file": .string(loaded.name), "step": .integer(loaded.contents.step), "state_sha256": .string(loaded.stateDigest.hex)]
    }
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    let item = difference.first.map { item -> JSONValue in
      ["path": .string(item.path), "element": item.element.map { .integer($0) } ?? .null, "a": text(item.left), "b": text(item.right)]
    }
    let sections = difference.sections.map { section -> JSONValue in
      let presence: JSONValue =
        switch section.presence {
        case .both: "both"
        case .left: "a"
        case .right: "b"
        }
      return [
        "name": .string(section.name), "depth": .integer(section.depth), "in": presence, "elements": .integer(section.elements),
        "differing": .integer(section.differing), "largest": section.largest.map { .number($0) } ?? .null,
      ]
    }
    return [
      "equal": .boolean(difference.isEmpty), "a": side(left), "b": side(right), "first_difference": item ?? .null,
      "sections": .array(sections),
    ]
  }
}

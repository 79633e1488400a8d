import ArgumentParser
import Foundation
import RunConfig
import Training

/// Observations in; logits, probabilities, value and action out.
struct InferCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "infer", abstract: "Asks the policy of a checkpoint about observations, one JSON line each.",
    discussion: """
      A line of the input is {"observation": [...], "keep": 0|1}; keep 0 forgets the recurrent state first, 1 (also if absent) carries it from the
      line before. A line of the output is {"logits": [...], "probabilities": [...], "value": v, "action": a}; action is the likeliest one.
      Reads checkpoints of this program and files with model_state_dict, model_config and normalizer_state as its predecessor wrote them.
      """)

  @Argument(help: "Checkpoint file, or a run directory for its newest one.")
  var checkpoint: String
  @Option(help: "File of observations, one JSON object a line; - is standard input.")
  var observations: String
  @Flag(help: "The observations are normalised already; otherwise they pass the checkpoint's normaliser.")
  var normalized = false
  @Option(help: "Independent environments whose lines take turns; they are asked together, with the same answers as one by one.")
  var rows = 1

  func validate() throws {
    if !(1...4096).contains(rows) { throw ValidationError("--rows is \(rows), allowed 1 to 4096") }
  }

  func run() throws {
    let model = try CheckpointArgument(path: checkpoint).policy()
    let lines = try input()
    var inference = PolicyInference(model, environments: rows, isNormalised: normalized)
    var questions: [PolicyQuestion] = []
    var output = ""
    for (index, line) in lines.enumerated() {
      questions.append(try question(line, number: index + 1, width: model.network.observationSize))
      guard questions.count == rows || index == lines.count - 1 else { continue }
      for answer in inference.answer(questions) { output += Self.text(answer) + "\n" }
      questions.removeAll(keepingCapacity: true)
    }
    FileHandle.standardOutput.write(Data(output.utf8))
  }

  private func input() throws(TrainingError) -> [String] {
    let isStandardInput = observations == "-"
    let found = isStandardInput ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: observations)
    guard let data = found else { throw TrainingError(.missingInput, "\(observations): no such file of observations") }
    var lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  private func question(_ line: String, number: Int, width: Int) throws(TrainingError) -> PolicyQuestion {
    let place = "\(observations):\(number)"
    do throws(JSONError) {
      let value = try JSONValue(parsing: line, name: place)
      let elements = try value.array("observation", in: place)
      let numbers = elements.compactMap { element -> Float? in
        guard element.stringValue == nil, let number = element.doubleValue else { return nil }
        return Float(number)
      }
      guard numbers.count == elements.count, numbers.allSatisfy(\.isFinite) else {
        throw JSONError(name: place, message: "\"observation\" holds something that is no finite number of single precision")
      }
      guard numbers.count == width else {
        throw JSONError(name: place, message: "\"observation\" has \(numbers.count) values, the policy observes \(width)")
      }
      let keep = value["keep"]
      guard keep == nil || keep == .integer(0) || keep == .integer(1) else {
        throw JSONError(name: place, message: "\"keep\" is \(keep?.compactText() ?? ""), allowed 0 and 1")
      }
      return PolicyQuestion(observation: numbers, keepsState: keep != .integer(0))
    } catch {
      throw TrainingError(.badData, error.description)
    }
  }

  /// Numbers with the fewest digits that keep their bits in single precision.
  private static func text(_ answer: PolicyAnswer) -> String {
    func number(_ value: Float) -> String { value.isFinite ? "\(value)" : "\"\(value)\"" }
    func list(_ values: [Float]) -> String { "[" + values.map(number).joined(separator: ", ") + "]" }
    return "{\"logits\": \(list(answer.logits)), \"probabilities\": \(list(answer.probabilities)), \"value\": \(number(answer.value)), "
      + "\"action\": \(answer.action)}"
  }
}

import Foundation
import RunConfig
import Testing
import TorchFormat

@testable import Training

/// A checkpoint of the predecessor and what PyTorch computed from it, beside the checkout or beside the folder it is in.
enum ReferenceData {
  static let path =
    ["../../../shared", "../../../../shared"].map {
      URL(filePath: #filePath).deletingLastPathComponent().appending(path: "\($0)/data/checkpoints/checkpoint_step_00003427").standardized
        .path
    }.first { FileManager.default.fileExists(atPath: $0 + ".pt") } ?? ""

  static func tree() throws -> TorchValue { try TorchFile.decode([UInt8](Data(contentsOf: URL(filePath: path + ".pt")))) }

  static func expected() throws -> JSONValue {
    try JSONValue(parsing: [UInt8](Data(contentsOf: URL(filePath: path + ".expected.json"))), name: "expected.json")
  }
}

@Suite("Policy of a foreign file", .enabled(if: !ReferenceData.path.isEmpty, "SKIPPED: no reference checkpoint beside the checkout"))
struct ReferencePolicyTests {
  private func floats(_ value: JSONValue?) throws -> [Float] {
    try #require(value?.arrayValue).flatMap { element -> [Float] in
      if let list = element.arrayValue { return list.map { Float($0.doubleValue ?? .nan) } }
      return [Float(element.doubleValue ?? .nan)]
    }
  }

  private func distance(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
  }

  @Test("logits, value and recurrent states are PyTorch's to 1e-5, states carried and reset by the mask")
  func answers() throws {
    let model = try PolicyModel(reference: ReferenceData.tree(), file: "reference.pt")
    #expect(model.step == 3427 && model.network.parameterCount == 495_097)
    var inference = PolicyInference(model, isNormalised: true)
    let steps = try #require(ReferenceData.expected()["steps"]?.arrayValue)
    #expect(steps.count == 5)
    var largest: Float = 0
    for step in steps {
      let answer = inference.answer([
        PolicyQuestion(observation: try floats(step["state"]), keepsState: step["mask"]?.doubleValue != 0)
      ])[0]
      let states = try floats(step["hidden_actor"]) + floats(step["hidden_critic"])
      let distances = [
        try distance(answer.logits, floats(step["logits"])), try abs(answer.value - Float(#require(step["value"]?.doubleValue))),
        distance(inference.states, states), try distance(answer.logits, floats(step["logits_f64"])),
        try abs(answer.value - Float(#require(step["value_f64"]?.doubleValue))),
      ]
      #expect(distances.allSatisfy { $0 < 1e-5 }, "\(distances)")
      largest = max(largest, distances.max() ?? 0)
      let logProbabilities = try floats(step["log_probs_T1"])
      for (p, expected) in zip(answer.probabilities, logProbabilities) { #expect(abs(p - Float(exp(Double(expected)))) < 1e-5) }
      #expect(answer.action == logProbabilities.firstIndex(of: logProbabilities.max() ?? 0))
    }
    print("largest distance from PyTorch's answers: \(largest)")
  }

  @Test("raw observations pass the file's normaliser")
  func normaliser() throws {
    let model = try PolicyModel(reference: ReferenceData.tree(), file: "reference.pt")
    let expected = try #require(ReferenceData.expected()["normalizer"])
    var normalised = [Float](repeating: 0, count: 310)
    let raw = try floats(expected["raw_state"])
    model.normaliser.normalise(raw.span, into: &normalised, at: 0)
    #expect(try distance(normalised, floats(expected["normalized"])) < 1e-5)
  }

  @Test("answers of 1, 2, 5 and 13 rows at once have the same bits, and so have the states")
  func rows() throws {
    let model = try PolicyModel(reference: ReferenceData.tree(), file: "reference.pt")
    let states = try #require(ReferenceData.expected()["steps"]?.arrayValue).map { try floats($0["state"]) }
    func question(_ environment: Int, _ time: Int) -> PolicyQuestion {
      PolicyQuestion(observation: states[(environment * 3 + time * 2) % 5], keepsState: (environment + time) % 4 != 0)
    }
    var single: [[PolicyAnswer]] = []
    var singleStates: [Float] = []
    for environment in 0..<13 {
      var inference = PolicyInference(model)
      single.append((0..<4).map { inference.answer([question(environment, $0)])[0] })
      singleStates += inference.states
    }
    for rows in [2, 5, 13] {
      var inference = PolicyInference(model, environments: rows)
      for time in 0..<4 {
        #expect(inference.answer((0..<rows).map { question($0, time) }) == (0..<rows).map { single[$0][time] })
      }
      #expect(inference.states == Array(singleStates[..<inference.states.count]))
    }
  }

  @Test("a missing, an additional and a misshapen tensor are refused by name, and so is a normaliser of another size")
  func refusals() throws {
    let tree = try ReferenceData.tree()
    func changing(_ change: ([(String, TorchValue)]) -> [(String, TorchValue)]) -> TorchValue {
      tree.replacing(["model_state_dict"]) { .orderedDictionary(change($0.entries ?? [])) }
    }
    let cases: [(TorchValue, String)] = [
      (changing { $0.filter { $0.0 != "critic_gru.bias_hh_l0" } }, "critic_gru.bias_hh_l0 is missing"),
      (changing { $0 + [("attention.weight", .tensor(TorchTensor([Float(1)])))] }, "attention.weight is not a tensor of this network"),
      (
        changing { $0.map { $0.0 == "gru_ln.weight" ? ($0.0, .tensor(TorchTensor([Float(1), 2]))) : $0 } },
        "gru_ln.weight is float32[2], expected float32[128]"
      ), (tree.replacing(["normalizer_state", "mean"]) { _ in .list([.float(1)]) }, "normalizer_state.mean"),
      (tree.replacing(["normalizer_state", "eps"]) { _ in .float(0) }, "normalizer_state.eps"),
    ]
    for (changed, text) in cases {
      #expect {
        try PolicyModel(reference: changed, file: "f.pt")
      } throws: {
        ($0 as? TrainingError)?.code == .badData && "\($0)".contains(text)
      }
    }
  }
}

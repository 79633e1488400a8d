import Foundation
import RunConfig
import TestSupport
import Testing

/// `infer`, `export`, `verify` and `repair` as their users call them.
@Suite("Commands on checkpoints")
struct InferTests {
  /// The predecessor's checkpoint beside the checkout or beside the folder it is in.
  static let reference =
    ["../shared", "../../shared"].map {
      ProgramRun.root.appending(path: "\($0)/data/checkpoints/checkpoint_step_00003427").standardized.path
    }
    .first { FileManager.default.fileExists(atPath: $0 + ".pt") } ?? ""

  private func numbers(_ value: JSONValue?) -> [Double] { (value?.arrayValue ?? []).compactMap(\.doubleValue) }

  private func lines(_ output: String) throws -> [JSONValue] {
    try output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
  }

  /// A finished small run.
  private func withRun(_ overrides: [String] = [], _ body: (String, String) throws -> Void) throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let arguments = ["train", "--config", "configs/test.json", "--output-dir", directory + "/run"] + overrides.flatMap { ["--set", $0] }
      let train = try ProgramRun(arguments: arguments)
      #expect(train.code == 0, "\(train.errors)")
      try body(directory, directory + "/run")
    }
  }

  /// Observations of a policy of `count` values: a file of so many lines, with an episode's start in the middle.
  private func observations(_ directory: String, count: Int, lines: Int = 12) throws -> String {
    let path = directory + "/observations.jsonl"
    let text = (0..<lines).map { line -> String in
      let values = (0..<count).map { String(Float(($0 * 29 + line * 17) % 41) / 8 - 1.5) }
      return "{\"observation\": [\(values.joined(separator: ", "))], \"keep\": \(line == 7 ? 0 : 1)}\n"
    }
    try text.joined().write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  @Test(
    "infer answers the predecessor's checkpoint as PyTorch does, to 1e-5",
    .enabled(if: !reference.isEmpty, "SKIPPED: no reference checkpoint beside the checkout"))
  func referenceFile() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let expected = try JSONValue(parsing: String(contentsOfFile: Self.reference + ".expected.json", encoding: .utf8))
      let steps = try #require(expected["steps"]?.arrayValue)
      let path = directory + "/observations.jsonl"
      let text = steps.map { step -> String in
        let keep = step["mask"]?.doubleValue == 0 ? 0 : 1
        return "{\"observation\": \(step["state"]?.compactText() ?? ""), \"keep\": \(keep)}\n"
      }
      try text.joined().write(toFile: path, atomically: true, encoding: .utf8)
      let result = try ProgramRun("infer", Self.reference + ".pt", "--observations", path, "--normalized")
      #expect(result.code == 0, "\(result.errors)")
      let answers = try lines(result.output)
      #expect(answers.count == steps.count)
      for (answer, step) in zip(answers, steps) {
        for (a, b) in zip(numbers(answer["logits"]), numbers(step["logits"])) { #expect(abs(a - b) < 1e-5) }
        for (a, b) in zip(numbers(answer["probabilities"]), numbers(step["log_probs_T1"])) { #expect(abs(a - exp(b)) < 1e-5) }
        #expect(try abs(#require(answer["value"]?.doubleValue) - #require(step["value"]?.doubleValue)) < 1e-5)
        #expect(numbers(answer["logits"]).count == 4 && answer["action"]?.intValue != nil)
      }
      // A damaged one is refused.
      var bytes = try Data(contentsOf: URL(filePath: Self.reference + ".pt"))
      bytes[bytes.count / 2] ^= 1
      try bytes.write(to: URL(filePath: directory + "/damaged.pt"))
      let damaged = try ProgramRun("infer", directory + "/damaged.pt", "--observations", path)
      #expect(damaged.code == 65 && damaged.errors.contains("damaged.pt"))
    }
  }

  @Test("docs/load_checkpoint.py gives infer's logits and values to 1e-6 (bounded head 1e-5), raw observations, carried states")
  func loader() throws {
    for overrides in [[], ["network.bounded_logits=true", "network.input_layer_norm=true", "network.gru_layers=2"]] {
      try withRun(overrides) { directory, run in
        let inspect = try JSONValue(parsing: try ProgramRun("inspect", run, "--json").output)
        let size = try #require(
          inspect["sections"]?.arrayValue?.first { $0["name"]?.stringValue == "schema.observation_size" }?["content"]?.stringValue)
        let path = try observations(directory, count: try #require(Int(size)))
        let result = try ProgramRun("infer", run, "--observations", path)
        #expect(result.code == 0, "\(result.errors)")
        let ours = try lines(result.output)
        #expect(ours.count == 12 && Set(result.output.split(separator: "\n")).count > 6)
        if PyTorch.isNewestPresent {
          let text = try PyTorch.newest.run(
            ProgramRun.root.appending(path: "docs/load_checkpoint.py").path, [run + "/checkpoints/latest.pt"], file: true,
            input: try String(contentsOfFile: path, encoding: .utf8))
          let theirs = try lines(text)
          #expect(theirs.count == ours.count)
          var largest = 0.0
          for (a, b) in zip(ours, theirs) {
            for (x, y) in zip(numbers(a["logits"]), numbers(b["logits"])) { largest = max(largest, abs(x - y)) }
            largest = max(largest, abs((a["value"]?.doubleValue ?? .infinity) - (b["value"]?.doubleValue ?? 0)))
          }
          print("\(PyTorch.newest.testDescription): largest distance \(largest)")
          // LayerNorm over a few nearly equal logits multiplies the last digits of single precision.
          #expect(largest < (overrides.isEmpty ? 1e-6 : 1e-5))
        }
        // Three environments that take turns: each as if it were alone.
        let together = try ProgramRun("infer", run, "--observations", path, "--rows", "3").output.split(separator: "\n")
        let all = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        for environment in 0..<3 {
          let own = stride(from: environment, to: 12, by: 3)
          let file = directory + "/own.jsonl"
          try own.map { all[$0] + "\n" }.joined().write(toFile: file, atomically: true, encoding: .utf8)
          let alone = try ProgramRun("infer", run, "--observations", file).output.split(separator: "\n")
          #expect(alone == own.map { together[$0] })
        }
      }
    }
  }

  @Test("a bad line of observations is named with file, line and what is allowed, exit 65; a missing file is 66")
  func badObservations() throws {
    try withRun(["run.total_requests=500"]) { directory, run in
      let path = directory + "/o.jsonl"
      for (text, part) in [
        ("{\"observation\": [1, 2]}\n", "has 2 values"), ("{}\n", "\"observation\" is missing"), ("x\n", "o.jsonl:1"),
        ("{\"observation\": [1, \"a\"]}\n", "no finite number"), ("{\"observation\": [1e39]}\n", "no finite number"),
      ] {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let result = try ProgramRun("infer", run, "--observations", path)
        #expect(result.code == 65 && result.errors.contains("o.jsonl:1") && result.errors.contains(part), "\(result.errors)")
        #expect(result.output.isEmpty)
      }
      #expect(try ProgramRun("infer", run, "--observations", directory + "/none").code == 66)
      #expect(try ProgramRun("infer", directory + "/none.pt", "--observations", path).code == 66)
      #expect(try ProgramRun("infer", run, "--observations", path, "--rows", "0").code == 64)
    }
  }

  @Test("export writes safetensors that Python's package reads, bit by bit, and metrics as CSV")
  func export() throws {
    let evaluation = ["evaluation.interval=5000", "evaluation.workloads=1", "evaluation.requests=20"]
    try withRun(["run.total_requests=1000", "run.chunk_size=1000"] + evaluation) { directory, run in
      let (tensors, table) = (directory + "/a.safetensors", directory + "/a.csv")
      let result = try ProgramRun("export", run, "--safetensors", tensors, "--csv", table)
      #expect(result.code == 0, "\(result.errors)")
      if PyTorch.isNewestPresent {
        let script = """
          import sys, json, torch
          from safetensors import safe_open
          from safetensors.torch import load_file
          tree = torch.load(sys.argv[1], weights_only=True)
          loaded = load_file(sys.argv[2])
          assert sorted(loaded) == sorted(tree['model_state_dict']) and len(loaded) > 20
          for name, value in tree['model_state_dict'].items():
              assert loaded[name].dtype == value.dtype and loaded[name].shape == value.shape, name
              assert loaded[name].numpy().tobytes() == value.numpy().tobytes(), name
          with safe_open(sys.argv[2], framework='pt') as f:
              notes = f.metadata()
          assert int(notes['step']) == tree['step'] and notes['run_id'] == tree['provenance']['run_id'] and notes['format'] == 'pt'
          seen = json.loads(notes['normalizer'])
          assert seen['count'] == tree['normalizer_state']['observation']['count']
          assert seen['mean'] == tree['normalizer_state']['observation']['mean'].tolist()
          assert json.loads(notes['configuration'])['network']['hidden'] == 16
          """
        _ = try PyTorch.newest.run(script, [run + "/checkpoints/latest.pt", tensors])
      }
      let rows = try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false)
      }
      let records = try lines(String(contentsOfFile: run + "/metrics/updates.jsonl", encoding: .utf8))
      #expect(rows.count == records.count + 1 && rows[0].prefix(2) == ["step", "chunk"])
      for (row, record) in zip(rows.dropFirst(), records) {
        for (name, cell) in zip(rows[0], row) { #expect(Double(cell) == record[String(name)]?.doubleValue) }
      }
      let evaluations = try ProgramRun("export", run, "--csv", table, "--metrics", "evaluations")
      #expect(evaluations.code == 0 && evaluations.output.contains("1 records"), "\(evaluations.output)\(evaluations.errors)")
      #expect(try String(contentsOfFile: table, encoding: .utf8).hasPrefix("step,chunk,iteration,objective,is_best,"))
      #expect(try ProgramRun("export", run).code == 64)
      #expect(try ProgramRun("export", run, "--csv", table, "--metrics", "x").code == 64)
      #expect(try ProgramRun("export", directory, "--csv", table).code == 66)
    }
  }

  @Test("verify names what is not whole with exit 65, repair makes a lost progress file anew, the run goes on")
  func verifyAndRepair() throws {
    try withRun { directory, run in
      let whole = try ProgramRun("verify", run)
      #expect(whole.code == 0 && whole.output.contains("a resume takes checkpoints/checkpoint_step_00002000.pt"), "\(whole.output)")
      let file = run + "/checkpoints/checkpoint_step_00002000.pt"
      #expect(try ProgramRun("verify", file).code == 0)
      #expect(try ProgramRun("verify", run + "/checkpoints").code == 0)
      #expect(try ProgramRun("repair", run).output.contains("nothing to do"))
      try FileManager.default.removeItem(atPath: run + "/training_progress.json")
      let lost = try ProgramRun("verify", run)
      #expect(lost.code == 65 && lost.output.contains("training_progress.json") && lost.output.contains("repair"))
      let repaired = try ProgramRun("repair", run)
      #expect(repaired.code == 0 && repaired.output.contains("4 of 4 chunks, step 2000 of 2000"), "\(repaired.errors)")
      #expect(try ProgramRun("verify", run).code == 0)
      #expect(try ProgramRun("train", "--config", "configs/test.json", "--output-dir", run).output.hasPrefix("[Finished]"))
      var bytes = try Data(contentsOf: URL(filePath: file))
      bytes[bytes.count / 3] ^= 8
      try bytes.write(to: URL(filePath: file))
      #expect(try ProgramRun("verify", file).code == 65)
      let damaged = try ProgramRun("verify", run)
      #expect(damaged.code == 65 && damaged.output.contains("checkpoint_step_00002000.pt  INVALID"), "\(damaged.output)")
      let json = try JSONValue(parsing: try ProgramRun("verify", run, "--json").output)
      #expect(json["whole"]?.boolValue == false && json["resumes_from"]?.stringValue?.contains("00002000") == false)
      #expect(try ProgramRun("verify", directory + "/none").code == 66)
      #expect(try ProgramRun("repair", directory + "/none").code == 66)
    }
  }
}

import Foundation
import RunConfig
import Testing

/// The command `simulate` as its user meets it.
@Suite("simulate")
struct SimulateTests {
  /// `shared/data` beside or above the checkout, if it is there.
  private static let data: String? = {
    var folder = ProgramRun.root
    for _ in 0..<4 {
      let candidate = folder.appendingPathComponent("shared/data").path
      if FileManager.default.fileExists(atPath: candidate + "/simulator") { return candidate }
      folder = folder.deletingLastPathComponent()
    }
    return nil
  }()

  private static let outputs = ["requests", "batches", "stages", "events"]

  private func simulate(_ arguments: [String]) throws -> ProgramRun { try ProgramRun(arguments: ["simulate"] + arguments) }

  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  @Test(
    "a recorded run repeats byte for byte: requests, batches, stages and events",
    .enabled(if: data != nil, "recorded runs (shared/data/simulator) are not beside this checkout"),
    arguments: ["s02_lor_vllm_cap", "s05_sarathi_rr"])
  func recorded(name: String) throws {
    let folder = try #require(Self.data) + "/simulator/\(name)"
    try ProgramRun.inTemporaryDirectory { directory in
      let files = Self.outputs.flatMap { ["--\($0)-out", "\(directory)/\($0).csv"] }
      let common = ["--config", folder + "/scenario.json", "--trace", folder + "/trace.csv", "--parity", "reference"]
      let run = try simulate(common + files)
      #expect(run.code == 0, "\(run.errors)")
      for output in Self.outputs {
        #expect(try text("\(directory)/\(output).csv") == text("\(folder)/\(output).csv"), "\(output).csv")
      }
      // Routing as the recorded column says gives the same run, whatever the policy was.
      let replay = try simulate(common + ["--policy", "replay:\(folder)/requests.csv", "--requests-out", directory + "/again.csv"])
      #expect(replay.code == 0, "\(replay.errors)")
      #expect(try text(directory + "/again.csv") == text(folder + "/requests.csv"))
      // A configuration of our own says the same.
      let file = directory + "/own.json"
      let own = try Self.configuration(JSONValue(parsing: text(folder + "/scenario.json")), trace: folder + "/trace.csv")
      try own.text().write(toFile: file, atomically: true, encoding: .utf8)
      let third = try simulate(["--config", file] + files)
      #expect(third.code == 0, "\(third.errors)")
      for output in Self.outputs { #expect(try text("\(directory)/\(output).csv") == text("\(folder)/\(output).csv"), "\(output).csv") }
    }
  }

  /// The configuration file that describes what a scenario does.
  private static func configuration(_ scenario: JSONValue, trace: String) throws -> JSONValue {
    let sched = try #require(scenario["sched"])
    let time = try #require(scenario["time_model"])
    func value(_ root: JSONValue, _ key: String) throws -> JSONValue { try #require(root[key], "\(key)") }
    var cluster: [JSONMember] = [
      JSONMember("num_replicas", try value(scenario, "num_replicas")), JSONMember("model", try value(scenario, "model")),
      JSONMember("device", try value(scenario, "device")), JSONMember("max_tokens", try value(scenario, "max_tokens")),
      JSONMember("pipeline_stages", try value(scenario, "num_pipeline_stages")),
      JSONMember("replica_scheduler", try value(scenario, "replica_scheduler")),
      JSONMember("batch_size_cap", try value(sched, "batch_size_cap")), JSONMember("block_size", try value(sched, "block_size")),
      JSONMember("watermark_blocks_fraction", try value(sched, "watermark_blocks_fraction")),
      JSONMember("block_count", try value(sched, "num_blocks")), JSONMember("parity", "reference"),
    ]
    if let tokens = sched["max_tokens_in_batch"] { cluster.append(JSONMember("max_tokens_in_batch", tokens)) }
    if let tokens = sched["chunk_size"] { cluster.append(JSONMember("prefill_chunk_size", tokens)) }
    return [
      "run": ["seed": try value(scenario, "seed")], "cluster": .object(cluster),
      "timing": [
        "model": "linear", "linear_a": try value(time, "a"), "linear_b": try value(time, "b"), "linear_c": try value(time, "c"),
        "linear_d": try value(time, "d"),
      ],
      "workload": ["kind": "trace", "trace": .string(trace)], "simulate": ["policy": try value(scenario, "global_scheduler")],
    ]
  }

  @Test("rows follow ids, figures follow rows, and a replay of the choices repeats them; another seed does not")
  func figures() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let common = ["--qps", "14", "--requests", "300", "--policy", "random"]
      let run = try simulate(common + ["--json", "--requests-out", directory + "/a.csv"])
      #expect(run.code == 0, "\(run.errors)")
      let json = try JSONValue(parsing: run.output)
      let rows = try text(directory + "/a.csv").split(separator: "\n").dropFirst().map { $0.split(separator: ",").map(String.init) }
      #expect(rows.map { $0[0] } == (0..<300).map(String.init))
      let latencies = rows.map { Double($0[7])! - Double($0[1])! }
      let mean = latencies.reduce(0, +) / 300
      #expect(abs(try #require(json["end_to_end"]?["mean"]?.doubleValue) - mean) < 1e-9)
      let ascending = latencies.sorted()
      let p95 = ascending[284] + 0.05 * (ascending[285] - ascending[284])
      #expect(abs(try #require(json["end_to_end"]?["p95"]?.doubleValue) - p95) < 1e-12)
      let makespan = rows.map { Double($0[7])! }.max()! - Double(rows[0][1])!
      #expect(abs(try #require(json["throughput"]?.doubleValue) - 300 / makespan) < 1e-9)
      #expect(json["completed_by_replica"]?.arrayValue?.compactMap(\.intValue).reduce(0, +) == 300)
      let busy = try #require(json["usage_by_replica"]?.arrayValue).compactMap { $0["busy_percent"]?.arrayValue?[0].doubleValue }
      #expect(busy.count == 4 && busy.allSatisfy { $0 > 0 && $0 <= 100 })
      // Any rule under the recorded choices serves the same requests in the same way.
      _ = try simulate(common + ["--policy", "replay:\(directory)/a.csv", "--requests-out", directory + "/b.csv"])
      #expect(try text(directory + "/a.csv") == text(directory + "/b.csv"))
      _ = try simulate(common + ["--seed", "2", "--requests-out", directory + "/c.csv"])
      #expect(try text(directory + "/a.csv") != text(directory + "/c.csv"))
      // The table has the same figures.
      let table = try simulate(common)
      #expect(table.output.contains("300 completed") && table.output.contains("time to first token"))
    }
  }

  @Test("a cluster of unlike replicas of which one fails serves every request; the configuration of the example is such a one")
  func heterogeneous() throws {
    let run = try simulate(["--config", "configs/heterogeneous.json", "--requests", "800", "--json"])
    #expect(run.code == 0, "\(run.errors)")
    let json = try JSONValue(parsing: run.output)
    #expect(json["completed"]?.intValue == 800 && json["unfinished"]?.intValue == 0)
    #expect(try #require(json["rerouted"]?.intValue) > 0)
  }

  @Test("a trained policy routes in a simulation")
  func trained() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      #expect(try ProgramRun("train", "--config", "configs/test.json", "--output-dir", directory + "/run").code == 0)
      let run = try simulate(
        [
          "--policy", directory + "/run", "--requests", "100", "--json", "--batches-out", directory + "/b.csv", "--requests-out",
          directory + "/r.csv",
        ])
      #expect(run.code == 0, "\(run.errors)")
      #expect(try JSONValue(parsing: run.output)["completed"]?.intValue == 100)
      #expect(try text(directory + "/r.csv").split(separator: "\n").count == 101)
      // The same configuration under the recorded choices gives the same requests.
      let configuration = directory + "/run/config.resolved.json"
      let again = try simulate(
        ["--config", configuration, "--policy", "replay:\(directory)/r.csv", "--requests", "100", "--requests-out", directory + "/s.csv"])
      #expect(again.code == 0, "\(again.errors)")
      #expect(try text(directory + "/r.csv") == text(directory + "/s.csv"))
    }
  }

  @Test("a time limit cuts the run, requests without an end have rows without one")
  func timeLimit() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let run = try simulate(["--qps", "14", "--requests", "300", "--time-limit", "5", "--json", "--requests-out", directory + "/r.csv"])
      #expect(run.code == 0, "\(run.errors)")
      let json = try JSONValue(parsing: run.output)
      let unfinished = try #require(json["unfinished"]?.intValue)
      #expect(unfinished > 0 && (json["completed"]?.intValue ?? 0) > 0)
      let rows = try text(directory + "/r.csv").split(separator: "\n").dropFirst()
      #expect(rows.count { $0.hasSuffix(",0") } >= unfinished)
    }
  }

  @Test("what cannot be is refused with its code, and says why")
  func refused() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let routes = directory + "/routes.csv"
      try "request_id,replica\n0,1\n1,9\n".write(toFile: routes, atomically: true, encoding: .utf8)
      let few = directory + "/few.csv"
      try "request_id,replica\n0,1\n1,2\n".write(toFile: few, atomically: true, encoding: .utf8)
      let scenario = directory + "/scenario.json"
      try "{\"global_scheduler\": \"lor\", \"replica_scheduler\": \"vllm\", \"color\": 1}".write(
        toFile: scenario, atomically: true, encoding: .utf8)
      let cases: [(arguments: [String], code: Int32, parts: [String])] = [
        (["--policy", "best"], 64, ["best", "lor_full"]), (["--policy", "ckpt:/nonexistent"], 66, ["/nonexistent"]),
        (["--policy", "replay:/nonexistent"], 66, ["/nonexistent"]),
        (["--policy", "replay:" + routes], 65, ["routes.csv:3", "no such replica"]),
        (["--policy", "replay:" + few], 65, ["few.csv", "request 2"]), (["--config", "/nonexistent.json"], 66, ["/nonexistent.json"]),
        (["--config", scenario], 64, ["color"]), (["--trace", "/nonexistent.csv"], 66, ["/nonexistent.csv", "workload.trace"]),
        (["--parity", "perfect"], 64, ["cluster.parity", "reference"]), (["--requests", "-1"], 64, ["simulate.requests: -1", "0 ... "]),
        (["--qps", "-1"], 64, ["workload.qps: -1", "0 <= x <="]), (["--time-limit", "-1"], 64, ["simulate.time_limit_seconds: -1"]),
        (["--trace", "/tmp"], 66, ["/tmp: a directory", "workload.trace"]), (["--from", "5"], 64, ["--from", "trace"]),
        (["--policy", "replay:"], 64, ["replay:"]), (["--total-requests", "9"], 64, ["--total-requests", "--requests"]),
        (["--policy", "ckpt:"], 64, ["ckpt:"]),
        (["--trace", routes], 65, ["routes.csv:1", "arrived_at"]),
        (["--set", "cluster.pipeline_stages=3"], 64, ["cluster.pipeline_stages: 3"]),
        (["--requests-out", "/nonexistent/r.csv"], 73, ["/nonexistent/r.csv"]), (["--environment", "cartpole"], 64, ["run.environment"]),
        (["--set", "timing.model=table"], 64, ["timing.mlp_profile"]),
        (["--set", "timing.model=table", "--set", "timing.mlp_profile=\(routes)"], 65, ["routes.csv", "n_head"]),
      ]
      for (arguments, code, parts) in cases {
        let run = try simulate(arguments)
        #expect(run.code == code, "\(arguments): \(run.code) \(run.errors)")
        for part in parts { #expect(run.errors.contains(part), "\(arguments): \(run.errors)") }
      }
    }
  }
}

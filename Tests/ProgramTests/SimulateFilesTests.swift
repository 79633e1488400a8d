import Foundation
import RunConfig
import Testing

/// What `simulate` writes and where it stops, as its user meets it.
@Suite("simulate: files and bounds")
struct SimulateFilesTests {
  private func simulate(_ arguments: [String]) throws -> ProgramRun { try ProgramRun(arguments: ["simulate"] + arguments) }

  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  /// Rows of a CSV file as texts by column.
  private func table(_ path: String) throws -> [[String: String]] {
    let lines = try text(path).split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    let header = try #require(lines.first)
    return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(header, $0)) }
  }

  private func column(_ name: String, _ rows: [[String: String]]) throws -> [Double] {
    try rows.map { row in
      let value = Double(row[name] ?? "")
      return try #require(value, "\(name)")
    }
  }

  @Test("every file of --metrics-dir adds up with the others and with the summary")
  func metrics() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let folder = directory + "/m"
      let options = [
        "--requests", "150", "--qps", "16", "--num-replicas", "2", "--set", "cluster.pipeline_stages=2", "--set", "cluster.block_count=600",
        "--metrics-dir", folder, "--json",
      ]
      let run = try simulate(options)
      #expect(run.code == 0, "\(run.errors)")
      let summary = try JSONValue(parsing: run.output)
      #expect(try JSONValue(parsing: text(folder + "/summary.json")) == summary)
      #expect(try #require(summary["restarts"]?.intValue) > 0, "memory is short in this test")
      let requests = try table(folder + "/request_metrics.csv")
      #expect(requests.count == 150 && requests[0]["request_inter_arrival_delay"]?.isEmpty == true)
      let decode = try column("request_num_decode_tokens", requests).reduce(0, +)
      let prefill = try column("request_num_prefill_tokens", requests).reduce(0, +)
      // Series end at the totals.
      for (name, total) in [
        ("request_arrival", 150), ("request_completion", 150), ("prefill_completion", prefill), ("decode_completion", decode - 150),
      ] {
        let rows = try table("\(folder)/plots/\(name)_time_series.csv")
        let (times, values) = (try column("time", rows), try column(name, rows))
        #expect(values.last == total, "\(name)")
        #expect(times == times.sorted() && values == values.sorted(), "\(name)")
      }
      let gaps = try #require(summary["token_to_token"])
      let distribution = try table(folder + "/plots/decode_token_execution_plus_preemption_time.csv")
      #expect(distribution.count == 101)
      #expect(try column("decode_token_execution_plus_preemption_time", distribution)[99] == gaps["p99"]?.doubleValue)
      #expect(
        try column("request_e2e_time", table(folder + "/plots/request_e2e_time.csv"))[50] == summary["end_to_end"]?["p50"]?.doubleValue)
      // Batches, their stages and operations: the same numbers everywhere.
      let batches = try table(folder + "/batch_metrics.csv")
      let operations = try table(folder + "/operation_metrics.csv")
      let trace = try #require(try JSONValue(parsing: text(folder + "/chrome_trace.json")).arrayValue)
      #expect(operations.count == 2 * batches.count && trace.count == operations.count)
      let layers = operations.map { $0["num_layers"] }
      #expect(layers.allSatisfy { $0 == "16" })
      for (row, event) in zip(operations, trace) {
        let parts = row.filter { !["Batch Id", "replica", "stage", "num_layers", "pipeline_send_recv"].contains($0.key) }
        let layer = parts.keys.sorted().compactMap { Double(parts[$0] ?? "") }.reduce(0, +)
        let milliseconds = 16 * layer + (try #require(Double(row["pipeline_send_recv"] ?? "")))
        let duration = try #require(event["dur"]?.doubleValue)
        #expect(abs(duration / (1000 * milliseconds) - 1) < 1e-6, "batch \(row["Batch Id"] ?? "")")
        #expect(row["Batch Id"] == (event["args"]?["batch"]?.intValue).map(String.init))
      }
      for replica in 0..<2 {
        let use = try #require(summary["usage_by_replica"]?.arrayValue)[replica]
        let memory = try JSONValue(parsing: text("\(folder)/plots/replica_\(replica)_memory_usage.json"))
        let mean = try #require(memory["replica_\(replica)_memory_usage_weighted_mean"]?.doubleValue)
        #expect(abs(mean - (try #require(use["memory_percent_mean"]?.doubleValue))) < 1e-9)
        let busy = try JSONValue(parsing: text("\(folder)/plots/replica_\(replica)_stage_1_busy_time_percent.json"))
        let share = try #require(busy["replica_\(replica)_stage_1_busy_time_percent_weighted_mean"]?.doubleValue)
        #expect(abs(share - (try #require(use["busy_percent"]?.arrayValue?[1].doubleValue))) < 1e-9)
      }
      let throughput = try table(folder + "/throughput_latency.csv")
      let latency = try #require(summary["end_to_end"]?["mean"]?.doubleValue)
      #expect(abs(try column("avg_latency", throughput)[149] / latency - 1) < 1e-12)
      // The configuration in the directory gives the same simulation.
      let again = try simulate(["--config", folder + "/config.json", "--json"])
      #expect(try JSONValue(parsing: again.output)["end_to_end"] == summary["end_to_end"], "\(again.errors)")
      let second = try simulate(options)
      #expect(second.code == 73 && second.errors.contains("--metrics-dir"), "\(second.errors)")
    }
  }

  @Test("measured CPU times have a file of their own")
  func engine() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let profile = directory + "/cpu.csv"
      let names = [
        "schedule_median", "sampler_e2e_median", "prepare_inputs_e2e_median", "process_model_outputs_median", "ray_comm_time_mean",
      ]
      try ("model_name,batch_size,tensor_parallel_degree," + names.joined(separator: ",") + "\nmeta-llama/Llama-2-7b-hf,1,1,1,2,3,4,5\n")
        .write(
          toFile: profile, atomically: true, encoding: .utf8)
      let run = try simulate(
        ["--requests", "5", "--set", "timing.cpu_overhead_profile=\(profile)", "--metrics-dir", directory + "/m"])
      #expect(run.code == 0, "\(run.errors)")
      let rows = try table(directory + "/m/cpu_operation_metrics.csv")
      let batches = try table(directory + "/m/batch_metrics.csv")
      #expect(rows.count == batches.count)
      for (name, factor) in [
        ("schedule", 1.0), ("sample_e2e", 2), ("prepare_inputs_e2e", 3), ("process_model_outputs", 4), ("ray_comm_time", 5),
      ] {
        let sizes = try rows.map { row in Double(try #require(batches.first { $0["Batch Id"] == row["Batch Id"] }?["batch_size"])) ?? 0 }
        #expect(try column(name, rows) == sizes.map { $0 * factor }, "\(name)")
      }
    }
  }

  @Test("a limit cuts a trained policy's run where it cuts the replay of its choices; a duration lets what has come end")
  func trained() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      #expect(try ProgramRun("train", "--config", "configs/test.json", "--output-dir", directory + "/run").code == 0)
      let (routes, cut, again) = (directory + "/routes.csv", directory + "/cut.csv", directory + "/again.csv")
      let policy = ["--policy", "ckpt:\(directory)/run", "--requests", "200"]
      #expect(try simulate(policy + ["--requests-out", routes]).code == 0)
      let replay = ["--config", directory + "/run/config.resolved.json", "--policy", "replay:" + routes, "--requests", "200"]
      for bounds in [["--time-limit", "7"], ["--time-limit", "0.0001"], ["--duration", "7"], ["--duration", "7", "--time-limit", "9"]] {
        let first = try simulate(policy + bounds + ["--json", "--requests-out", cut])
        let second = try simulate(replay + bounds + ["--json", "--requests-out", again])
        #expect(first.code == 0 && second.code == 0, "\(first.errors) \(second.errors)")
        #expect(try text(cut) == text(again), "\(bounds)")
        let (a, b) = (try JSONValue(parsing: first.output), try JSONValue(parsing: second.output))
        for key in ["arrived", "completed", "unfinished", "shortened", "events", "end_to_end", "usage_by_replica"] {
          #expect(a[key] == b[key], "\(bounds) \(key)")
        }
        let arrived = try #require(a["arrived"]?.intValue)
        #expect(try table(cut).count == arrived && arrived < 200)
        if bounds.count == 2 && bounds[0] == "--duration" { #expect(a["unfinished"] == .integer(0) && arrived > 20) }
      }
    }
  }

  @Test("recorded arrivals are simulated once each, at their own times; so is a trace of one row")
  func recordings() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let (arrivals, one, out) = (directory + "/arrivals.csv", directory + "/one.csv", directory + "/out.csv")
      try "arrived_at\n1.5\n2.25\n2.25\n7\n".write(toFile: arrivals, atomically: true, encoding: .utf8)
      try "arrived_at,num_prefill_tokens,num_decode_tokens\n3,40,5\n".write(toFile: one, atomically: true, encoding: .utf8)
      let intervals = ["--set", "workload.intervals=trace", "--set", "workload.interval_trace=" + arrivals, "--requests-out", out]
      #expect(try simulate(intervals).code == 0)
      #expect(try table(out).map { $0["arrived_at"] } == ["1.5", "2.25", "2.25", "7.0"])
      #expect(try simulate(intervals + ["--from", "2", "--to", "7"]).code == 0)
      #expect(try table(out).map { $0["arrived_at"] } == ["0.25", "0.25"])
      #expect(try simulate(["--trace", one, "--requests-out", out]).code == 0)
      #expect(try table(out).map { [$0["arrived_at"], $0["num_prefill_tokens"], $0["completed"]] } == [["3.0", "40", "1"]])
    }
  }

  @Test("a device is written to, not replaced, and a full one is an error")
  func devices() throws {
    let run = try simulate(["--requests", "2", "--requests-out", "/dev/full"])
    #expect(run.code == 74 && run.errors.contains("/dev/full"), "\(run.errors)")
    let attributes = try FileManager.default.attributesOfItem(atPath: "/dev/full")
    #expect(attributes[.type] as? FileAttributeType == .typeCharacterSpecial)
  }
}

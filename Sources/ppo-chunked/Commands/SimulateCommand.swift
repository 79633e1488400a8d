import ArgumentParser
import Foundation
import Hashing
import RunConfig
import ServingSim
import Training

/// One cluster simulation.
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Simulates the cluster under one policy and prints what the requests experienced.",
    discussion: """
      --config takes a configuration or the scenario.json of a recorded run. Every row of --trace arrives once, at its own time; without a trace requests are
      drawn as the section workload says. A checkpoint brings its own configuration.

        ppo-chunked simulate --trace trace.csv --policy lor_full
      """)

  @OptionGroup var options: ConfigurationOptions
  @Option(
    help: ArgumentHelp(
      "Who routes: random, round_robin, lor, lor_full, lot, a checkpoint, a run directory, or replay:CSV for the column replica of an earlier "
        + "--requests-out (simulate.policy)."))
  var policy: String?
  @Option(
    parsing: .unconditional,
    help: "Requests that arrive; 0 = every row of the trace once, what --duration allows, or 2000 (simulate.requests).")
  var requests: Int?
  @Option(parsing: .unconditional, help: "Simulated seconds during which requests arrive; 0 = no limit (simulate.duration_seconds).")
  var duration: Double?
  @Option(parsing: .unconditional, help: "Simulated seconds after which the run is cut; 0 = never (simulate.time_limit_seconds).")
  var timeLimit: Double?
  @Option(
    help: ArgumentHelp(
      "sane, or reference: repeat the reference simulator event for event, its defects included (cluster.parity, timing.feature_rounding, and "
        + "workload.interval_cap 3)."))
  var parity: String?
  @Option(help: "CSV with a row per request.")
  var requestsOut: String?
  @Option(help: "CSV with all times of each request under the reference's names.")
  var requestMetricsOut: String?
  @Option(help: "CSV with a row per batch.")
  var batchesOut: String?
  @Option(help: "CSV with a row per batch and pipeline stage.")
  var stagesOut: String?
  @Option(help: "CSV with a row per event.")
  var eventsOut: String?
  @Option(help: "New directory for every metric in a file of its own (docs/simulator.md has the list).")
  var metricsDir: String?
  @Flag(help: "Measure the time between single output tokens, too.")
  var tokenMetrics = false
  @Flag(help: "Print as JSON.")
  var json = false

  func run() throws {
    for (option, value) in [
      ("--num-envs", options.numEnvs), ("--total-requests", options.totalRequests), ("--chunk-size", options.chunkSize),
    ] where value != nil {
      throw TrainingError(.usage, "\(option): only training has it; --requests and --duration say how much is simulated")
    }
    let scenario = try scenario()
    let given = policy ?? scenario?.policy
    // A checkpoint brings the configuration it was trained with, which the options change.
    let trained = try given.map { name throws(TrainingError) in try SimulatedPolicy(name: name) }
    var configuration = try load(scenario, over: trained?.configuration)
    let name = given ?? configuration.simulate.policy
    let policy = try trained ?? SimulatedPolicy(name: name)
    // It sees what it was trained to see, whatever the cluster is.
    if let own = policy.configuration { configuration.observation = own.observation }
    guard configuration.run.environment == .routing else {
      throw TrainingError(.usage, "run.environment: \(configuration.run.environment.rawValue) has no cluster to simulate")
    }
    let inputs = try RunInputs.readFiles(configuration)
    var run = try SimulationRun(inputs)
    let paths = SimulationOutputs.Paths(
      requests: requestsOut, requestMetrics: requestMetricsOut, batches: batchesOut, stages: stagesOut, events: eventsOut,
      metrics: metricsDir, measuresTokens: tokenMetrics || metricsDir != nil)
    var outputs = try SimulationOutputs(paths, cluster: run.cluster, expected: run.expected)
    try run.run(policy, outputs: &outputs)
    let digests = inputs.files.map { ($0.key, SHA256.hash($0.bytes).hex) }
    let report = SimulationReport(run, &outputs, policy: name, inputs: digests)
    try outputs.finish(summary: report.json.text(), configuration: configuration.resolvedText(), until: run.cluster.now)
    if json {
      Console.write(report.json.text())
    } else {
      for line in report.lines { Console.write(line) }
    }
  }

  /// The recorded scenario that `--config` names, nil if it is a configuration or not there at all.
  private func scenario() throws(TrainingError) -> (overrides: [String], policy: String)? {
    guard let path = options.config, let data = FileManager.default.contents(atPath: path),
      let root = try? JSONValue(parsing: String(decoding: data, as: UTF8.self)), ScenarioFile.isScenario(root)
    else { return nil }
    do throws(JSONError) {
      return try ScenarioFile.overrides(root, name: path)
    } catch {
      throw TrainingError(.usage, "\(error)")
    }
  }

  private func load(_ scenario: (overrides: [String], policy: String)?, over base: Configuration?) throws(TrainingError) -> Configuration {
    var own: [String] = []
    if let requests { own.append("simulate.requests=\(requests)") }
    if let duration { own.append("simulate.duration_seconds=\(duration)") }
    if let timeLimit { own.append("simulate.time_limit_seconds=\(timeLimit)") }
    if let parity { own.append("cluster.parity=\(parity)") }
    if parity == "sane" { own.append("timing.feature_rounding=exact") }
    if parity == "reference" { own += ["timing.feature_rounding=reference", "workload.interval_cap=3"] }
    var options = options
    if scenario != nil { options.config = nil }
    options.overrides = (scenario?.overrides ?? []) + own + options.overrides
    return try options.load(over: scenario == nil ? base : nil)
  }
}

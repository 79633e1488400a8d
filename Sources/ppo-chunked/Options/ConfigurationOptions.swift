import ArgumentParser
import RunConfig
import Training

/// The options that make a configuration: a file, then the short options, then `--set`, each winning over the one before.
struct ConfigurationOptions: ParsableArguments {
  @Option(help: "Configuration file (JSON, comments allowed); unnamed keys keep their built-in default.")
  var config: String?
  @Option(name: .customLong("set"), help: "Override one key: key.path=value. May be repeated.")
  var overrides: [String] = []
  @Option(parsing: .unconditional, help: "Seed of every random stream.")
  var seed: Int?
  @Option(parsing: .unconditional, help: "Logical environments of the run, whatever the number of ranks.")
  var numEnvs: Int?
  @Option(parsing: .unconditional, help: "Decisions of the whole run.")
  var totalRequests: Int?
  @Option(parsing: .unconditional, help: "Decisions of one chunk.")
  var chunkSize: Int?
  @Option(parsing: .unconditional, help: "Replicas the router chooses from.")
  var numReplicas: Int?
  @Option(parsing: .unconditional, help: "Mean arrival rate in requests per second; 0 = the trace's own, or 12 without a trace.")
  var qps: Double?
  @Option(help: "Trace to replay: CSV with arrived_at,num_prefill_tokens,num_decode_tokens.")
  var trace: String?
  @Option(parsing: .unconditional, help: "Begin of the trace window in seconds.")
  var from: Double?
  @Option(parsing: .unconditional, help: "End of the trace window in seconds; 0 = the end.")
  var to: Double?
  @Option(help: "What is trained: routing or cartpole.")
  var environment: String?

  /// The options as overrides of keys, in the order in which they apply.
  var allOverrides: [String] {
    var list: [String] = []
    func add(_ key: String, _ value: (some CustomStringConvertible)?) {
      if let value { list.append("\(key)=\(value)") }
    }
    add("run.seed", seed)
    add("run.num_envs", numEnvs)
    add("run.total_requests", totalRequests)
    add("run.chunk_size", chunkSize)
    add("cluster.num_replicas", numReplicas)
    add("run.environment", environment)
    if let trace {
      add("workload.kind", "trace")
      add("workload.trace", trace)
    }
    add("workload.qps", qps)
    add("workload.from_seconds", from)
    add("workload.to_seconds", to)
    return list + overrides
  }

  /// Reads and checks the configuration.
  ///
  /// - Parameter base: what the options change when no file is named; nil = the built-in default.
  /// - Throws: `TrainingError` with `.missingInput` for a file that is not there, `.usage` for anything wrong in it.
  func load(over base: Configuration? = nil) throws(TrainingError) -> Configuration {
    var text = [UInt8]((base ?? Configuration()).resolvedText().utf8)
    if let config {
      text = try InputFile.read(config, what: "configuration file")
    }
    let configuration: Configuration
    do throws(ConfigurationError) {
      configuration = try Configuration(parsing: text, name: config ?? "built-in configuration", overrides: allOverrides)
    } catch {
      throw TrainingError(.usage, error.description)
    }
    let isRecorded = configuration.workload.kind == .trace || configuration.workload.intervals == .trace
    for (option, value) in [("--from", from), ("--to", to)] where value != nil && !isRecorded {
      throw TrainingError(.usage, "\(option): a window of a trace, but there is none (--trace, or workload.intervals trace)")
    }
    return configuration
  }
}

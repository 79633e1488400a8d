import RunConfig
import ServingSim
import Training

/// The figures of one simulation for people and for programs.
struct SimulationReport {
  private static let shares: [(name: String, share: Double)] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)]

  private let policy: String
  private let configuration: Configuration
  private let inputs: [(key: String, digest: String)]
  private let metrics: RunMetrics
  private let rejections: [RejectedRequest]
  private let rejectedCount: Int
  private let usage: [ReplicaUsage]
  private let run: SimulationRun
  /// Rows of the table of times: name, unit factor, values with percentiles.
  private let times: [(name: String, key: String, values: Distribution, percentiles: [Double])]

  init(_ run: SimulationRun, _ outputs: inout SimulationOutputs, policy: String, inputs: [(key: String, digest: String)]) {
    self.run = run
    self.policy = policy
    self.inputs = inputs
    configuration = run.configuration
    rejections = outputs.rejections
    rejectedCount = outputs.rejectedCount
    usage = run.cluster.usage(until: run.cluster.now)
    let p = outputs.percentiles(Self.shares.map(\.share))
    let gaps = outputs.tokenPercentiles(Self.shares.map(\.share))
    metrics = outputs.metrics
    var times = [
      ("end to end", "end_to_end", metrics.endToEnd, p.endToEnd),
      ("per output token", "end_to_end_normalized", metrics.endToEndNormalized, p.endToEndNormalized),
      ("time to first token", "time_to_first_token", metrics.timeToFirstToken, p.timeToFirstToken),
      ("between tokens", "time_between_tokens", metrics.timeBetweenTokens, p.timeBetweenTokens),
      ("queueing", "scheduling_delay", metrics.schedulingDelay, p.schedulingDelay),
    ]
    if let gaps, let tokens = outputs.tokens { times.insert(("token to token", "token_to_token", tokens.gaps, gaps), at: 4) }
    self.times = times
  }

  private var unfinished: Int { run.cluster.inFlightCount }
  private var configuredRate: Double { configuration.workload.qps }
  private var effectiveRate: Double { run.routing.workload.meanRate }

  // MARK: People

  /// The summary, line by line.
  var lines: [String] {
    var lines = [
      "policy \(policy), \(run.cluster.replicaCount) replicas, seed \(configuration.run.seed), parity \(configuration.cluster.parity.rawValue)",
      "requests: \(run.arrived) arrived, \(metrics.completed) completed, \(rejectedCount + run.workload.rejectedCount) rejected, "
        + "\(unfinished) unfinished, \(run.workload.clampedCount) shortened, \(metrics.restarts) restarts, \(run.cluster.reroutedCount) rerouted",
      "arrival rate \(rateText); served \(Self.text(metrics.throughput)) requests/s, "
        + "\(Self.text(perSecond(metrics.prefillTokens))) prompt and \(Self.text(perSecond(metrics.decodeTokens))) output tokens/s "
        + "over \(Self.text(metrics.makespan)) s",
      "", Self.row("seconds", ["mean"] + Self.shares.map(\.name) + ["max"]),
    ]
    for time in times { lines.append(Self.row(time.name, ([time.values.mean] + time.percentiles + [time.values.greatest]).map(Self.text))) }
    lines.append("")
    lines.append(Self.row("replica", ["requests", "share %", "busy %", "memory %", "max", "MFU %", "batch size"]))
    for (replica, count) in metrics.completedByReplica.enumerated() {
      let use = usage[replica]
      let busy = use.busy.reduce(0, +) / Double(use.busy.count)
      let share = 100 * Double(count) / Double(max(1, metrics.completed))
      let figures = [share, busy, use.memoryMean, use.memoryMax, use.modelFlopsUtilization, use.batchSizeMean]
      lines.append(Self.row("\(replica)", ["\(count)"] + figures.map(Self.text)))
    }
    if metrics.priorities.count > 1 {
      lines.append("")
      lines.append(Self.row("priority", ["requests", "e2e mean", "ttft mean"]))
      for p in metrics.priorities {
        lines.append(Self.row("\(p.priority)", ["\(p.completed)", Self.text(p.endToEndMean), Self.text(p.timeToFirstTokenMean)]))
      }
    }
    for rejection in rejections.prefix(3) { lines.append("rejected: \(Self.text(rejection))") }
    return lines
  }

  private var rateText: String {
    guard effectiveRate.isFinite else { return "without end, everything comes at once" }
    let profile = run.routing.workload.rateProfile
    let isBefore = profile != nil && profile?.meanFactor == nil
    return "\(Self.text(effectiveRate)) requests/s\(isBefore ? " before rate_schedule and bursts" : "")"
      + (configuredRate > 0 && configuredRate != effectiveRate ? " (workload.qps \(configuredRate))" : "")
  }

  private func perSecond(_ tokens: Int) -> Double { metrics.makespan > 0 ? Double(tokens) / metrics.makespan : 0 }

  private static func row(_ name: String, _ cells: [String]) -> String {
    let padded = name + String(repeating: " ", count: max(0, 20 - name.count))
    return padded + cells.map { String(repeating: " ", count: max(1, 11 - $0.count)) + $0 }.joined()
  }

  /// Four decimals; a dash for what does not exist.
  private static func text(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e14 else { return value.isFinite ? "\(value)" : "-" }
    let scaled = Int((abs(value) * 10_000).rounded())
    let fraction = String(scaled % 10_000)
    return (value < 0 ? "-" : "") + "\(scaled / 10_000)." + String(repeating: "0", count: 4 - fraction.count) + fraction
  }

  private static func text(_ rejection: RejectedRequest) -> String {
    let request = rejection.spec
    let what = "arrival at \(request.arrivedAt) s of \(request.prefillTokens) + \(request.decodeTokens) tokens"
    switch rejection.reason {
    case .tooManyTokens(let limit): return "\(what): the longest request has \(limit) (cluster.max_tokens)"
    case .noReplicaLeft: return "\(what): no replica that it fits on will take requests again"
    case .tooManyBlocks(let needed, let available): return "\(what): needs \(needed) KV blocks, a replica can give \(available)"
    }
  }

  // MARK: Programs

  /// Everything, with the resolved configuration and the digests of the input files.
  var json: JSONValue {
    var members: [JSONMember] = [
      JSONMember("policy", .string(policy)), JSONMember("seed", .integer(configuration.run.seed)),
      JSONMember("arrived", .integer(run.arrived)), JSONMember("completed", .integer(metrics.completed)),
      JSONMember("unfinished", .integer(unfinished)),
      JSONMember("rejected", .integer(rejectedCount + run.workload.rejectedCount)),
      JSONMember("shortened", .integer(run.workload.clampedCount)), JSONMember("restarts", .integer(metrics.restarts)),
      JSONMember("rerouted", .integer(run.cluster.reroutedCount)),
      JSONMember("events", .integer(run.cluster.handledEvents)), JSONMember("effective_arrival_rate", Self.number(effectiveRate)),
      JSONMember("makespan", .number(metrics.makespan)), JSONMember("throughput", .number(metrics.throughput)),
      JSONMember("prompt_tokens_per_second", .number(perSecond(metrics.prefillTokens))),
      JSONMember("output_tokens_per_second", .number(perSecond(metrics.decodeTokens))),
    ]
    for time in times { members.append(JSONMember(time.key, Self.json(time.values, time.percentiles))) }
    members.append(JSONMember("execution", Self.moments(metrics.execution)))
    members.append(JSONMember("preemption", Self.moments(metrics.preemption)))
    members.append(JSONMember("percentiles_exact", .boolean(metrics.endToEnd.isExact)))
    members.append(JSONMember("completed_by_replica", .array(metrics.completedByReplica.map { .integer($0) })))
    members.append(JSONMember("usage_by_replica", .array(usage.map(Self.json))))
    members.append(
      JSONMember(
        "priorities",
        .array(
          metrics.priorities.map { p in
            [
              "priority": .number(p.priority), "completed": .integer(p.completed), "end_to_end_mean": .number(p.endToEndMean),
              "time_to_first_token_mean": .number(p.timeToFirstTokenMean),
            ]
          })))
    members.append(JSONMember("rejections", .array(rejections.map { .string(Self.text($0)) })))
    members.append(JSONMember("inputs", .object(inputs.map { JSONMember($0.key, .string($0.digest)) })))
    members.append(JSONMember("configuration", configuration.resolved()))
    return .object(members)
  }

  private static func moments(_ values: Distribution) -> JSONValue {
    ["mean": number(values.mean), "min": number(values.least), "max": number(values.greatest)]
  }

  private static func json(_ usage: ReplicaUsage) -> JSONValue {
    [
      "memory_percent_mean": number(usage.memoryMean), "memory_percent_max": number(usage.memoryMax),
      "busy_percent": .array(usage.busy.map(number)), "mfu_percent": number(usage.modelFlopsUtilization),
      "batches": .integer(usage.batches), "batch_size_mean": number(usage.batchSizeMean),
      "batch_tokens_mean": number(usage.batchTokensMean),
    ]
  }

  private static func json(_ values: Distribution, _ percentiles: [Double]) -> JSONValue {
    var members: [JSONMember] = [
      JSONMember("mean", number(values.mean)), JSONMember("min", number(values.least)), JSONMember("max", number(values.greatest)),
    ]
    for (share, value) in zip(shares, percentiles) { members.append(JSONMember(share.name, number(value))) }
    return .object(members)
  }

  private static func number(_ value: Double) -> JSONValue { value.isFinite ? .number(value) : .null }
}

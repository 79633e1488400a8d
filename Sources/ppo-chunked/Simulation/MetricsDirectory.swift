import Foundation
import ServingSim
import Training

/// The directory of `simulate --metrics-dir`: every metric of a simulation in a file of its own, under the reference's names and with the replicas'
/// true numbers. Rows are written while the simulation runs; distributions, means over time and the summary at its end.
struct MetricsDirectory {
  /// What the simulation must record.
  static let parts: EventLog.Parts = [.events, .batches, .stages, .work, .tokens]

  private let path: String
  private let parity: SchedulerParity
  private let requests: CSVOutput
  private let batches: CSVOutput
  private let trace: CSVOutput
  private let throughput: CSVOutput
  private var operations: CSVOutput?
  private var engine: CSVOutput?
  private var arrivals: CumulativeFile
  private var completions: CumulativeFile
  private var prefills: CumulativeFile
  private var decodes: CumulativeFile

  private var figures: [Distribution]
  private var batchMetrics = BatchMetrics()
  private var tokens: TokenMeter
  private var utilization: UtilizationMeter
  private var tracedStages = 0
  private var latencySum = 0.0

  /// Creates the directory. One that holds something is refused, so that no file of another simulation is taken for one of this.
  init(path: String, cluster: ClusterSimulation) throws(TrainingError) {
    self.path = path
    parity = cluster.configuration.replicas[0].scheduler.parity
    if let names = try? FileManager.default.contentsOfDirectory(atPath: path), !names.isEmpty {
      throw TrainingError(.outputUnusable, "--metrics-dir: \(path) is not empty; name a new directory or empty it")
    }
    do {
      try FileManager.default.createDirectory(atPath: path + "/plots", withIntermediateDirectories: true)
    } catch {
      throw TrainingError(.outputUnusable, "--metrics-dir: \(path) cannot be created")
    }
    requests = try CSVOutput(path: path + "/request_metrics.csv", columns: RequestFigures.columns)
    batches = try CSVOutput(
      path: path + "/batch_metrics.csv",
      columns: "Batch Id,replica,batch_execution_time,batch_num_tokens,batch_num_prefill_tokens,batch_num_decode_tokens,batch_size")
    throughput = try CSVOutput(path: path + "/throughput_latency.csv", columns: "time,throughput,avg_latency")
    trace = try CSVOutput(path: path + "/chrome_trace.json", columns: "[")
    let plots = path + "/plots/"
    arrivals = try CumulativeFile(plots, "request_arrival")
    completions = try CumulativeFile(plots, "request_completion")
    prefills = try CumulativeFile(plots, "prefill_completion")
    decodes = try CumulativeFile(plots, "decode_completion")
    figures = RequestFigures.names.map { _ in Distribution(overflow: .drop) }
    tokens = TokenMeter(parity: parity)
    utilization = UtilizationMeter(cluster)
  }

  // MARK: While it runs

  /// Takes in a request when it completes.
  mutating func add(_ request: CompletedRequest) throws(TrainingError) {
    try completions.add(1, at: request.completedAt)
    latencySum += request.endToEndSeconds
    let count = Double(completions.total)
    if request.completedAt > 0 { try throughput.write("\(request.completedAt),\(count / request.completedAt),\(latencySum / count)") }
  }

  /// Takes in a request in the order of ids.
  mutating func add(_ request: CompletedRequest, delay: Double?) throws(TrainingError) {
    try requests.write(RequestFigures.row(request, delay: delay))
    for (place, value) in RequestFigures.values(request, delay: delay).enumerated() {
      if let value { figures[place].add(value) }
    }
  }

  /// Takes in the next piece of what was recorded.
  mutating func add(_ log: EventLog) throws(TrainingError) {
    batchMetrics.add(log)
    tokens.add(log)
    utilization.add(log)
    for event in log.events where event.kind == .requestArrival { try arrivals.add(1, at: event.time) }
    for record in log.tokens {
      let prefilled = record.members.reduce(0) { $0 + $1.prefillTokens }
      if prefilled > 0 { try prefills.add(prefilled, at: record.time) }
      let decoded = record.members.count { parity == .sane ? $0.prefillTokens == 0 : $0.isDecode }
      if decoded > 0 { try decodes.add(decoded, at: record.time) }
    }
    for batch in log.batches {
      guard let end = batch.completedAt else { continue }
      let sum = batch.tokens.reduce(0, +)
      try batches.write(
        "\(batch.id),\(batch.replica),\(end - batch.scheduledAt),\(sum),\(batch.prefillTokens),\(sum - batch.prefillTokens),"
          + "\(batch.requests.count)")
    }
    for stage in log.stages { try add(stage) }
  }

  private mutating func add(_ stage: EventLog.StageRecord) throws(TrainingError) {
    guard let work = stage.work else { return }
    let ids = work.requests.map(String.init).joined(separator: " ")
    let seconds = stage.completedAt - stage.scheduledAt
    try trace.write(
      (tracedStages == 0 ? "" : ",")
        + "{\"name\":\"\(ids)\",\"ph\":\"X\",\"ts\":\(stage.scheduledAt * 1e6),\"dur\":\(seconds * 1e6),\"pid\":\(stage.replica),"
        + "\"tid\":\(stage.stage),\"args\":{\"batch\":\(stage.batch),\"tokens\":\(work.tokens)}}")
    tracedStages += 1
    guard let times = work.operations else { return }
    let place = "\(stage.batch),\(stage.replica),\(stage.stage)"
    if operations == nil {
      let names = Operation.allCases.map(\.rawValue).joined(separator: ",")
      operations = try CSVOutput(
        path: path + "/operation_metrics.csv", columns: "Batch Id,replica,stage,num_layers,\(names),pipeline_send_recv")
    }
    let cells = times.perLayer.map { "\($0)" }.joined(separator: ",")
    try operations?.write("\(place),\(times.layers),\(cells),\(times.sendReceive)")
    guard let own = times.engine else { return }
    if engine == nil {
      let names = EngineOperation.allCases.map(\.rawValue).joined(separator: ",")
      engine = try CSVOutput(path: path + "/cpu_operation_metrics.csv", columns: "Batch Id,replica,stage,\(names),model_execution_e2e")
    }
    try engine?.write("\(place),\(own.map { "\($0)" }.joined(separator: ",")),\(stage.modelSeconds * 1e3)")
  }

  // MARK: At its end

  /// Writes what is known at the end only, and closes the files.
  mutating func finish(summary: String, configuration: String, until end: Double) throws(TrainingError) {
    try trace.write("]")
    for file in [requests, batches, throughput, trace, operations, engine] { try file?.close() }
    for file in [arrivals, completions, prefills, decodes] { try file.close() }
    let shares = (0...100).map { Double($0) / 100 }
    for (place, name) in RequestFigures.names.enumerated() { try writeDistribution(name, figures[place].percentiles(shares), shares) }
    for metric in batchMetrics.named(shares) { try writeDistribution(metric.name, metric.percentiles, shares) }
    try writeDistribution("decode_token_execution_plus_preemption_time", tokens.percentiles(shares), shares)
    for (index, replica) in utilization.replicas.enumerated() {
      try writeSeries("replica_\(index)_memory_usage", replica.memory, end)
      for (number, stage) in replica.stages.enumerated() {
        try writeSeries("replica_\(index)_stage_\(number)_busy_time_percent", stage.busy, end)
        try writeSeries("replica_\(index)_stage_\(number)_mfu", stage.modelFlopsUtilization, end)
      }
    }
    try write("summary.json", summary)
    try write("config.json", configuration)
  }

  /// The values at each percent; nothing where there are none, or too many to keep.
  private func writeDistribution(_ name: String, _ values: [Double], _ shares: [Double]) throws(TrainingError) {
    if values.contains(where: \.isNaN) { return }
    let file = try CSVOutput(path: "\(path)/plots/\(name).csv", columns: "\(name),cdf")
    for (value, share) in zip(values, shares) { try file.write("\(value),\(share)") }
    try file.close()
  }

  private func writeSeries(_ name: String, _ series: StepSeries, _ end: Double) throws(TrainingError) {
    let (mean, least, greatest) = series.summary(until: end)
    try write("plots/\(name).json", "{\"\(name)_min\": \(least), \"\(name)_max\": \(greatest), \"\(name)_weighted_mean\": \(mean)}")
  }

  private func write(_ name: String, _ text: String) throws(TrainingError) {
    let file = try CSVOutput(path: path + "/" + name, columns: text)
    try file.close()
  }
}

/// A time series of sums: a row whenever something is added.
struct CumulativeFile {
  private let file: CSVOutput
  /// Sum so far.
  private(set) var total = 0

  init(_ folder: String, _ name: String) throws(TrainingError) {
    file = try CSVOutput(path: "\(folder)\(name)_time_series.csv", columns: "time,\(name)")
  }

  /// Adds `amount` at `time`, not before the addition before.
  mutating func add(_ amount: Int, at time: Double) throws(TrainingError) {
    total += amount
    try file.write("\(time),\(total)")
  }

  /// The file is complete afterwards.
  func close() throws(TrainingError) { try file.close() }
}

import ServingSim
import Training

/// The files and figures of one simulation, fed while it runs.
struct SimulationOutputs {
  /// Paths of the files that are asked for.
  struct Paths {
    var requests: String?
    var requestMetrics: String?
    var batches: String?
    var stages: String?
    var events: String?

    /// Whether the use of the replicas is measured.
    var measuresUsage = true

    /// What the simulation must record.
    var parts: EventLog.Parts {
      var parts: EventLog.Parts = measuresUsage ? UsageMeter.parts : []
      if batches != nil { parts.insert(.batches) }
      if stages != nil { parts.insert(.stages) }
      if events != nil { parts.insert(.events) }
      return parts
    }
  }

  /// Times and counts over all completed requests.
  private(set) var metrics: RunMetrics
  /// Use of the replicas, if it is measured.
  private(set) var usage: UsageMeter?
  /// What the simulation must record.
  let parts: EventLog.Parts
  /// Requests turned away, at most a hundred of them.
  private(set) var rejections: [RejectedRequest] = []
  /// Requests turned away by the cluster.
  private(set) var rejectedCount = 0

  private let requests: CSVOutput?
  private let requestMetrics: CSVOutput?
  private let batches: CSVOutput?
  private let stages: CSVOutput?
  private let events: CSVOutput?
  /// Finished requests whose predecessors are not finished, by id from `nextRow` on: rows are in the order of ids.
  private var waitingRows: [CompletedRequest?] = []
  private var nextRow = 0
  private var eventNumber = 0

  init(_ paths: Paths, cluster: ClusterSimulation, expected: Int) throws(TrainingError) {
    metrics = RunMetrics(replicaCount: cluster.replicaCount, expected: expected)
    usage = paths.measuresUsage ? UsageMeter(cluster) : nil
    parts = paths.parts
    requests = try Self.open(paths.requests, Self.requestColumns)
    requestMetrics = try Self.open(paths.requestMetrics, Self.metricColumns)
    batches = try Self.open(
      paths.batches,
      "batch_id,replica,scheduled_at,completed_at,request_ids,num_tokens,num_prefill_tokens,blocks_allocated_after_scheduling,"
        + "waiting_after_scheduling")
    stages = try Self.open(paths.stages, "batch_id,replica,stage,scheduled_at,completed_at")
    events = try Self.open(paths.events, "seq,time,event,replica,stage,detail")
  }

  /// Takes in finished requests of `cluster`.
  mutating func add(_ completions: [CompletedRequest], _ cluster: ClusterSimulation) throws(TrainingError) {
    for request in completions {
      metrics.add(request)
      if requests == nil && requestMetrics == nil { continue }
      let place = request.id - nextRow
      while waitingRows.count <= place { waitingRows.append(nil) }
      waitingRows[place] = request
    }
    var written = 0
    while written < waitingRows.count {
      // A gap that is not alive any more was turned away when its last replica failed.
      if let request = waitingRows[written] { try write(request) } else if cluster.isLive(nextRow + written) { break }
      written += 1
    }
    if written > 0 {
      waitingRows.removeFirst(written)
      nextRow += written
    }
  }

  /// See `RunMetrics.percentiles`; in place, as a copy of ten million values would double the memory.
  mutating func percentiles(_ shares: [Double]) -> RunMetrics.Percentiles { metrics.percentiles(shares) }

  /// Takes in requests that were turned away.
  mutating func add(_ rejected: [RejectedRequest]) {
    rejectedCount += rejected.count
    rejections += rejected.prefix(max(0, 100 - rejections.count))
  }

  /// Writes what was recorded and the rows of requests that were not served to the end, and closes the files.
  mutating func finish(_ cluster: ClusterSimulation) throws(TrainingError) {
    if let log = cluster.log { try add(log) }
    for (place, request) in waitingRows.enumerated() {
      if let request { try write(request) } else { try writeUnfinished(nextRow + place, cluster) }
    }
    var id = nextRow + waitingRows.count
    while id < cluster.nextRequestID {
      try writeUnfinished(id, cluster)
      id += 1
    }
    for file in [requests, requestMetrics, batches, stages, events] { try file?.close() }
  }

  private static func open(_ path: String?, _ columns: String) throws(TrainingError) -> CSVOutput? {
    guard let path else { return nil }
    return try CSVOutput(path: path, columns: columns)
  }
}

extension SimulationOutputs {
  static let requestColumns =
    "request_id,arrived_at,num_prefill_tokens,num_decode_tokens,replica,scheduled_at,prefill_completed_at,completed_at,num_restarts,completed"

  /// The reference's names of the metrics of a request.
  static let metricColumns =
    "Request Id,request_e2e_time,request_e2e_time_normalized,request_execution_time,request_execution_time_normalized,request_model_execution_time,"
    + "request_model_execution_time_normalized,request_preemption_time,"
    + "request_scheduling_delay,request_execution_plus_preemption_time,request_execution_plus_preemption_time_normalized,prefill_e2e_time,"
    + "prefill_time_execution_plus_preemption,prefill_time_execution_plus_preemption_normalized,"
    + "decode_time_execution_plus_preemption_normalized,request_num_tokens,request_num_prefill_tokens,request_num_decode_tokens,request_pd_ratio,"
    + "request_num_restarts,priority"

  private func write(_ r: CompletedRequest) throws(TrainingError) {
    try requests?.write(
      "\(r.id),\(r.arrivedAt),\(r.prefillTokens),\(r.decodeTokens),\(r.replica),\(r.scheduledAt),\(r.prefillCompletedAt),\(r.completedAt),"
        + "\(r.restarts),1")
    guard let requestMetrics else { return }
    let (prefill, decode) = (Double(r.prefillTokens), Double(r.decodeTokens))
    let busy = r.executionSeconds + r.preemptedSeconds
    let prefillTime = r.prefillCompletedAt - r.scheduledAt
    let values: [Double] = [
      r.endToEndSeconds, r.endToEndSeconds / decode, r.executionSeconds, r.executionSeconds / decode, r.modelExecutionSeconds,
      r.modelExecutionSeconds / decode, r.preemptedSeconds,
      r.schedulingDelaySeconds, busy, busy / decode, r.timeToFirstTokenSeconds, prefillTime, prefillTime / prefill,
      r.timeBetweenTokensSeconds,
    ]
    try requestMetrics.write(
      "\(r.id)," + values.map { "\($0)" }.joined(separator: ",")
        + ",\(r.prefillTokens + r.decodeTokens),\(r.prefillTokens),\(r.decodeTokens),\(prefill / decode),\(r.restarts),\(r.priority)")
  }

  private func writeUnfinished(_ id: Int, _ cluster: ClusterSimulation) throws(TrainingError) {
    guard let requests, cluster.isLive(id) else { return }
    let r = cluster.request(id)
    func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
    try requests.write(
      "\(id),\(r.arrivedAt),\(r.prefillTokens),\(r.decodeTokens),\(r.replica.map { "\($0)" } ?? ""),\(text(r.scheduledAt)),"
        + "\(text(r.prefillCompletedAt)),,\(r.restarts),0")
  }

  /// Takes in the next piece of what was recorded.
  mutating func add(_ log: EventLog) throws(TrainingError) {
    usage?.add(log)
    if let batches {
      for b in log.batches {
        let (ids, tokens) = (b.requests.map(String.init).joined(separator: " "), b.tokens.map(String.init).joined(separator: " "))
        try batches.write(
          "\(b.id),\(b.replica),\(b.scheduledAt),\(b.completedAt.map { "\($0)" } ?? ""),\(ids),\(tokens),\(b.prefillTokens),\(b.allocatedBlocks),"
            + "\(b.waitingCount)")
      }
    }
    if let stages {
      for s in log.stages { try stages.write("\(s.batch),\(s.replica),\(s.stage),\(s.scheduledAt),\(s.completedAt)") }
    }
    guard let events else { return }
    for event in log.events {
      let (replica, stage) = (event.replica.map { "\($0)" } ?? "", event.stage.map { "\($0)" } ?? "")
      try events.write("\(eventNumber),\(event.time),\(Self.name(event.kind)),\(replica),\(stage),\(Self.text(event.detail))")
      eventNumber += 1
    }
  }

  /// The reference's name of a kind of event.
  private static func name(_ kind: EventKind) -> String {
    switch kind {
    case .requestArrival: "RequestArrivalEvent"
    case .globalSchedule: "GlobalScheduleEvent"
    case .replicaSchedule: "ReplicaScheduleEvent"
    case .batchStageArrival: "BatchStageArrivalEvent"
    case .replicaStageSchedule: "ReplicaStageScheduleEvent"
    case .batchStageEnd: "BatchStageEndEvent"
    case .batchEnd: "BatchEndEvent"
    case .availabilityChange: "AvailabilityChangeEvent"
    }
  }

  private static func text(_ detail: EventLog.Detail) -> String {
    switch detail {
    case .none: ""
    case .arrival(let request): "request=\(request)"
    case .placements(let placements): placements.map { "\($0.request)->\($0.replica)" }.joined(separator: " ")
    case .batches(let batches): "batch=" + batches.map(String.init).joined(separator: " ")
    case .change(let kind): kind.rawValue
    }
  }
}

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
    /// Directory of all metrics.
    var metrics: String?

    /// Whether the times between single tokens are measured.
    var measuresTokens = false

    /// What the simulation must record.
    var parts: EventLog.Parts {
      var parts: EventLog.Parts = []
      if batches != nil { parts.insert(.batches) }
      if stages != nil { parts.insert(.stages) }
      if events != nil { parts.insert(.events) }
      if measuresTokens { parts.formUnion(TokenMeter.parts) }
      if metrics != nil { parts.formUnion(MetricsDirectory.parts) }
      return parts
    }
  }

  /// Times and counts over all completed requests.
  private(set) var metrics: RunMetrics
  /// Times between single tokens, if they are measured.
  private(set) var tokens: TokenMeter?
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
  private var directory: MetricsDirectory?
  /// Finished requests whose predecessors are not finished, by id from `nextRow` on: rows are in the order of ids.
  private var waitingRows: [CompletedRequest?] = []
  private var nextRow = 0
  /// Arrival of the request of the row before.
  private var previousArrival: Double?
  private var eventNumber = 0

  init(_ paths: Paths, cluster: ClusterSimulation, expected: Int) throws(TrainingError) {
    metrics = RunMetrics(replicaCount: cluster.replicaCount, expected: expected)
    let parity = cluster.configuration.replicas[0].scheduler.parity
    tokens = paths.measuresTokens ? TokenMeter(parity: parity) : nil
    parts = paths.parts
    requests = try Self.open(paths.requests, Self.requestColumns)
    requestMetrics = try Self.open(paths.requestMetrics, RequestFigures.columns)
    batches = try Self.open(
      paths.batches,
      "batch_id,replica,scheduled_at,completed_at,request_ids,num_tokens,num_prefill_tokens,blocks_allocated_after_scheduling,"
        + "waiting_after_scheduling")
    stages = try Self.open(paths.stages, "batch_id,replica,stage,scheduled_at,completed_at")
    events = try Self.open(paths.events, "seq,time,event,replica,stage,detail")
    directory = try paths.metrics.map { path throws(TrainingError) in try MetricsDirectory(path: path, cluster: cluster) }
  }

  /// Takes in finished requests of `cluster`.
  mutating func add(_ completions: [CompletedRequest], _ cluster: ClusterSimulation) throws(TrainingError) {
    for request in completions {
      metrics.add(request)
      try directory?.add(request)
      if requests == nil && requestMetrics == nil && directory == nil { continue }
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

  /// The same of the times between single tokens; nil if they were not measured.
  mutating func tokenPercentiles(_ shares: [Double]) -> [Double]? { tokens?.percentiles(shares) }

  /// Takes in requests that were turned away.
  mutating func add(_ rejected: [RejectedRequest]) {
    rejectedCount += rejected.count
    rejections += rejected.prefix(max(0, 100 - rejections.count))
  }

  /// Writes the summary into the directory of all metrics, if there is one.
  mutating func finish(summary: String, configuration: String, until end: Double) throws(TrainingError) {
    try directory?.finish(summary: summary, configuration: configuration, until: end)
  }

  /// Writes what was recorded and the rows of requests that were not served to the end, and closes the files.
  mutating func finish(_ cluster: ClusterSimulation) throws(TrainingError) {
    if let log = cluster.log { try add(log) }
    for (place, request) in waitingRows.enumerated() {
      if let request { try write(request) } else { try writeUnfinished(nextRow + place, cluster) }
    }
    var id = nextRow + waitingRows.count
    // The last one taken from the workload may not have arrived yet.
    while id < cluster.nextRequestID - cluster.pendingArrivalCount {
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

  private mutating func write(_ r: CompletedRequest) throws(TrainingError) {
    let delay = previousArrival.map { r.arrivedAt - $0 }
    previousArrival = r.arrivedAt
    try requests?.write(
      "\(r.id),\(r.arrivedAt),\(r.prefillTokens),\(r.decodeTokens),\(r.replica),\(r.scheduledAt),\(r.prefillCompletedAt),\(r.completedAt),"
        + "\(r.restarts),1")
    try requestMetrics?.write(RequestFigures.row(r, delay: delay))
    try directory?.add(r, delay: delay)
  }

  private mutating func writeUnfinished(_ id: Int, _ cluster: ClusterSimulation) throws(TrainingError) {
    guard cluster.isLive(id) else { return }
    let r = cluster.request(id)
    previousArrival = r.arrivedAt
    guard let requests else { return }
    func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
    try requests.write(
      "\(id),\(r.arrivedAt),\(r.prefillTokens),\(r.decodeTokens),\(r.replica.map { "\($0)" } ?? ""),\(text(r.scheduledAt)),"
        + "\(text(r.prefillCompletedAt)),,\(r.restarts),0")
  }

  /// Takes in the next piece of what was recorded.
  mutating func add(_ log: EventLog) throws(TrainingError) {
    tokens?.add(log)
    try directory?.add(log)
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

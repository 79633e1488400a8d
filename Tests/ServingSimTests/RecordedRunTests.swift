import ServingSim
import Testing

/// Whole simulations recorded from the reference simulator: every event, batch, stage and request, times bit for bit.
@Suite(.enabled(if: RecordedData.isPresent, "recorded runs (shared/data/simulator) are not beside this checkout"))
struct RecordedRunTests {
  struct Scenario: CustomTestStringConvertible {
    let folder: String
    let configuration: ClusterConfiguration
    let routing: TestRouting
    var testDescription: String { folder }

    static let all: [Scenario] = [
      Scenario(
        folder: "simulator/s02_lor_vllm_cap", configuration: configuration(4, .vllm(maxTokensInBatch: 4096), cap: 4),
        routing: .fewestWaiting),
      Scenario(
        folder: "simulator/s05_sarathi_rr", configuration: configuration(2, .sarathi(chunkTokens: 256), cap: 32), routing: .roundRobin),
    ]

    static func configuration(_ replicas: Int, _ kind: ReplicaSchedulerConfiguration.Kind, cap: Int) -> ClusterConfiguration {
      ClusterConfiguration(
        replicaCount: replicas, scheduler: ReplicaSchedulerConfiguration(kind: kind, batchSizeCap: cap, parity: .reference),
        timeModel: .linear(a: 0.0078125, b: 6.103515625e-05, c: 0.0001220703125, d: 4.76837158203125e-07), blockCount: 4096)
    }
  }

  func run(_ scenario: Scenario) throws -> SimulationDriver {
    let trace = try Trace.parse(bytes: RecordedData.bytes(scenario.folder + "/trace.csv"), name: "trace.csv")
    var driver = try SimulationDriver(scenario.configuration, routing: scenario.routing)
    driver.run(trace.rows.map { spec($0.arrivedAt, $0.prefillTokens, $0.decodeTokens) })
    return driver
  }

  @Test("every event as recorded", arguments: Scenario.all)
  func events(scenario: Scenario) throws {
    let log = try #require(try run(scenario).cluster.log)
    let rows = try RecordedData.rows(scenario.folder + "/events.csv")
    #expect(log.events.count == rows.count)
    for (entry, row) in zip(log.events, rows) {
      let found = [name(entry.kind), entry.replica.map(String.init) ?? "", entry.stage.map(String.init) ?? "", text(entry.detail)]
      try #require(found == Array(row[2...]), "event \(row[0])")
      try #require(entry.time == Double(row[1]), "event \(row[0])")
    }
  }

  @Test("every batch and stage as recorded", arguments: Scenario.all)
  func batches(scenario: Scenario) throws {
    let log = try #require(try run(scenario).cluster.log)
    let rows = try RecordedData.rows(scenario.folder + "/batches.csv")
    #expect(log.batches.count == rows.count)
    for (batch, row) in zip(log.batches, rows) {
      let found = [
        "\(batch.id)", "\(batch.replica)", batch.requests.map(String.init).joined(separator: " "),
        batch.tokens.map(String.init).joined(separator: " "), "\(batch.prefillTokens)", "\(batch.allocatedBlocks)", "\(batch.waitingCount)",
      ]
      try #require(found == Array(row[0...1] + row[4...]), "batch \(row[0])")
      try #require(batch.scheduledAt == Double(row[2]) && batch.completedAt == Double(row[3]), "batch \(row[0])")
    }
    let stageRows = try RecordedData.rows(scenario.folder + "/stages.csv")
    #expect(log.stages.count == stageRows.count)
    let stages = log.stages.sorted { ($0.batch, $0.stage) < ($1.batch, $1.stage) }
    let recorded = stageRows.sorted { (Int($0[0]) ?? 0, Int($0[2]) ?? 0) < (Int($1[0]) ?? 0, Int($1[2]) ?? 0) }
    for (stage, row) in zip(stages, recorded) {
      try #require(["\(stage.batch)", "\(stage.replica)", "\(stage.stage)"] == Array(row[0..<3]))
      try #require(stage.scheduledAt == Double(row[3]) && stage.completedAt == Double(row[4]), "stage of batch \(row[0])")
    }
  }

  @Test("every request as recorded", arguments: Scenario.all)
  func requests(scenario: Scenario) throws {
    let completed = try run(scenario).completed.sorted { $0.id < $1.id }
    let rows = try RecordedData.rows(scenario.folder + "/requests.csv")
    #expect(completed.count == rows.count)
    for (request, row) in zip(completed, rows) {
      let counts = [request.id, request.prefillTokens, request.decodeTokens, request.replica, request.restarts].map(String.init)
      try #require(counts == [row[0], row[2], row[3], row[4], row[8]])
      let times = [request.arrivedAt, request.scheduledAt, request.prefillCompletedAt, request.completedAt]
      try #require(times == [row[1], row[5], row[6], row[7]].compactMap(Double.init), "request \(row[0])")
    }
  }

  func name(_ kind: EventKind) -> String {
    switch kind {
    case .requestArrival: "RequestArrivalEvent"
    case .globalSchedule: "GlobalScheduleEvent"
    case .replicaSchedule: "ReplicaScheduleEvent"
    case .batchStageArrival: "BatchStageArrivalEvent"
    case .replicaStageSchedule: "ReplicaStageScheduleEvent"
    case .batchStageEnd: "BatchStageEndEvent"
    case .batchEnd: "BatchEndEvent"
    case .availabilityChange: "none in the reference"
    }
  }

  func text(_ detail: EventLog.Detail) -> String {
    switch detail {
    case .none: ""
    case .arrival(let request): "request=\(request)"
    case .placements(let placements): placements.map { "\($0.request)->\($0.replica)" }.joined(separator: " ")
    case .change(let kind): kind.rawValue
    case .batches(let batches): "batch=" + batches.map(String.init).joined(separator: " ")
    }
  }
}

import ServingSim

/// Routing rules that drive a simulation in tests.
enum TestRouting {
  /// Fewest waiting requests, ties to the lowest id.
  case fewestWaiting
  /// In turn.
  case roundRobin
  /// Fewest waiting and resident requests.
  case fewestOutstanding
}

/// A simulation and what came out of it.
struct SimulationDriver {
  var cluster: ClusterSimulation
  var routing: TestRouting
  var completed: [CompletedRequest] = []
  var placements: [Int] = []

  init(_ configuration: ClusterConfiguration, routing: TestRouting = .fewestWaiting, records: Bool = true) throws {
    cluster = try ClusterSimulation(configuration)
    self.routing = routing
    if records { cluster.recordEvents() }
  }

  /// The rule's choice among the replicas that take the request.
  func choice() -> Int {
    let allowed = (0..<cluster.replicaCount).filter { cluster.canRoute(to: $0) }
    switch routing {
    case .fewestWaiting: return allowed.min { cluster.replica($0).waitingCount < cluster.replica($1).waitingCount } ?? 0
    case .roundRobin: return allowed[placements.count % allowed.count]
    case .fewestOutstanding: return allowed.min { cluster.replica($0).outstandingRequests < cluster.replica($1).outstandingRequests } ?? 0
    }
  }

  /// Routes the waiting request, if there is one.
  mutating func step() -> Bool {
    guard cluster.runUntilDecision() != nil else { return false }
    let replica = choice()
    placements.append(replica)
    cluster.route(to: replica)
    return true
  }

  /// All arrivals first, then to the last event: event ids as when a run's arrivals are known at its start.
  mutating func run(_ specs: [RequestSpec]) {
    for spec in specs { cluster.enqueueArrival(spec) }
    while step() {}
    completed += cluster.takeCompletions()
  }

  /// One arrival ahead, as an environment does it.
  mutating func runLazily(_ specs: [RequestSpec]) {
    var next = 0
    func announce(_ cluster: inout ClusterSimulation) {
      while next < specs.count {
        next += 1
        if cluster.enqueueArrival(specs[next - 1]) != nil { return }
      }
    }
    while true {
      if cluster.pendingArrivalCount == 0 { announce(&cluster) }
      let isOpen = next < specs.count
      if cluster.runUntilDecision(pausesWithoutArrival: isOpen) != nil {
        let replica = choice()
        placements.append(replica)
        cluster.route(to: replica)
      } else if !isOpen && cluster.pendingArrivalCount == 0 {
        break
      }
    }
    completed += cluster.takeCompletions()
  }

  /// Batches as "time[request:tokens ...]", times in milliseconds.
  var batchNotation: [String] {
    (cluster.log?.batches ?? []).map { batch in
      let members = zip(batch.requests, batch.tokens).map { "\($0):\($1)" }.joined(separator: " ")
      return "\(milliseconds(batch.scheduledAt))[\(members)]"
    }
  }

  func milliseconds(_ seconds: Double) -> Int { Int((seconds * 1000).rounded()) }
}

func spec(_ arrivedAt: Double, _ prefill: Int, _ decode: Int) -> RequestSpec {
  RequestSpec(arrivedAt: arrivedAt, prefillTokens: prefill, decodeTokens: decode)
}

/// One replica on which every stage takes 10 ms.
func constantCluster(
  _ kind: ReplicaSchedulerConfiguration.Kind = .vllm(maxTokensInBatch: 4096), replicas: Int = 1, stages: Int = 1, blockSize: Int = 16,
  blockCount: Int? = 4096, parity: SchedulerParity = .reference
) -> ClusterConfiguration {
  ClusterConfiguration(
    replicaCount: replicas, pipelineStages: stages,
    scheduler: ReplicaSchedulerConfiguration(kind: kind, blockSize: blockSize, parity: parity), timeModel: .constant(seconds: 0.010),
    blockCount: blockCount)
}

import ServingSim

@testable import ServingEnv

/// Small clusters and workloads for the tests of this folder.
enum Fixtures {
  /// Two replicas with one request at a time and 100 s per batch: whatever is routed behind the first waits.
  static func stalledCluster(replicas: Int = 2) throws -> ClusterSimulation {
    try ClusterSimulation(
      ClusterConfiguration(
        replicaCount: replicas, scheduler: ReplicaSchedulerConfiguration(batchSizeCap: 1), timeModel: .constant(seconds: 100),
        blockCount: 100))
  }

  /// Places requests on replicas in order of arrival and stops at the decision about the last one.
  static func place(
    _ requests: [(at: Double, prefill: Int, decode: Int, priority: Double, replica: Int)], in cluster: inout ClusterSimulation
  )
    -> Int
  {
    for (index, request) in requests.enumerated() {
      cluster.enqueueArrival(
        RequestSpec(
          arrivedAt: request.at, prefillTokens: request.prefill, decodeTokens: request.decode, priority: request.priority))
      let id = cluster.runUntilDecision()
      if index == requests.count - 1 { return id ?? -1 }
      cluster.route(to: request.replica)
    }
    return -1
  }

  /// 200 rows with varied lengths, some of them too long for 4096 tokens.
  static func trace() throws -> Trace {
    var text = "arrived_at,num_prefill_tokens,num_decode_tokens\n"
    for row in 0..<200 {
      let prefill = row % 17 == 0 ? 5000 : 100 + (row * 137) % 1900
      text += "\(Double(row) * 0.09),\(prefill),\(10 + (row * 31) % 200)\n"
    }
    return try Trace.parse(bytes: Array(text.utf8), name: "test.csv")
  }

  static func poisson(qps: Double = 12, observation: ObservationConfiguration = ObservationConfiguration()) -> RoutingConfiguration {
    RoutingConfiguration(workload: WorkloadConfiguration(source: .poisson(.init(qps: qps))), observation: observation)
  }

  static func replay(qps: Double? = nil, lengthPolicy: LengthPolicy = .clamp) throws -> RoutingConfiguration {
    RoutingConfiguration(
      workload: WorkloadConfiguration(source: .trace(.init(trace: try trace(), qps: qps)), lengthPolicy: lengthPolicy))
  }
}

extension RoutingEnvironment {
  /// The pending observation as an array.
  var observation: [Float] {
    var values = [Float](repeating: .nan, count: observationSize)
    var span = values.mutableSpan
    observe(into: &span)
    return values
  }
}

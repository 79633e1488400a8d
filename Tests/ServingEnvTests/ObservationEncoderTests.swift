import ServingSim
import Testing

@testable import ServingEnv

@Suite struct ObservationEncoderTests {
  /// Two stalled replicas with 16-token blocks. Replica 0 runs a request of 160 + 5 tokens (10 blocks) and has two waiting, of which the
  /// second has priority 3; replica 1 is idle. The request to be routed arrives at 5 s.
  ///
  ///     arrivals   0 (runs)   1 (waits)   3 (waits, priority 3)   5 (router)
  ///
  /// Waits at 5 s: 4 s and 2 s. Mean urgency (1 (1 + 0.8) + 3 (1 + 0.4)) / 2 = 3.
  private func observe(_ configuration: ObservationConfiguration) throws -> [String: Float] {
    var cluster = try Fixtures.stalledCluster()
    let id = Fixtures.place(
      [(0, 160, 5, 1, 0), (1, 320, 50, 1, 0), (3, 31, 60, 3, 0), (5, 99, 7, 1, 0)], in: &cluster)
    var history = ObservationHistory(replicaCount: 2)
    for replica in 0..<2 {
      history.record(
        replica: replica, queueLength: cluster.replica(replica).waitingCount,
        utilization: Double(cluster.replica(replica).allocatedBlocks) / 100)
    }
    history.close(time: cluster.now, arrivalRate: 0.8, routerQueueLength: cluster.routerQueueLength)
    let metrics = ClusterMetrics(time: cluster.now, throughput: 2.4, latency: 3, arrivalRate: 0.8, completions: 4)
    let schema = ObservationSchema(configuration, replicaCount: 2)
    var values = [Float](repeating: .nan, count: schema.size)
    var span = values.mutableSpan
    ObservationEncoder(schema: schema).encode(cluster: cluster, request: id, metrics: metrics, history: history, into: &span)
    return Dictionary(uniqueKeysWithValues: zip(schema.names, values))
  }

  @Test("a hand-made cluster is described value by value")
  func handMade() throws {
    let seen = try observe(ObservationConfiguration(logTokenFeatures: false))
    let expected: [(String, Float)] = [
      ("replica_0.queue_length", 2), ("replica_0.allocated_blocks", 10), ("replica_0.total_blocks", 100),
      ("replica_0.utilization_fraction", 0.1), ("replica_0.available_fraction", 0.9), ("replica_0.running_batches", 1),
      ("replica_0.preempted_requests", 0), ("replica_0.allocation_map_size", 1), ("replica_0.batch_capacity", 1),
      ("replica_0.block_size", 16), ("replica_0.num_stages", 1), ("replica_0.oldest_request_wait_time", 0.6711886),
      ("replica_0.avg_queue_wait_time", 0.5477226), ("replica_0.queue_urgency_score", 0.3), ("replica_0.load_ema", 0.1),
      ("replica_0.historical_peak", 2), ("replica_0.historical_low", 2), ("replica_0.time_since_peak", 0),
      ("replica_0.request_0.age", 4), ("replica_0.request_0.num_prefill", 320), ("replica_0.request_0.num_processed", 0),
      ("replica_0.request_0.remaining_prefill", 320), ("replica_0.request_0.completed", 0), ("replica_0.request_0.num_decode", 50),
      ("replica_0.request_0.priority", 1), ("replica_0.request_1.age", 2), ("replica_0.request_1.num_prefill", 31),
      ("replica_0.request_1.num_decode", 60), ("replica_0.request_1.priority", 3), ("replica_0.request_2.num_prefill", 0),
      ("replica_1.queue_length", 0), ("replica_1.available_fraction", 1), ("replica_1.oldest_request_wait_time", 0),
      ("global_queue_length", 1), ("global_throughput", 2.4), ("global_latency", 3), ("qps_current", 0.8), ("qps_ema", 0.8),
      ("qps_trend", 0), ("system_load_balance", 0.5), ("global_queue_delta", 0), ("completion_rate", 2),
      ("incoming_prefill", 4.6051702), ("incoming_decode", 2.0794415),
    ]
    for (name, value) in expected {
      let found = try #require(seen[name], "\(name) is missing")
      #expect(abs(found - value) <= 1e-6, "\(name) is \(found), expected \(value)")
    }
  }

  @Test("without the oracle no output length is seen, with logarithms token counts are ln(1 + x)")
  func switches() throws {
    let seen = try observe(ObservationConfiguration(oracleDecodeLength: false))
    for (name, value) in seen where name.hasSuffix("decode") { #expect(value == 0, "\(name)") }
    #expect(abs(try #require(seen["replica_0.request_0.num_prefill"]) - 5.7714411) < 1e-6)
    #expect(abs(try #require(seen["incoming_prefill"]) - 4.6051702) < 1e-6)
  }

  @Test("every entry is written for every combination of switches")
  func complete() throws {
    for bits in 0..<8 {
      let seen = try observe(
        ObservationConfiguration(
          queueSlots: bits, queueDelayFeatures: bits & 1 == 1, temporalFeatures: bits & 2 == 2, incomingRequestFeatures: bits & 4 == 4))
      for (name, value) in seen { #expect(value.isFinite, "\(name)") }
    }
  }
}

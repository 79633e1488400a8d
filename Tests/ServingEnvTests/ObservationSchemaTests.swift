import ServingSim
import Testing

@testable import ServingEnv

@Suite struct ObservationSchemaTests {
  /// D = R (11 + 3 q + 8 e + 7 K) + 3 + 7 e + 2 i over all switches.
  @Test("names, length and formula agree for every combination of switches")
  func formula() {
    for replicas in [1, 2, 4, 7] {
      for slots in [0, 1, 4, 8] {
        for bits in 0..<8 {
          let (q, e, i) = (bits & 1, (bits >> 1) & 1, bits >> 2)
          let configuration = ObservationConfiguration(
            queueSlots: slots, queueDelayFeatures: q == 1, temporalFeatures: e == 1, incomingRequestFeatures: i == 1)
          let schema = ObservationSchema(configuration, replicaCount: replicas)
          let expected = replicas * (11 + 3 * q + 8 * e + 7 * slots) + 3 + 7 * e + 2 * i
          #expect(schema.size == expected)
          #expect(Set(schema.names).count == expected)
        }
      }
    }
  }

  @Test("sizes of the documented layouts")
  func sizes() {
    func size(k: Int, q: Bool, e: Bool, i: Bool) -> Int {
      let configuration = ObservationConfiguration(
        queueSlots: k, queueDelayFeatures: q, temporalFeatures: e, incomingRequestFeatures: i)
      return ObservationSchema(configuration, replicaCount: 4).size
    }
    #expect(size(k: 4, q: true, e: true, i: false) == 210)
    #expect(size(k: 4, q: true, e: true, i: true) == 212)
    #expect(size(k: 4, q: false, e: true, i: false) == 198)
    #expect(size(k: 8, q: false, e: true, i: false) == 310)
    #expect(size(k: 8, q: true, e: true, i: false) == 322)
    #expect(size(k: 4, q: true, e: false, i: false) == 171)
  }

  @Test("status and priority features stand where the formula says")
  func optional() throws {
    let schema = ObservationSchema(
      ObservationConfiguration(replicaStatusFeatures: true, workFeatures: true, incomingPriorityFeature: true), replicaCount: 4)
    #expect(schema.size == 4 * 54 + 12 + 1)
    #expect(schema.names[22] == "replica_0.pending_prefill" && schema.names[23] == "replica_0.outstanding_tokens")
    #expect(schema.names[24] == "replica_0.relative_speed" && schema.names[25] == "replica_0.is_available")
    #expect(schema.names.last == "incoming_priority")
    var configuration = Fixtures.poisson(qps: 20, observation: schema.configuration)
    configuration.cluster.replicas[2].speedFactor = 0.5
    var environment = try RoutingEnvironment(configuration)
    environment.reset(seed: 1, chunk: 1, environment: 0)
    let seen = environment.observation
    #expect(zip((0..<4).map { seen[54 * $0 + 24] }, [1, 1, 0.5, 1] as [Float]).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect((0..<4).allSatisfy { seen[54 * $0 + 25] == 1 })
    #expect(seen.last == 1)
    // Everything is routed to replica 1: it alone has work left, and no less in all than of prompts.
    for _ in 0..<12 { _ = environment.step(1) }
    let loaded = environment.observation
    #expect(loaded[54 + 23] > 5 && loaded[54 + 23] >= loaded[54 + 22] && loaded[23] == 0 && loaded[22] == 0)
    let prefill = environment.cluster.pendingPrefillTokens(replica: 1)
    #expect(loaded[54 + 22] == ObservationFeature.Transform.logarithm.apply(Double(prefill), logTokens: true))
  }

  @Test("order: replica features, its slots, cluster, incoming request")
  func order() {
    let names = ObservationSchema(ObservationConfiguration(), replicaCount: 4).names
    #expect(names[0] == "replica_0.queue_length")
    #expect(names[11] == "replica_0.oldest_request_wait_time")
    #expect(names[14] == "replica_0.queue_delta")
    #expect(names[21] == "replica_0.time_since_peak")
    #expect(names[22] == "replica_0.request_0.age")
    #expect(names[49] == "replica_0.request_3.priority")
    #expect(names[50] == "replica_1.queue_length")
    #expect(names[200] == "global_queue_length")
    #expect(names[209] == "completion_rate")
    #expect(names[210...] == ["incoming_prefill", "incoming_decode"])
  }

  @Test("the layout's identity is pinned, and the number of replicas is no part of it")
  func identity() {
    let four = ObservationSchema(ObservationConfiguration(), replicaCount: 4)
    #expect(four.layout.identifier == "routing-1:oracle1,log1,W10.0")
    #expect(four.layout.blockCount == 4 && four.layout.blockSize == 50 && four.layout.sharedSize == 12)
    #expect(four.layout.size == four.size)
    let seven = ObservationSchema(ObservationConfiguration(), replicaCount: 7)
    #expect(seven.size != four.size && seven.layout.signature == four.layout.signature)
    #expect(seven.layout.differences(fromSignature: four.layout.signature) == [])
  }

  @Test("a difference between layouts is named")
  func differences() {
    let plain = ObservationSchema(ObservationConfiguration(queueSlots: 0), replicaCount: 2).layout
    let status = ObservationSchema(ObservationConfiguration(queueSlots: 0, replicaStatusFeatures: true), replicaCount: 2).layout
    #expect(
      status.differences(fromSignature: plain.signature) == [
        "\"block relative_speed\" is observed now and was not recorded", "\"block is_available\" is observed now and was not recorded",
      ])
    #expect(
      plain.differences(fromSignature: status.signature) == [
        "\"block relative_speed\" is recorded and not observed now", "\"block is_available\" is recorded and not observed now",
      ])
    let window = ObservationSchema(ObservationConfiguration(queueSlots: 0, metricsWindowSeconds: 5), replicaCount: 2).layout
    #expect(
      window.differences(fromSignature: plain.signature) == [
        "the layout is routing-1:oracle1,log1,W5.0, recorded was routing-1:oracle1,log1,W10.0"
      ])
  }

  @Test("padding adds blocks up to replicasMax and never takes any away", arguments: [0, 2, 4, 9])
  func padding(_ replicasMax: Int) {
    let schema = ObservationSchema(ObservationConfiguration(replicasMax: replicasMax), replicaCount: 4)
    #expect(schema.blockCount == max(4, replicasMax))
    #expect(schema.size == schema.blockCount * 50 + 12 && Set(schema.names).count == schema.size)
  }

  @Test("every quantity stands in the table exactly once")
  func table() {
    let quantities = ObservationFeature.table.map(\.quantity.rawValue)
    #expect(quantities == Array(0..<UInt8(quantities.count)))
    #expect(ObservationFeature.Quantity(rawValue: UInt8(quantities.count)) == nil)
  }
}

@Suite struct ObservationTransformTests {
  typealias Transform = ObservationFeature.Transform

  @Test("worked values of the waiting-time curves")
  func golden() {
    let longest = Transform.logarithmicShare(limit: 10)
    let mean = Transform.rootShare(limit: 10)
    #expect(abs(longest.apply(5, logTokens: true) - 0.74722) < 5e-6)
    #expect(abs(longest.apply(0.1, logTokens: true) - 0.03975) < 5e-6)
    #expect(mean.apply(2.5, logTokens: true) == 0.5)
    #expect(abs(mean.apply(0.1, logTokens: true) - 0.1) < 1e-7)
    #expect(longest.apply(10, logTokens: true) == 1)
    #expect(longest.apply(1e6, logTokens: true) == 1)
    #expect(mean.apply(11, logTokens: true) == 1)
  }

  @Test("token counts are logarithmic or plain, incoming ones always logarithmic")
  func tokens() {
    #expect(Transform.tokens.apply(7, logTokens: false) == 7)
    #expect(abs(Transform.tokens.apply(7, logTokens: true) - 2.0794415) < 1e-6)
    #expect(Transform.logarithm.apply(7, logTokens: false) == Transform.tokens.apply(7, logTokens: true))
  }

  @Test("every curve is monotone and starts at 0")
  func monotone() {
    for feature in ObservationFeature.table {
      var previous: Float = 0
      #expect(feature.transform.apply(0, logTokens: true) == 0)
      for step in 1...400 {
        let value = feature.transform.apply(Double(step) * 0.05, logTokens: true)
        #expect(value >= previous, "\(feature.name) falls at \(Double(step) * 0.05)")
        previous = value
      }
    }
  }
}

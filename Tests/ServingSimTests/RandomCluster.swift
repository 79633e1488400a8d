import Randomness

@testable import ServingSim

/// A small cluster, its requests and a routing rule, all drawn from a seed. Memory is short in most, so that requests are evicted.
struct RandomCluster {
  var configuration: ClusterConfiguration
  var specs: [RequestSpec]
  var routing: TestRouting

  init(configuration: ClusterConfiguration, specs: [RequestSpec], routing: TestRouting) {
    self.configuration = configuration
    self.specs = specs
    self.routing = routing
  }

  /// - Parameters:
  ///   - hasFailures: whether replicas may drain, fail and recover.
  ///   - parity: treatment of the reference's defects.
  init(seed: UInt64, hasFailures: Bool = true, parity: SchedulerParity = .sane) {
    var stream = RandomStream(seed: seed, purpose: .environment)
    let maxTokens = 64
    let count = 1 + stream.bounded(4)
    // Equal stage times and arrivals on their grid make events coincide.
    let isOnGrid = stream.bounded(2) == 0
    let times: [TimeModelKind] = [
      .constant(seconds: 0.0078125), .closedForm, .linear(a: 0.00390625, b: 1e-4, c: 1e-4, d: 1e-6), Self.measured,
    ]
    let time = times[isOnGrid ? 0 : stream.bounded(4)]
    let base = Self.replica(&stream, maxTokens: maxTokens, time: time, parity: parity)
    let areAlike = stream.bounded(2) == 0
    let replicas = (0..<count).map { _ -> ReplicaConfiguration in
      var replica = areAlike ? base : Self.replica(&stream, maxTokens: maxTokens, time: time, parity: parity)
      if !areAlike { replica.speedFactor = [1, 1, 0.5, 2][stream.bounded(4)] }
      return replica
    }
    routing = [.fewestWaiting, .roundRobin, .fewestOutstanding][stream.bounded(3)]
    specs = []
    var clock = 0.0
    let isLong = stream.bounded(3) == 0
    for _ in 0..<(5 + stream.bounded(60)) {
      // Every fourth arrival falls on the instant of the one before.
      if stream.bounded(4) != 0 { clock += isOnGrid ? 0.0078125 * Double(stream.bounded(6)) : stream.exponential(rate: 40) }
      specs.append(
        RequestSpec(
          arrivedAt: clock, prefillTokens: 1 + stream.bounded(isLong ? 8 : 50), decodeTokens: 1 + stream.bounded(isLong ? 55 : 30),
          priority: Double(stream.bounded(3)), requestClass: stream.bounded(2)))
    }
    var changes: [AvailabilityChange] = []
    if hasFailures && stream.bounded(2) == 0 {
      var at = 0.0
      for _ in 0..<(1 + stream.bounded(6)) {
        at += isOnGrid ? 0.0078125 * Double(stream.bounded(40)) : stream.uniform() * 0.4
        changes.append(
          AvailabilityChange(time: at, replica: stream.bounded(count), kind: AvailabilityChange.Kind.allCases[stream.bounded(3)]))
      }
      changes += (0..<count).map { AvailabilityChange(time: at + 0.5, replica: $0, kind: .recover) }
    }
    configuration = ClusterConfiguration(maxTokens: maxTokens, replicas: replicas, availability: changes)
  }

  /// Measured decode attention and engine time beside formulas.
  private static let measured: TimeModelKind = {
    var times = MeasuredTimes()
    times.cpu = MeasuredSum([(1, 0.25), (8, 0.75)], parts: [])
    if let decode = ProfileSurface([(1, 0, 0.01), (1, 64, 0.02), (8, 64, 0.05)]),
      let prefill = ProfileSurface([(1, 0, 0.01), (64, 64, 0.1)]),
      let save = ProfileCurve([(1, 0.001)])
    {
      times.attention = MeasuredAttention(decode: decode, prefill: prefill, cacheSave: save)
    }
    return .measured(times)
  }()

  private static func replica(
    _ stream: inout RandomStream, maxTokens: Int, time: TimeModelKind, parity: SchedulerParity
  ) -> ReplicaConfiguration {
    let kinds: [ReplicaSchedulerConfiguration.Kind] = [
      .vllm(maxTokensInBatch: maxTokens + stream.bounded(64)), .sarathi(chunkTokens: 1 + stream.bounded(24)), .orca, .fasterTransformer,
      .lightllm(maxTokensInBatch: maxTokens + stream.bounded(64), maxWaitingIterations: stream.bounded(12)),
      .vllmV1(
        maxNumBatchedTokens: 1 + stream.bounded(40), longPrefillTokenThreshold: stream.bounded(3) * 5, enableChunkedPrefill: true),
      .vllmV1(maxNumBatchedTokens: maxTokens, enableChunkedPrefill: false),
    ]
    let kind = kinds[stream.bounded(kinds.count)]
    var stages = [1, 1, 1, 2, 4][stream.bounded(5)]
    var blockSize = 1 + stream.bounded(8)
    var blockCount = 8 + stream.bounded(60)
    switch kind {
    case .lightllm:
      stages = 1
      blockSize = 1
      blockCount = 40 + stream.bounded(200)
    case .orca, .fasterTransformer: blockCount = maxTokens / blockSize * (1 + stream.bounded(4)) + stream.bounded(5)
    default: break
    }
    return ReplicaConfiguration(
      pipelineStages: stages, blockCount: blockCount,
      scheduler: ReplicaSchedulerConfiguration(
        kind: kind, schedulingPolicy: stream.bounded(2) == 0 ? .fcfs : .priority, batchSizeCap: stages * (1 + stream.bounded(6)),
        blockSize: blockSize,
        watermarkFraction: Double(stream.bounded(3)) * 0.05, parity: parity),
      timeModel: time, featureRounding: stream.bounded(4) == 0 ? .reference : .exact)
  }
}

import ServingSim

/// Fills observation vectors; pure, without allocation.
///
/// O(R (K + features) + waiting requests): the queue-delay features look at every waiting request.
struct ObservationEncoder: Sendable {
  let schema: ObservationSchema

  /// Seconds of waiting after which a request's urgency has grown by its priority.
  static let urgencySeconds = 5.0
  /// Most that waiting adds to urgency, in priorities.
  static let urgencyGrowthMax = 2.0

  /// Writes the observation of the decision about `request` (id of the request in the router), `[D]`.
  func encode(
    cluster: ClusterSimulation, request: Int, metrics: ClusterMetrics, history: ObservationHistory,
    into observation: inout MutableSpan<Float>
  ) {
    precondition(observation.count == schema.size, "observation has another length than the schema")
    let logTokens = schema.configuration.logTokenFeatures
    var next = 0
    for index in 0..<schema.replicaCount {
      let view = cluster.replica(index)
      let queue = cluster.waitingQueue(index)
      let waits = schema.configuration.queueDelayFeatures && !queue.isEmpty ? Waits(queue, now: metrics.time) : Waits()
      let trend = schema.configuration.temporalFeatures ? history.trend(replica: index) : ObservationHistory.ReplicaTrend()
      for column in schema.replicaColumns {
        observation[next] = column.transform.apply(
          value(column.quantity, replica: index, of: cluster, view: view, waits: waits, trend: trend), logTokens: logTokens)
        next += 1
      }
      for slot in 0..<schema.configuration.queueSlots {
        if slot < queue.count {
          let waiting = queue.request(at: slot)
          for column in schema.requestColumns {
            observation[next] = column.transform.apply(value(column.quantity, request: waiting, now: metrics.time), logTokens: logTokens)
            next += 1
          }
        } else {
          for _ in schema.requestColumns.indices {
            observation[next] = 0
            next += 1
          }
        }
      }
    }
    // Padding.
    while next < schema.blockCount * schema.layout.blockSize {
      observation[next] = 0
      next += 1
    }
    for column in schema.clusterColumns {
      observation[next] = column.transform.apply(
        Self.value(column.quantity, cluster: cluster, metrics: metrics, history: history), logTokens: logTokens)
      next += 1
    }
    if schema.incomingColumns.isEmpty { return }
    let incoming = cluster.request(request)
    for column in schema.incomingColumns {
      observation[next] = column.transform.apply(value(column.quantity, request: incoming, now: metrics.time), logTokens: logTokens)
      next += 1
    }
  }

  /// Waiting times of a queue.
  struct Waits: Equatable, Sendable {
    var longest = 0.0
    var mean = 0.0
    /// Mean over requests of priority times 1 + min(wait / 5 s, 2).
    var urgency = 0.0

    init() {}

    init(_ queue: WaitingQueueView, now: Double) {
      var sum = 0.0
      for position in 0..<queue.count {
        let request = queue.request(at: position)
        let wait = max(0, now - request.arrivedAt)
        longest = max(longest, wait)
        sum += wait
        urgency += request.priority * (1 + min(wait / ObservationEncoder.urgencySeconds, ObservationEncoder.urgencyGrowthMax))
      }
      mean = sum / Double(queue.count)
      urgency /= Double(queue.count)
    }
  }

  // MARK: Quantities

  private func value(
    _ quantity: ObservationFeature.Quantity, replica: Int, of cluster: ClusterSimulation, view: ReplicaView, waits: Waits,
    trend: ObservationHistory.ReplicaTrend
  ) -> Double {
    switch quantity {
    case .queueLength: Double(view.waitingCount)
    case .allocatedBlocks: Double(view.allocatedBlocks)
    case .totalBlocks: Double(max(view.blockCount, 1))
    case .utilization: Double(view.allocatedBlocks) / Double(max(view.blockCount, 1))
    case .availability: Double(max(view.blockCount - view.allocatedBlocks, 0)) / Double(max(view.blockCount, 1))
    case .runningBatches: Double(view.runningBatches)
    case .preemptedRequests: Double(view.runningCount)
    case .residentRequests: Double(view.residentCount)
    case .batchCapacity: Double(view.batchCapacity)
    case .blockSize: Double(view.blockSize)
    case .stageCount: Double(view.stageCount)
    case .waitMax: waits.longest
    case .waitMean: waits.mean
    case .urgency: waits.urgency
    case .queueDelta: trend.queueDelta
    case .utilizationDelta: trend.utilizationDelta
    case .utilizationAverage: trend.utilizationAverage
    case .queueTrend: trend.queueTrend
    case .queueVariance: trend.queueVariance
    case .queuePeak: trend.queuePeak
    case .queueLow: trend.queueLow
    case .timeSincePeak: trend.timeSincePeak
    case .pendingPrefillTokens: Double(cluster.pendingPrefillTokens(replica: replica))
    case .outstandingTokens: schema.configuration.oracleDecodeLength ? Double(view.outstandingTokens) : 0
    case .relativeSpeed: view.relativeSpeed
    case .isAvailable: view.isAvailable ? 1 : 0
    default: preconditionFailure("not a quantity of a replica")
    }
  }

  /// Token counts are those of the current attempt: after an eviction the prompt includes what had been generated.
  private func value(_ quantity: ObservationFeature.Quantity, request: RequestView, now: Double) -> Double {
    switch quantity {
    case .age: max(0, now - request.arrivedAt)
    case .prefillTokens, .incomingPrefillTokens: Double(request.currentPrefillTokens)
    case .processedTokens: Double(request.processedTokens)
    case .remainingPrefillTokens: Double(max(0, request.currentPrefillTokens - request.processedTokens))
    case .isCompleted: 0
    case .decodeTokens, .incomingDecodeTokens:
      schema.configuration.oracleDecodeLength
        ? Double(request.processedTokens + request.remainingTokens - request.currentPrefillTokens) : 0
    case .priority, .incomingPriority: request.priority
    default: preconditionFailure("not a quantity of a request")
    }
  }

  private static func value(
    _ quantity: ObservationFeature.Quantity, cluster: ClusterSimulation, metrics: ClusterMetrics, history: ObservationHistory
  ) -> Double {
    switch quantity {
    case .routerQueueLength: Double(cluster.routerQueueLength)
    case .throughput: metrics.throughput
    case .latency: metrics.latency
    case .arrivalRate: metrics.arrivalRate
    case .arrivalRateAverage: history.rateAverage
    case .arrivalRateTrend: history.rateTrend
    case .arrivalRateVariance: history.rateVariance
    case .loadBalance: history.loadBalance
    case .routerQueueDelta: Double(history.routerQueueDelta)
    case .completionRate: metrics.arrivalRate == 0 ? 1 : metrics.throughput / metrics.arrivalRate
    default: preconditionFailure("not a quantity of the cluster")
    }
  }
}

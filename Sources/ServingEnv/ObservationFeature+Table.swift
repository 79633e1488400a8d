extension ObservationFeature {
  /// The one table that vector, names and length come from. Rows of a scope stand in the vector in this order.
  ///
  /// Counts and times enter as they are where the running standardisation copes with them; waiting times and tokens, whose tails are
  /// long, enter through monotone curves.
  public static let table: [ObservationFeature] = [
    // Replica: state of the engine.
    row("queue_length", "requests", .queueLength),
    row("allocated_blocks", "blocks", .allocatedBlocks),
    row("total_blocks", "blocks", .totalBlocks),
    row("utilization_fraction", "1", .utilization),
    row("available_fraction", "1", .availability),
    row("running_batches", "batches", .runningBatches),
    row("preempted_requests", "requests", .preemptedRequests),
    row("allocation_map_size", "requests", .residentRequests),
    row("batch_capacity", "requests", .batchCapacity),
    row("block_size", "tokens", .blockSize),
    row("num_stages", "stages", .stageCount),
    // Replica: waiting times, over its whole queue.
    row("oldest_request_wait_time", "s", .waitMax, .logarithmicShare(limit: 10), requires: .queueDelay),
    row("avg_queue_wait_time", "s", .waitMean, .rootShare(limit: 10), requires: .queueDelay),
    row("queue_urgency_score", "1", .urgency, .share(limit: 10), requires: .queueDelay),
    // Replica: over the last `ObservationHistory.queueEntries` decisions, the present one included.
    row("queue_delta", "requests", .queueDelta, requires: .temporal),
    row("allocation_delta", "1", .utilizationDelta, requires: .temporal),
    row("load_ema", "1", .utilizationAverage, requires: .temporal),
    row("queue_trend", "requests/decision", .queueTrend, requires: .temporal),
    row("queue_variance", "requests^2", .queueVariance, requires: .temporal),
    row("historical_peak", "requests", .queuePeak, requires: .temporal),
    row("historical_low", "requests", .queueLow, requires: .temporal),
    row("time_since_peak", "s", .timeSincePeak, .share(limit: 60), requires: .temporal),
    // Replica: work left, in tokens.
    row("pending_prefill", "tokens", .pendingPrefillTokens, .logarithm, requires: .work),
    row("outstanding_tokens", "tokens", .outstandingTokens, .logarithm, requires: .work),
    // Replica: for clusters whose replicas are not alike or not always there.
    row("relative_speed", "1", .relativeSpeed, requires: .replicaStatus),
    row("is_available", "1", .isAvailable, requires: .replicaStatus),
    // Request slot: the first K waiting requests, zeros where there are fewer.
    row("age", "s", .age, scope: .requestSlot),
    row("num_prefill", "tokens", .prefillTokens, .tokens, scope: .requestSlot),
    row("num_processed", "tokens", .processedTokens, .tokens, scope: .requestSlot),
    row("remaining_prefill", "tokens", .remainingPrefillTokens, .tokens, scope: .requestSlot),
    row("completed", "1", .isCompleted, scope: .requestSlot),
    row("num_decode", "tokens", .decodeTokens, .tokens, scope: .requestSlot),
    row("priority", "1", .priority, scope: .requestSlot),
    // Cluster.
    row("global_queue_length", "requests", .routerQueueLength, scope: .cluster),
    row("global_throughput", "requests/s", .throughput, scope: .cluster),
    row("global_latency", "s", .latency, scope: .cluster),
    row("qps_current", "requests/s", .arrivalRate, scope: .cluster, requires: .temporal),
    row("qps_ema", "requests/s", .arrivalRateAverage, scope: .cluster, requires: .temporal),
    row("qps_trend", "requests/s/decision", .arrivalRateTrend, scope: .cluster, requires: .temporal),
    row("qps_variance", "(requests/s)^2", .arrivalRateVariance, scope: .cluster, requires: .temporal),
    row("system_load_balance", "1", .loadBalance, scope: .cluster, requires: .temporal),
    row("global_queue_delta", "requests", .routerQueueDelta, scope: .cluster, requires: .temporal),
    row("completion_rate", "1", .completionRate, .capped(limit: 2), scope: .cluster, requires: .temporal),
    // The request to be routed.
    row("incoming_prefill", "tokens", .incomingPrefillTokens, .logarithm, scope: .incoming, requires: .incomingRequest),
    row("incoming_decode", "tokens", .incomingDecodeTokens, .logarithm, scope: .incoming, requires: .incomingRequest),
    row("incoming_priority", "1", .incomingPriority, scope: .incoming, requires: .incomingPriority),
  ]

  private static func row(
    _ name: String, _ unit: String, _ quantity: Quantity, _ transform: Transform = .identity, scope: Scope = .replica,
    requires: Switch = .always
  ) -> ObservationFeature {
    ObservationFeature(name: name, unit: unit, transform: transform, scope: scope, requires: requires, quantity: quantity)
  }
}

/// What the policy sees.
public struct ObservationSection: Equatable, Sendable {
  /// Waiting requests described per replica.
  public var queueSlots = 4
  /// Waiting times per replica.
  public var queueDelayFeatures = true
  /// Trends per replica and of the cluster.
  public var temporalFeatures = true
  /// Tokens left per replica.
  public var workFeatures = false
  /// Speed and availability per replica.
  public var replicaStatusFeatures = false
  /// Lengths of the request to be routed.
  public var incomingRequestFeatures = true
  /// Priority of the request to be routed.
  public var incomingPriorityFeature = false
  /// Whether true output lengths are shown.
  public var oracleDecodeLength = true
  /// Whether token counts enter as ln(1 + x).
  public var logTokenFeatures = true
  /// Window of throughput, latency and rate.
  public var metricsWindowSeconds = 10.0
  /// Blocks of replicas, padded.
  public var replicasMax = 0
  /// Limit of a normalised value.
  public var clip = 5.0
  /// Samples before small deviations are trusted.
  public var minCount = 10
  /// Whether observations are standardised.
  public var normalize = true

  static let fields: [Field] = [
    .integer(
      "observation.queue_slots", \.observation.queueSlots, 0...64, unit: "requests", .frozen,
      "Waiting requests of each replica that are described one by one."),
    .boolean(
      "observation.queue_delay_features", \.observation.queueDelayFeatures, .frozen, "Adds waiting times and urgency of each replica."),
    .boolean(
      "observation.temporal_features", \.observation.temporalFeatures, .frozen,
      "Adds changes, trends and extremes of each replica, and arrival rates of the cluster."),
    .boolean(
      "observation.work_features", \.observation.workFeatures, .frozen,
      "Adds the prompt tokens and all tokens that each replica has still to process, the latter 0 without oracle_decode_length."),
    .boolean(
      "observation.replica_status_features", \.observation.replicaStatusFeatures, .frozen,
      "Adds relative speed and availability of each replica, for replicas that are not alike or fail."),
    .boolean(
      "observation.incoming_request_features", \.observation.incomingRequestFeatures, .frozen,
      "Adds the lengths of the request that is about to be routed."),
    .boolean(
      "observation.incoming_priority_feature", \.observation.incomingPriorityFeature, .frozen,
      "Adds the priority of the request that is about to be routed, for workloads with classes of requests."),
    .boolean(
      "observation.oracle_decode_length", \.observation.oracleDecodeLength, .frozen,
      "Shows the true output length of requests, which a real router does not know; false shows 0."),
    .boolean(
      "observation.log_token_features", \.observation.logTokenFeatures, .frozen, "Passes token counts as ln(1 + x) instead of x."),
    .real(
      "observation.metrics_window_seconds", \.observation.metricsWindowSeconds, .above(0, 1e6), unit: "s", .frozen,
      "Simulated time over which throughput, latency and arrival rate are averaged, for the reward too."),
    .integer(
      "observation.replicas_max", \.observation.replicasMax, 0...4096, unit: "replicas", .frozen,
      "Replicas that observation and actions have room for; those beyond cluster.num_replicas are zero and masked, and 0 takes the cluster's number."
    ),
    .boolean("observation.normalize", \.observation.normalize, .frozen, "Standardises every feature by its running mean and deviation."),
    .real(
      "observation.clip", \.observation.clip, .above(0, 1e6), unit: "deviations", .frozen,
      "Limit of a feature after standardisation, on both sides."),
    .integer(
      "observation.min_count", \.observation.minCount, 0...1_000_000_000, unit: "samples", .frozen,
      "Below this number of samples a deviation counts as at least 1; the deviation that rewards are scaled by, too."),
  ]
}

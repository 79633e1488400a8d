import ServingSim

/// What the router's policy gets to see.
public struct ObservationConfiguration: Equatable, Sendable {
  /// K, waiting requests of each replica that are described one by one, from the front of its queue.
  public var queueSlots: Int
  /// Adds waiting times and urgency of each replica (3 features each).
  public var queueDelayFeatures: Bool
  /// Adds changes, trends and extremes (8 features for each replica, 7 for the cluster).
  public var temporalFeatures: Bool
  /// Adds the lengths of the request to be routed (2 features).
  public var incomingRequestFeatures: Bool
  /// Adds the priority of the request to be routed (1 feature), for workloads with classes of requests.
  public var incomingPriorityFeature: Bool
  /// Shows true output lengths, which a real router does not know; false writes 0.
  public var oracleDecodeLength: Bool
  /// Passes token counts of requests as ln(1 + x).
  public var logTokenFeatures: Bool
  /// W, simulated seconds over which throughput, latency and arrival rate are averaged; the reward uses the same window.
  public var metricsWindowSeconds: Double

  /// Blocks of replicas in the observation; those behind the cluster's replicas are zero and their actions masked. 0: as many as replicas.
  public var replicasMax: Int
  /// Adds the tokens that each replica has still to process: of prompts, and in all (2 features).
  public var workFeatures: Bool
  /// Adds speed and availability of each replica (2 features), for clusters whose replicas are not alike.
  public var replicaStatusFeatures: Bool

  /// The layout our own runs use.
  public init(
    queueSlots: Int = 4, queueDelayFeatures: Bool = true, temporalFeatures: Bool = true, incomingRequestFeatures: Bool = true,
    oracleDecodeLength: Bool = true, logTokenFeatures: Bool = true, metricsWindowSeconds: Double = 10, replicasMax: Int = 0,
    replicaStatusFeatures: Bool = false, workFeatures: Bool = false, incomingPriorityFeature: Bool = false
  ) {
    self.queueSlots = queueSlots
    self.queueDelayFeatures = queueDelayFeatures
    self.temporalFeatures = temporalFeatures
    self.incomingRequestFeatures = incomingRequestFeatures
    self.oracleDecodeLength = oracleDecodeLength
    self.logTokenFeatures = logTokenFeatures
    self.metricsWindowSeconds = metricsWindowSeconds
    self.replicasMax = replicasMax
    self.replicaStatusFeatures = replicaStatusFeatures
    self.workFeatures = workFeatures
    self.incomingPriorityFeature = incomingPriorityFeature
  }

  func validate() throws(ServingError) {
    guard queueSlots >= 0 && queueSlots <= 1024 else {
      throw ServingError(.outOfRange, field: "queueSlots", reason: "\(queueSlots), allowed 0...1024")
    }
    guard replicasMax >= 0 && replicasMax <= 4096 else {
      throw ServingError(.outOfRange, field: "replicasMax", reason: "\(replicasMax), allowed 0...4096")
    }
    guard metricsWindowSeconds.isFinite && metricsWindowSeconds > 0 else {
      throw ServingError(.outOfRange, field: "metricsWindowSeconds", reason: "\(metricsWindowSeconds), allowed above 0")
    }
  }
}

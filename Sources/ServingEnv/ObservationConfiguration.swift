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
  /// Shows true output lengths, which a real router does not know; false writes 0.
  public var oracleDecodeLength: Bool
  /// Passes token counts of requests as ln(1 + x).
  public var logTokenFeatures: Bool
  /// W, simulated seconds over which throughput, latency and arrival rate are averaged; the reward uses the same window.
  public var metricsWindowSeconds: Double

  /// The layout our own runs use.
  public init(
    queueSlots: Int = 4, queueDelayFeatures: Bool = true, temporalFeatures: Bool = true, incomingRequestFeatures: Bool = true,
    oracleDecodeLength: Bool = true, logTokenFeatures: Bool = true, metricsWindowSeconds: Double = 10
  ) {
    self.queueSlots = queueSlots
    self.queueDelayFeatures = queueDelayFeatures
    self.temporalFeatures = temporalFeatures
    self.incomingRequestFeatures = incomingRequestFeatures
    self.oracleDecodeLength = oracleDecodeLength
    self.logTokenFeatures = logTokenFeatures
    self.metricsWindowSeconds = metricsWindowSeconds
  }

  func validate() throws(ServingError) {
    guard queueSlots >= 0 && queueSlots <= 1024 else {
      throw ServingError(.outOfRange, field: "queueSlots", reason: "\(queueSlots), allowed 0...1024")
    }
    guard metricsWindowSeconds.isFinite && metricsWindowSeconds > 0 else {
      throw ServingError(.outOfRange, field: "metricsWindowSeconds", reason: "\(metricsWindowSeconds), allowed above 0")
    }
  }
}

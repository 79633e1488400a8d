import ExactMath

/// One row of the observation table: what stands at a place of the vector.
public struct ObservationFeature: Sendable {
  /// Which part of the vector the feature is repeated in.
  public enum Scope: Sendable {
    /// Once for each replica.
    case replica
    /// Once for each of the K request slots of each replica, behind the replica's own features.
    case requestSlot
    /// Once, behind all replicas.
    case cluster
    /// Once, at the end.
    case incoming
  }

  /// The switch of `ObservationConfiguration` that the feature hangs on.
  public enum Switch: Sendable {
    /// None: always there.
    case always
    /// `queueDelayFeatures`
    case queueDelay
    /// `temporalFeatures`
    case temporal
    /// `workFeatures`
    case work
    /// `replicaStatusFeatures`
    case replicaStatus
    /// `incomingRequestFeatures`
    case incomingRequest
    /// `incomingPriorityFeature`
    case incomingPriority
  }

  /// How the quantity becomes the number in the vector.
  public enum Transform: Equatable, Sendable {
    /// x
    case identity
    /// ln(1 + x) with `logTokenFeatures`, otherwise x.
    case tokens
    /// ln(1 + x)
    case logarithm
    /// min(ln(1 + x) / ln(1 + limit), 1)
    case logarithmicShare(limit: Double)
    /// min(sqrt(x / limit), 1)
    case rootShare(limit: Double)
    /// min(x / limit, 1)
    case share(limit: Double)
    /// min(x, limit)
    case capped(limit: Double)

    /// The transformed value in the precision of the network.
    func apply(_ x: Double, logTokens: Bool) -> Float {
      if x == 0 { return 0 }
      switch self {
      case .identity: return Float(x)
      case .tokens: return Float(logTokens ? ExactMath.log1p(x) : x)
      case .logarithm: return Float(ExactMath.log1p(x))
      case .logarithmicShare(let limit): return Float(min(ExactMath.log1p(x) / ExactMath.log1p(limit), 1))
      case .rootShare(let limit): return Float(min((x / limit).squareRoot(), 1))
      case .share(let limit): return Float(min(x / limit, 1))
      case .capped(let limit): return Float(min(x, limit))
      }
    }
  }

  /// Name inside its scope.
  public let name: String
  /// Unit of the quantity before the transform; "1" for shares and ratios.
  public let unit: String
  /// How it enters the vector.
  public let transform: Transform
  /// Where it stands.
  public let scope: Scope
  /// What switches it.
  public let requires: Switch
  /// Which quantity it is.
  let quantity: Quantity

  /// The quantities that features are made of; `ObservationEncoder` knows how to get them.
  enum Quantity: UInt8, Sendable {
    // Replica
    case queueLength, allocatedBlocks, totalBlocks, utilization, availability, runningBatches, preemptedRequests, residentRequests,
      batchCapacity, blockSize, stageCount
    case waitMax, waitMean, urgency
    case queueDelta, utilizationDelta, utilizationAverage, queueTrend, queueVariance, queuePeak, queueLow, timeSincePeak
    case pendingPrefillTokens, outstandingTokens
    case relativeSpeed, isAvailable
    // Waiting request
    case age, prefillTokens, processedTokens, remainingPrefillTokens, isCompleted, decodeTokens, priority
    // Cluster
    case routerQueueLength, throughput, latency
    case arrivalRate, arrivalRateAverage, arrivalRateTrend, arrivalRateVariance, loadBalance, routerQueueDelta, completionRate
    // Request to be routed
    case incomingPrefillTokens, incomingDecodeTokens, incomingPriority
  }
}

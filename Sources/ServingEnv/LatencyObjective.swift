import ServingSim

/// What the users of a cluster want, in one number: a weighted mean of latency figures, each as a multiple of what `lor_full` reaches on the same
/// workload. `lor_full` itself scores 1; lower is better.
///
///     objective = sum_k w_k (mean of x_k over requests) / (mean of x_k under lor_full)            w_k add up to 1
///     x         = end-to-end time, time to first token, its square
///
/// The square makes long waits count more than many short ones: it stands for the tail.
public struct LatencyObjective: Equatable, Sendable {
  /// Weight of the mean end-to-end time.
  public var endToEndWeight: Double
  /// Weight of the mean time to first token.
  public var firstTokenWeight: Double
  /// Weight of the mean squared time to first token.
  public var firstTokenSquaredWeight: Double
  /// Requests at the begin of a workload that `lor_full` serves to give the scale.
  public var referenceRequests: Int

  /// Weights as given; only their ratios matter.
  public init(
    endToEndWeight: Double = 1, firstTokenWeight: Double = 1, firstTokenSquaredWeight: Double = 1, referenceRequests: Int = 1000
  ) {
    self.endToEndWeight = endToEndWeight
    self.firstTokenWeight = firstTokenWeight
    self.firstTokenSquaredWeight = firstTokenSquaredWeight
    self.referenceRequests = referenceRequests
  }

  func validate() throws(ServingError) {
    for (field, value) in [
      ("endToEndWeight", endToEndWeight), ("firstTokenWeight", firstTokenWeight), ("firstTokenSquaredWeight", firstTokenSquaredWeight),
    ] {
      guard value.isFinite && value >= 0 else { throw ServingError(.outOfRange, field: field, reason: "\(value), allowed 0 or more") }
    }
    guard endToEndWeight + firstTokenWeight + firstTokenSquaredWeight > 0 else {
      throw ServingError(.outOfRange, field: "endToEndWeight", reason: "all weights of the objective are 0")
    }
    guard referenceRequests >= 1 else {
      throw ServingError(.outOfRange, field: "referenceRequests", reason: "\(referenceRequests), allowed 1 or more")
    }
  }

  /// The objective of `figures` with `lor_full` at `reference`.
  public func score(_ figures: LatencyFigures, reference: LatencyFigures) -> Double {
    ObjectiveScale(self, reference: reference).cost(figures)
  }
}

/// The figures of one request, or their means over many; seconds and seconds squared.
public struct LatencyFigures: Equatable, Sendable {
  /// Arrival to last token.
  public var endToEnd: Double
  /// Arrival to first token.
  public var firstToken: Double
  /// Square of the time to first token; of means, the mean of the squares.
  public var firstTokenSquared: Double

  /// By values.
  public init(endToEnd: Double, firstToken: Double, firstTokenSquared: Double) {
    self.endToEnd = endToEnd
    self.firstToken = firstToken
    self.firstTokenSquared = firstTokenSquared
  }

  /// Means over requests in the order given.
  public init(meanOf requests: [CompletedRequest]) {
    self.init(endToEnd: 0, firstToken: 0, firstTokenSquared: 0)
    for request in requests {
      endToEnd += request.endToEndSeconds
      firstToken += request.timeToFirstTokenSeconds
      firstTokenSquared += request.timeToFirstTokenSeconds * request.timeToFirstTokenSeconds
    }
    let count = Double(max(requests.count, 1))
    endToEnd /= count
    firstToken /= count
    firstTokenSquared /= count
  }
}

/// An objective with the scale of one workload: what a second of each figure costs, in mean requests of `lor_full`.
struct ObjectiveScale: Equatable, Sendable {
  private let endToEnd: Double
  private let firstToken: Double
  private let firstTokenSquared: Double

  init(_ objective: LatencyObjective, reference: LatencyFigures) {
    let sum = objective.endToEndWeight + objective.firstTokenWeight + objective.firstTokenSquaredWeight
    endToEnd = objective.endToEndWeight / sum / max(reference.endToEnd, 1e-9)
    firstToken = objective.firstTokenWeight / sum / max(reference.firstToken, 1e-9)
    firstTokenSquared = objective.firstTokenSquaredWeight / sum / max(reference.firstTokenSquared, 1e-9)
  }

  func cost(_ figures: LatencyFigures) -> Double {
    endToEnd * figures.endToEnd + firstToken * figures.firstToken + firstTokenSquared * figures.firstTokenSquared
  }

  private func cost(endToEnd total: Double, firstToken first: Double) -> Double {
    endToEnd * total + firstToken * first + firstTokenSquared * first * first
  }

  /// The final cost of a request.
  func cost(_ request: CompletedRequest) -> Double {
    cost(endToEnd: request.endToEndSeconds, firstToken: request.timeToFirstTokenSeconds)
  }

  /// What a live request has cost up to `time`.
  func cost(_ request: RequestView, at time: Double) -> Double {
    cost(
      endToEnd: max(0, time - request.arrivedAt), firstToken: max(0, min(request.prefillCompletedAt ?? time, time) - request.arrivedAt))
  }

  /// What all live requests of `cluster` have cost up to its clock.
  func liveCost(_ cluster: ClusterSimulation) -> Double {
    var sum = 0.0
    cluster.forEachLiveRequest { sum += cost($0, at: cluster.now) }
    return sum
  }
}

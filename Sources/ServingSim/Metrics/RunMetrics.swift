/// What the requests of a simulation experienced, taken in one by one.
///
/// Token counts are those of the arrival, whatever restarts made of them; replicas have their own numbers.
public struct RunMetrics: Sendable {
  /// Quantiles of the times that have them.
  public typealias Percentiles = (
    endToEnd: [Double], endToEndNormalized: [Double], timeToFirstToken: [Double], timeBetweenTokens: [Double], schedulingDelay: [Double]
  )

  /// Figures of one importance.
  public struct PriorityTotals: Equatable, Sendable {
    /// The importance.
    public let priority: Double
    /// Completed requests.
    public internal(set) var completed = 0
    /// Mean end-to-end time, seconds.
    public var endToEndMean: Double { endToEnd / Double(completed) }
    /// Mean time to first token, seconds.
    public var timeToFirstTokenMean: Double { timeToFirstToken / Double(completed) }
    var endToEnd = 0.0
    var timeToFirstToken = 0.0
  }

  /// Arrival to last token, seconds.
  public private(set) var endToEnd: Distribution
  /// The same per output token.
  public private(set) var endToEndNormalized: Distribution
  /// Arrival to first token.
  public private(set) var timeToFirstToken: Distribution
  /// Mean time between a request's output tokens.
  public private(set) var timeBetweenTokens: Distribution
  /// Arrival to first batch.
  public private(set) var schedulingDelay: Distribution
  /// Time in pipeline stages.
  public private(set) var execution: Distribution
  /// Idle time between stages.
  public private(set) var preemption: Distribution
  /// Evictions.
  public private(set) var restarts = 0
  /// Prompt tokens of completed requests.
  public private(set) var prefillTokens = 0
  /// Output tokens of completed requests.
  public private(set) var decodeTokens = 0
  /// Completed requests of each replica.
  public private(set) var completedByReplica: [Int]
  /// Figures by importance, most important first; empty where more than 64 different ones came.
  public private(set) var priorities: [PriorityTotals] = []
  private var hasManyPriorities = false
  private var firstArrival = Double.infinity
  private var lastCompletion = 0.0

  /// - Parameter expected: requests to come, as far as known.
  public init(replicaCount: Int, expected: Int = 0) {
    endToEnd = Distribution(expected: expected)
    endToEndNormalized = Distribution(overflow: .drop)
    timeToFirstToken = Distribution(expected: expected)
    timeBetweenTokens = Distribution(expected: expected)
    schedulingDelay = Distribution(expected: expected)
    execution = Distribution(overflow: .drop, exactLimit: 0)
    preemption = Distribution(overflow: .drop, exactLimit: 0)
    completedByReplica = [Int](repeating: 0, count: replicaCount)
  }

  /// Completed requests.
  public var completed: Int { endToEnd.count }

  /// Seconds from the first arrival of a completed request to the last completion; 0 without any.
  public var makespan: Double { completed == 0 ? 0 : lastCompletion - firstArrival }

  /// Completed requests per second of the makespan.
  public var throughput: Double { makespan > 0 ? Double(completed) / makespan : 0 }

  /// Takes in a finished request.
  public mutating func add(_ request: CompletedRequest) {
    endToEnd.add(request.endToEndSeconds)
    endToEndNormalized.add(request.endToEndSeconds / Double(request.decodeTokens))
    timeToFirstToken.add(request.timeToFirstTokenSeconds)
    timeBetweenTokens.add(request.timeBetweenTokensSeconds)
    schedulingDelay.add(request.schedulingDelaySeconds)
    execution.add(request.executionSeconds)
    preemption.add(request.preemptedSeconds)
    restarts += request.restarts
    prefillTokens += request.prefillTokens
    decodeTokens += request.decodeTokens
    completedByReplica[request.replica] += 1
    firstArrival = min(firstArrival, request.arrivedAt)
    lastCompletion = max(lastCompletion, request.completedAt)
    if !hasManyPriorities { addPriority(request) }
  }

  /// Percentiles of the four times a user sees: end-to-end, to first token, between tokens, before the first batch.
  public mutating func percentiles(_ shares: [Double]) -> Percentiles {
    (
      endToEnd.percentiles(shares), endToEndNormalized.percentiles(shares), timeToFirstToken.percentiles(shares),
      timeBetweenTokens.percentiles(shares), schedulingDelay.percentiles(shares)
    )
  }

  private mutating func addPriority(_ request: CompletedRequest) {
    let index: Int
    if let known = priorities.firstIndex(where: { $0.priority <= request.priority }), priorities[known].priority == request.priority {
      index = known
    } else if priorities.count == 64 {
      hasManyPriorities = true
      priorities = []
      return
    } else {
      index = priorities.firstIndex { $0.priority < request.priority } ?? priorities.count
      priorities.insert(PriorityTotals(priority: request.priority), at: index)
    }
    priorities[index].completed += 1
    priorities[index].endToEnd += request.endToEndSeconds
    priorities[index].timeToFirstToken += request.timeToFirstTokenSeconds
  }
}

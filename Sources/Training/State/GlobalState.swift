import PPO

/// Everything that crosses a chunk boundary: what the whole run has learned and counted.
///
/// Invariants: `step` lies in chunk `chunk` of the plan; `chunkComplete` means that it lies at its end and no environment has state.
struct GlobalState: Equatable, Sendable {
  /// Decisions since the run began.
  var step = 0
  /// Chunk in progress, or the last complete one; 0 before the first.
  var chunk = 0
  /// Whether `chunk` is complete; true before the first.
  var chunkComplete = true
  /// Finished iterations of `chunk`.
  var iteration = 0
  /// Finished episodes.
  var episodeCount = 0
  /// Parameters, moments and counters of the learner; moments are rank 0's alone.
  var learner: LearnerState
  /// Statistics of observations and discounted returns: the slot that all others were folded into.
  var statistics: StatisticsSlot
  /// Whether the run began with statistics of observations out of a file, and so without stabilisation.
  var beganWithStatistics = false
  /// Returns of the last episodes, oldest first, at most `recentReturnsMax`.
  var recentReturns: [Double] = []
  /// The policy that the divergence `kl_ref` is taken from; nil without one.
  var reference: ReferencePolicy?
  /// Nil until an iteration was watched.
  var tailLatency: TailLatencyMonitor?
  /// Nil until an update was watched.
  var collapse: CollapseMonitor?
  /// The best evaluation so far, nil before the first.
  var bestEvaluation: BestEvaluation?

  /// Episodes in the mean that progress lines and criteria use.
  static let recentReturnsMax = 100

  /// Whether `step` lies where `chunk` and `chunkComplete` say: what a checkpoint must hold to be gone on from.
  func lies(in plan: ChunkPlan) -> Bool {
    guard chunk >= 0, chunk <= plan.chunkCount, iteration >= 0, plan.chunkDecisions.allSatisfy({ $0 > 0 }) else { return false }
    if chunkComplete { return step == plan.lastStep(ofChunk: chunk) && iteration == 0 }
    return chunk >= 1 && step >= plan.firstStep(ofChunk: chunk) && step < plan.lastStep(ofChunk: chunk)
  }

  /// Adds finished episodes in order.
  mutating func record(episodeReturns: [Double]) {
    episodeCount += episodeReturns.count
    recentReturns.append(contentsOf: episodeReturns)
    if recentReturns.count > Self.recentReturnsMax {
      recentReturns.removeFirst(recentReturns.count - Self.recentReturnsMax)
    }
  }

  /// Mean return of the last episodes, nil before the first.
  var recentReturnMean: Double? {
    recentReturns.isEmpty ? nil : recentReturns.reduce(0, +) / Double(recentReturns.count)
  }
}

/// The complete state of a run at a boundary: buffers and slots are empty, rank 0 holds it, checkpoints store it.
struct BoundaryState: Equatable, Sendable {
  var global: GlobalState
  /// One per environment of the run, in order.
  var environments: [EnvironmentState]
}

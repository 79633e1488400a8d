/// What a replica has done so far, as sums from which means over time follow; see `ReplicaUsage`.
///
/// KV blocks are a step function of time: its integral grows where the function changes, so both forms of the simulation add the same terms.
struct ReplicaUse: Equatable, Sendable {
  /// Integral of the KV blocks in use up to `since`.
  private(set) var blockSeconds = 0.0
  private(set) var blocks = 0
  private(set) var since = 0.0
  private(set) var blocksMax = 0
  /// Batches that ran to their end, and what they held.
  private(set) var batches = 0
  private(set) var requests = 0
  private(set) var tokens = 0
  /// Pairs of a new token and one that it attends to.
  private(set) var pairs = 0

  /// From `time` on `count` blocks are in use.
  mutating func setBlocks(_ count: Int, at time: Double) {
    if count == blocks { return }
    blockSeconds += Double(blocks) * (time - since)
    since = time
    blocks = count
    blocksMax = max(blocksMax, count)
  }

  /// A batch of `members` requests has ended.
  mutating func add(members: Int, tokens: Int, pairs: Int) {
    batches &+= 1
    requests &+= members
    self.tokens &+= tokens
    self.pairs &+= pairs
  }

  /// `steps` decode steps of `members` requests have ended, the first of which had `contextTokens` tokens in their caches.
  mutating func add(steps: Int, members: Int, contextTokens: Int) {
    batches &+= steps
    requests &+= steps &* members
    tokens &+= steps &* members
    pairs &+= steps &* (members &+ contextTokens) &+ members &* (steps &* (steps &- 1) / 2)
  }
}

/// How busy a replica was: means over time, idle times and times of failure included.
public struct ReplicaUsage: Equatable, Sendable {
  /// Mean share of the KV blocks in use, percent.
  public let memoryMean: Double
  /// Greatest share of the KV blocks in use, percent.
  public let memoryMax: Double
  /// Share of the time each pipeline stage worked, percent. A stage counts when it is done.
  public let busy: [Double]
  /// Model FLOPs over what a device could do at its peak, percent; the same for each device of the replica.
  public let modelFlopsUtilization: Double
  /// Batches that ran to their end.
  public let batches: Int
  /// Mean requests in a batch; NaN without batches.
  public let batchSizeMean: Double
  /// Mean tokens in a batch; NaN without batches.
  public let batchTokensMean: Double
}

extension ClusterSimulation {
  /// How busy each replica was from the first event up to `end`, seconds; without any event all shares are 0.
  public func usage(until end: Double) -> [ReplicaUsage] {
    let span = max(0, end - (begin ?? end))
    func percent(_ amount: Double, of whole: Double) -> Double { whole > 0 ? 100 * amount / whole : 0 }
    return zip(replicas, configuration.replicas).map { replica, configured in
      let use = replica.use
      let blockCount = Double(models[replica.model].limits.blockCount)
      let blockSeconds = use.blockSeconds + Double(use.blocks) * max(0, end - use.since)
      let batches = Double(use.batches)
      let (perToken, perPair) = MemoryPlan.modelFlops(configuration.model, configured)
      let flops = perToken * Double(use.tokens) + perPair * Double(use.pairs)
      return ReplicaUsage(
        memoryMean: percent(blockSeconds, of: blockCount * span), memoryMax: percent(Double(use.blocksMax), of: blockCount),
        busy: replica.stages.map { percent($0.busySeconds, of: span) },
        modelFlopsUtilization: percent(flops, of: configured.device.peakFlops * span), batches: use.batches,
        batchSizeMean: Double(use.requests) / batches, batchTokensMean: Double(use.tokens) / batches)
    }
  }
}

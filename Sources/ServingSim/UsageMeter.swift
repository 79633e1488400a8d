/// How busy the replicas of a simulation were, from the log taken piece by piece while it ran.
///
/// All means are over time, from the first event to the end asked for, idle times and times of failure included.
public struct UsageMeter: Sendable {
  /// What the meter needs recorded.
  public static let parts: EventLog.Parts = [.events, .batches, .stages]

  /// One replica's figures.
  public struct Usage: Equatable, Sendable {
    /// Mean share of the KV blocks in use, percent.
    public let memoryMean: Double
    /// Greatest share of the KV blocks in use, percent.
    public let memoryMax: Double
    /// Share of the time each pipeline stage worked, percent.
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

  private struct Sums: Sendable {
    var blocks = 0
    var blocksMax = 0
    var since = 0.0
    var blockSeconds = 0.0
    var busySeconds: [Double]
    var flops = 0.0
    var batches = 0
    var requests = 0
    var tokens = 0
  }

  /// What a replica's batches are weighed with.
  private struct Facts: Sendable {
    let blockCount: Int
    let peakFlops: Double
    /// For each token.
    let flopsPerToken: Double
    /// For each pair of a new token and one that it attends to.
    let flopsPerPair: Double
  }

  private var sums: [Sums]
  private let facts: [Facts]
  private var begin: Double?

  /// A meter for `cluster`, which is empty yet.
  public init(_ cluster: ClusterSimulation) {
    let model = cluster.configuration.model
    facts = cluster.configuration.replicas.enumerated().map { index, replica in
      let (perToken, perPair) = MemoryPlan.modelFlops(model, replica)
      return Facts(
        blockCount: cluster.replica(index).blockCount, peakFlops: replica.device.peakFlops, flopsPerToken: perToken, flopsPerPair: perPair)
    }
    sums = cluster.configuration.replicas.map { Sums(busySeconds: Array(repeating: 0, count: $0.pipelineStages)) }
  }

  /// Takes in the next piece of the log.
  public mutating func add(_ log: EventLog) {
    if begin == nil, let first = log.events.first {
      begin = first.time
      for index in sums.indices { sums[index].since = first.time }
    }
    for event in log.events {
      guard let replica = event.replica else { continue }
      if let blocks = event.allocatedBlocks { change(replica, blocks, at: event.time) }
      if event.kind == .availabilityChange, event.detail == .change(.fail) { change(replica, 0, at: event.time) }
    }
    for stage in log.stages { sums[stage.replica].busySeconds[stage.stage] += stage.completedAt - stage.scheduledAt }
    for batch in log.batches where batch.completedAt != nil {
      var tokens = 0
      var pairs = 0
      for (count, context) in zip(batch.tokens, batch.contexts) {
        tokens += count
        pairs += count * (count + context)
      }
      let fact = facts[batch.replica]
      sums[batch.replica].flops += fact.flopsPerToken * Double(tokens) + fact.flopsPerPair * Double(pairs)
      sums[batch.replica].batches += 1
      sums[batch.replica].requests += batch.requests.count
      sums[batch.replica].tokens += tokens
    }
  }

  /// The figures of each replica up to `end`, seconds; without any event all are 0.
  public func usage(until end: Double) -> [Usage] {
    let span = max(0, end - (begin ?? end))
    func percent(_ amount: Double, of whole: Double) -> Double { whole > 0 ? 100 * amount / whole : 0 }
    return zip(sums, facts).map { sum, fact in
      let blockSeconds = sum.blockSeconds + Double(sum.blocks) * max(0, end - sum.since)
      let count = Double(sum.batches)
      return Usage(
        memoryMean: percent(blockSeconds, of: Double(fact.blockCount) * span),
        memoryMax: percent(Double(sum.blocksMax), of: Double(fact.blockCount)), busy: sum.busySeconds.map { percent($0, of: span) },
        modelFlopsUtilization: percent(sum.flops, of: fact.peakFlops * span), batches: sum.batches,
        batchSizeMean: Double(sum.requests) / count, batchTokensMean: Double(sum.tokens) / count)
    }
  }

  private mutating func change(_ replica: Int, _ blocks: Int, at time: Double) {
    sums[replica].blockSeconds += Double(sums[replica].blocks) * (time - sums[replica].since)
    sums[replica].since = time
    sums[replica].blocks = blocks
    sums[replica].blocksMax = max(sums[replica].blocksMax, blocks)
  }
}

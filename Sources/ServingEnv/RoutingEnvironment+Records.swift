import Environments

extension RoutingEnvironment {
  /// See `closingRecord`; times in seconds, means over completed requests.
  public static let episodeFields = [
    "completed", "cut", "rejected", "clamped", "restarts", "duration", "end_to_end_mean", "end_to_end_max", "time_to_first_token_mean",
    "time_between_tokens_mean", "scheduling_delay_mean", "rerouted",
  ]

  /// Fates of the requests.
  public static let episodeCounts = ["completed", "cut", "rejected", "clamped", "restarts", "rerouted"]

  /// Terms of the reward, see `RoutingReward.Components`, and what happened during the step.
  public static let infoFields = [
    "raw", "reward", "throughput", "latency", "absolute", "delta", "imbalance", "logistic", "stale", "completions", "arrival_rate",
    "in_flight", "excess", "bonus", "cost",
  ]

  /// The episode up to the pending decision, which ends it at a chunk end: requests that have been routed count as cut, the others do
  /// not count.
  public func closingRecord() -> EpisodeRecord? {
    if steps == 0 { return nil }
    return EpisodeRecord(
      length: steps, return: rewardSum,
      values: [
        Double(totals.completed), Double(cluster.placedCount), Double(cluster.rejectedCount + workload.rejectedCount),
        Double(workload.clampedCount), Double(totals.restarts), cluster.now, totals.mean(totals.endToEnd), totals.endToEndMax,
        totals.mean(totals.timeToFirstToken), totals.mean(totals.timeBetweenTokens), totals.mean(totals.schedulingDelay),
        Double(cluster.reroutedCount),
      ])
  }

  /// Writes `infoFields` of the last step; zeros before the first.
  public func info(into values: inout MutableSpan<Double>) {
    precondition(values.count == Self.infoFields.count, "info has another length than its fields")
    let terms = rewardComponents
    values[0] = terms.raw
    values[1] = terms.reward
    values[2] = terms.throughput
    values[3] = terms.latency
    values[4] = terms.absolute
    values[5] = terms.delta
    values[6] = terms.imbalance
    values[7] = terms.logistic
    values[8] = terms.isStale ? 1 : 0
    values[9] = Double(completions.count)
    values[10] = metrics.arrivalRate
    values[11] = Double(cluster.placedCount)
    values[12] = terms.excess
    values[13] = terms.bonus
    values[14] = terms.cost
  }
}

import Environments
import PPO
import Telemetry

extension Trainer {
  /// Rank 0's record of a finished iteration. Holds no wall-clock figure, so equal runs write equal bytes.
  func makeReport(
    iteration: Int, decisions: Int, contributions: [EnvironmentContribution], metrics: UpdateMetrics?
  ) -> IterationReport {
    var report = IterationReport()
    report.rewardMean = contributions.reduce(0) { $0 + $1.rewardSum } / Double(max(decisions, 1))
    report.step = global.step
    report.decisions = decisions
    report.entropy = metrics?.entropy
    position(&report.rollout, iteration: iteration)
    report.rollout.append("decisions", decisions)
    report.rollout.append("stabilization", metrics == nil ? 1 : 0)
    report.rollout.append("reward_raw_mean", report.rewardMean)
    for (field, name) in E.infoFields.enumerated() {
      report.rollout.append("info_" + name + "_mean", contributions.reduce(0) { $0 + $1.infoSums[field] } / Double(max(decisions, 1)))
    }
    report.rollout.append("action_counts", actionCounts(contributions))
    report.rollout.append("episodes", contributions.reduce(0) { $0 + $1.episodes.count })
    report.rollout.append("recent_return_mean", global.recentReturnMean ?? .nan)
    report.rollout.append("observation_count", global.observationStatistics.count)
    report.rollout.append("discounted_return_std", global.returnStatistics.variance(0).squareRoot())

    if let metrics {
      var update = MetricRecord()
      position(&update, iteration: iteration)
      update.append("update", global.learner.updateCount)
      update.append("opt_step", global.learner.optimizerStep)
      for field in metrics.fields { update.append(field.name, field.value) }
      report.update = update
    }
    for (field, name) in E.episodeFields.enumerated() where E.episodeCounts.contains(name) {
      let sum = contributions.reduce(0.0) { $0 + $1.episodes.reduce(0.0) { $0 + $1.values[field] } }
      report.counts.append((name, Int(sum)))
    }
    for (environment, contribution) in contributions.enumerated() {
      for episode in contribution.episodes {
        var record = MetricRecord()
        position(&record, iteration: iteration)
        record.append("environment", environment)
        record.append("length", episode.length)
        record.append("return", episode.return)
        for (name, value) in zip(E.episodeFields, episode.values) { record.append(name, value) }
        report.episodes.append(record)
      }
    }
    return report
  }

  private func position(_ record: inout MetricRecord, iteration: Int) {
    record.append("step", global.step)
    record.append("chunk", global.chunk)
    record.append("iteration", iteration)
  }

  private func actionCounts(_ contributions: [EnvironmentContribution]) -> [Int] {
    var counts = [Int](repeating: 0, count: network.actionCount)
    for contribution in contributions {
      for action in contribution.actions { counts[Int(action)] += 1 }
    }
    return counts
  }
}

import Environments
import PPO
import Telemetry

extension Trainer {
  /// Rank 0's record of a finished iteration. Holds no wall-clock figure, so equal runs write equal bytes.
  func makeReport(
    iteration: Int, decisions: Int, contributions: [EnvironmentContribution], metrics: UpdateMetrics?,
    findings: MonitorFindings
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
    let counts = actionCounts(contributions)
    report.rollout.append("action_counts", counts)
    report.rollout.append("action_balance", ActionBalance.score(counts, choices: settings.choices ?? network.actionCount))
    report.rollout.append("episodes", contributions.reduce(0) { $0 + $1.episodes.count })
    report.rollout.append("recent_return_mean", global.recentReturnMean ?? .nan)
    report.rollout.append("observation_count", global.statistics.observations.count)
    report.rollout.append("discounted_return_std", global.statistics.returns.variance(0).squareRoot())
    appendTemperature(contributions, to: &report.rollout)
    if let finding = findings.tailLatency {
      report.rollout.append("tail_latency_p90", finding.p90)
      report.rollout.append("tail_latency_p95", finding.p95)
      report.rollout.append("tail_latency_p99", finding.p99)
      report.rollout.append("tail_latency_alert", finding.isAlert ? 1 : 0)
    }
    report.warnings = findings.lines

    if let metrics {
      var update = MetricRecord()
      position(&update, iteration: iteration)
      update.append("update", global.learner.updateCount)
      update.append("opt_step", global.learner.optimizerStep)
      for field in metrics.fields { update.append(field.name, field.value) }
      if let warnings = findings.warnings { update.append("warnings", warnings) }
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

  /// Means over the environments of what the controllers remember; nothing without controllers.
  private func appendTemperature(_ contributions: [EnvironmentContribution], to record: inout MetricRecord) {
    let states = contributions.compactMap(\.temperature)
    guard !states.isEmpty else { return }
    func mean(_ value: (TemperatureState) -> Double) -> Double { states.reduce(0) { $0 + value($1) } / Double(states.count) }
    record.append("temperature_base", settings.temperature?.base ?? .nan)
    record.append("temperature_current", mean(\.temperature))
    record.append("temperature_qps_pressure", mean(\.ratePressure))
    record.append("temperature_latency_pressure", mean(\.latencyPressure))
    record.append("temperature_pulsing", mean { $0.isPulsing ? 1 : 0 })
    record.append("temperature_pulse_remaining", mean { Double($0.pulseRemaining) })
    record.append("temperature_step_count", mean { Double($0.stepCount) })
    record.append("temperature_stagnation_level", states.flatMap(\.changes).max() ?? 0)
  }

  private func actionCounts(_ contributions: [EnvironmentContribution]) -> [Int] {
    var counts = [Int](repeating: 0, count: network.actionCount)
    for contribution in contributions {
      for action in contribution.actions { counts[Int(action)] += 1 }
    }
    return counts
  }
}

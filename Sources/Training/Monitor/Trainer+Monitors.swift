import Environments
import PPO

/// What the monitors made of one iteration.
struct MonitorFindings {
  /// Nil if latencies are not watched.
  var tailLatency: TailLatencyMonitor.Finding?
  /// Bits of the warnings in force; nil if they are switched off.
  var warnings: Int?
  /// Lines for the log.
  var lines: [String] = []
}

extension Trainer {
  /// Shows a gathered iteration to the monitors of rank 0, whose state is part of the boundary.
  func watch(_ contributions: [EnvironmentContribution], metrics: UpdateMetrics?) -> MonitorFindings {
    var findings = MonitorFindings()
    let monitor = settings.monitor
    if E.reportsLatencies, monitor.tailLatencyWindow > 0 {
      let latencies = contributions.flatMap(\.latencies)
      let seconds = contributions.reduce(0) { $0 + $1.simulatedSeconds } / Double(contributions.count)
      var watcher = global.tailLatency ?? TailLatencyMonitor()
      let finding = watcher.take(
        latencies, seconds: seconds, window: monitor.tailLatencyWindow, threshold: monitor.tailLatencyThreshold,
        cooldown: monitor.tailLatencyCooldownSeconds)
      advance { $0.tailLatency = watcher }
      findings.tailLatency = finding
      if finding.isAlert {
        findings.lines.append(
          "[Warning] tail latency: P99 of the last \(watcher.samples.count) requests is \(finding.p99) s, above "
            + "monitor.tail_latency_threshold \(monitor.tailLatencyThreshold) s")
      }
    } else {
      advance { $0.tailLatency = nil }
    }
    if monitor.collapseWarnings {
      if let metrics {
        var watcher = global.collapse ?? CollapseMonitor()
        let lines = watcher.take(
          actions: contributions.flatMap(\.actions), actionCount: network.actionCount, metrics: metrics)
        findings.lines += lines.map { "[Warning] step \(global.step): \($0)" }
        findings.warnings = watcher.inForce
        advance { $0.collapse = watcher }
      }
    } else {
      advance { $0.collapse = nil }
    }
    return findings
  }
}

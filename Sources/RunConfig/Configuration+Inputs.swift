extension Configuration {
  /// The files that take part in a run of this configuration, by the key that names them, in a fixed order.
  public var inputFiles: [(key: String, path: String)] {
    guard run.environment == .routing else { return [] }
    var files: [(key: String, path: String)] = []
    if workload.kind == .trace { files.append(("workload.trace", workload.trace)) }
    if usesLengthTrace { files.append(("workload.length_trace", workload.lengthTrace)) }
    if workload.kind != .trace && workload.intervals == .trace { files.append(("workload.interval_trace", workload.intervalTrace)) }
    for (key, path) in profiles where !path.isEmpty { files.append((key, path)) }
    return files
  }

  /// Whether a class of requests, or all, take their lengths from `workload.length_trace`.
  var usesLengthTrace: Bool {
    workload.kind == .lengths || workload.kind == .classes && workload.classes.contains { $0.lengths == .lengths }
  }

  var profiles: [(key: String, path: String)] {
    [
      ("timing.mlp_profile", timing.mlpProfile), ("timing.attention_profile", timing.attentionProfile),
      ("timing.all_reduce_profile", timing.allReduceProfile), ("timing.send_recv_profile", timing.sendRecvProfile),
      ("timing.cpu_overhead_profile", timing.cpuOverheadProfile),
    ]
  }
}

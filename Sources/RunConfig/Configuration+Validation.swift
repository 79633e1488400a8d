extension Configuration {
  /// Checks a configuration that was put together in code: every value against its range, then values against each other.
  ///
  /// - Throws: `ConfigurationError` with all issues.
  public func validate() throws(ConfigurationError) {
    var issues: [ConfigurationIssue] = []
    for field in Schema.fields {
      let value = field.value(in: self)
      if !field.kind.accepts(value) {
        let message = "\(value.compactText()) is not allowed (allowed: \(field.kind.allowed))"
        issues.append(ConfigurationIssue(.outOfRange, path: field.path, message))
      }
    }
    if issues.isEmpty { issues = conflicts() }
    if !issues.isEmpty { throw ConfigurationError(issues) }
  }

  /// Values that are allowed one by one and exclude each other.
  func conflicts() -> [ConfigurationIssue] {
    var issues: [ConfigurationIssue] = []
    func require(_ condition: Bool, _ path: String, _ message: String) {
      if !condition { issues.append(ConfigurationIssue(.conflict, path: path, message)) }
    }
    let samples = run.numEnvs * rollout.length
    require(
      run.totalRequests >= run.numEnvs, "run.total_requests",
      "\(run.totalRequests) decisions are fewer than run.num_envs \(run.numEnvs)")
    require(
      run.chunkSize >= run.numEnvs, "run.chunk_size", "\(run.chunkSize) decisions are fewer than run.num_envs \(run.numEnvs)")
    require(
      ppo.minibatchSize <= samples, "ppo.minibatch_size",
      "\(ppo.minibatchSize) is more than the \(samples) samples of a rollout (run.num_envs times rollout.length)"
    )
    require(
      ppo.minEpochs <= ppo.epochs, "ppo.min_epochs", "\(ppo.minEpochs) is more than ppo.epochs \(ppo.epochs)")
    require(update.shards & (update.shards - 1) == 0, "update.shards", "\(update.shards) is not a power of two")
    if run.environment == .routing {
      clusterConflicts(require)
      workloadConflicts(require)
    }
    return issues
  }

  private func clusterConflicts(_ require: (Bool, String, String) -> Void) {
    let devices = cluster.tensorParallel
    require(devices & (devices - 1) == 0, "cluster.tensor_parallel", "\(devices) is not 1, 2, 4 or 8")
    require(
      cluster.model != "microsoft/phi-2" || devices == 1, "cluster.tensor_parallel",
      "\(devices), but microsoft/phi-2 cannot be divided over devices")
    require(
      cluster.batchSizeCap >= cluster.pipelineStages, "cluster.batch_size_cap",
      "\(cluster.batchSizeCap) leaves no request for each of cluster.pipeline_stages \(cluster.pipelineStages)")
    if cluster.replicaScheduler == .vllm {
      require(
        cluster.maxTokensInBatch >= cluster.maxTokens, "cluster.max_tokens_in_batch",
        "\(cluster.maxTokensInBatch) is less than cluster.max_tokens \(cluster.maxTokens), so a long prompt could never run")
    }
  }

  private func workloadConflicts(_ require: (Bool, String, String) -> Void) {
    if workload.kind == .trace {
      require(!workload.trace.isEmpty, "workload.trace", "workload.kind trace needs the path of a trace")
      require(
        workload.toSeconds == 0 || workload.toSeconds > workload.fromSeconds, "workload.to_seconds",
        "\(workload.toSeconds) is not after workload.from_seconds \(workload.fromSeconds)")
    } else {
      require(
        workload.trace.isEmpty, "workload.trace", "\"\(workload.trace)\" has no effect with workload.kind \(workload.kind.rawValue)")
    }
    if workload.kind == .uniform {
      require(
        workload.uniformMinTokens <= workload.uniformMaxTokens, "workload.uniform_min_tokens",
        "\(workload.uniformMinTokens) is more than workload.uniform_max_tokens \(workload.uniformMaxTokens)")
    }
    if workload.overLimit == .reject {
      let tokens =
        switch workload.kind {
        case .fixed: workload.fixedPrefillTokens + workload.fixedDecodeTokens
        case .uniform: workload.uniformMinTokens
        case .conversation, .trace: 0
        }
      require(
        tokens <= cluster.maxTokens, "workload.over_limit",
        "reject turns every request away: they have at least \(tokens) tokens, cluster.max_tokens is \(cluster.maxTokens)")
    }
  }
}

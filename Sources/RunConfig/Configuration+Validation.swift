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
    require(
      ppo.sequenceLength <= ppo.minibatchSize, "ppo.sequence_length",
      "\(ppo.sequenceLength) is more than ppo.minibatch_size \(ppo.minibatchSize)")
    require(
      ppo.targetKlMin <= ppo.targetKlMax, "ppo.target_kl_min", "\(ppo.targetKlMin) is more than ppo.target_kl_max \(ppo.targetKlMax)")
    require(
      temperature.min <= temperature.max, "temperature.min", "\(temperature.min) is more than temperature.max \(temperature.max)")
    require(
      !(network.coupled && network.boundedLogits), "network.bounded_logits", "true, but network.coupled has plain heads")
    require(
      network.architecture != .setEncoder || run.environment == .routing, "network.architecture",
      "set_encoder, but run.environment \(run.environment.rawValue) has no replicas")
    warmStartConflicts(require)
    if run.environment == .routing {
      clusterConflicts(require)
      timingConflicts(require)
      workloadConflicts(require)
    }
    creditConflicts(require)
    return issues
  }

  private func warmStartConflicts(_ require: (Bool, String, String) -> Void) {
    let names = warmstart.behaviourList
    for (index, name) in names.enumerated() {
      require(
        WarmStartSection.behaviourNames.contains(name), "warmstart.behaviours",
        "\"\(name)\" is no policy, allowed \(WarmStartSection.behaviourNames.joined(separator: ", "))")
      require(!names[..<index].contains(name), "warmstart.behaviours", "\(name) is there twice")
    }
    require(
      warmstart.sequenceLength <= warmstart.batchSize, "warmstart.sequence_length",
      "\(warmstart.sequenceLength) is more than warmstart.batch_size \(warmstart.batchSize)")
    if run.environment != .routing {
      require(!warmstart.enabled, "warmstart.enabled", "only the environment routing has teachers")
    }
    let isLoaded = !warmstart.model.isEmpty
    require(
      !isLoaded || warmstart.demonstrations.isEmpty, "warmstart.demonstrations",
      "\"\(warmstart.demonstrations)\" has no effect with warmstart.model \"\(warmstart.model)\"")
  }

  private func clusterConflicts(_ require: (Bool, String, String) -> Void) {
    let devices = cluster.tensorParallel
    require(devices & (devices - 1) == 0, "cluster.tensor_parallel", "\(devices) is not 1, 2, 4 or 8")
    require(
      cluster.model != "microsoft/phi-2" || devices == 1, "cluster.tensor_parallel",
      "\(devices), but microsoft/phi-2 cannot be divided over devices")
    let isV1 = cluster.replicaScheduler == .vllmV1
    let residents = isV1 ? cluster.maxNumSeqs : cluster.batchSizeCap
    require(
      residents >= cluster.pipelineStages, isV1 ? "cluster.max_num_seqs" : "cluster.batch_size_cap",
      "\(residents) leaves no request for each of cluster.pipeline_stages \(cluster.pipelineStages)")
    func requirePrompts(_ tokens: Int, _ path: String) {
      require(
        tokens >= cluster.maxTokens, path,
        "\(tokens) is less than cluster.max_tokens \(cluster.maxTokens), so a long prompt could never run")
    }
    switch cluster.replicaScheduler {
    case .vllmV1: if !cluster.enableChunkedPrefill { requirePrompts(cluster.maxNumBatchedTokens, "cluster.max_num_batched_tokens") }
    case .vllm: requirePrompts(cluster.maxTokensInBatch, "cluster.max_tokens_in_batch")
    case .lightllm:
      requirePrompts(cluster.maxTokensInBatch, "cluster.max_tokens_in_batch")
      require(cluster.blockSize == 1, "cluster.block_size", "\(cluster.blockSize), but replica_scheduler lightllm needs 1")
      require(cluster.pipelineStages == 1, "cluster.pipeline_stages", "\(cluster.pipelineStages), but replica_scheduler lightllm needs 1")
    case .sarathi, .orca, .fasterTransformer: break
    }
  }

  private func timingConflicts(_ require: (Bool, String, String) -> Void) {
    require(timing.model != .table || !timing.mlpProfile.isEmpty, "timing.mlp_profile", "timing.model table needs the path of a profile")
    for (key, path) in profiles where !path.isEmpty {
      let isOfTable = key == "timing.mlp_profile" || key == "timing.attention_profile"
      let isUsed = isOfTable ? timing.model == .table : timing.model == .table || timing.model == .closedForm
      require(isUsed, key, "\"\(path)\" has no effect with timing.model \(timing.model.rawValue)")
    }
    for (index, replaced) in timing.constants.enumerated() {
      guard let constant = replaced.constant, let value = replaced.value else { continue }
      require(!constant.isDivisor || value > 0, "timing.constants[\(index)].value", "\(constant.rawValue) is \(value), but must be above 0")
      require(
        constant != .matmulTile || value >= 1 && value == value.rounded(), "timing.constants[\(index)].value",
        "\(constant.rawValue) is \(value), but must be a whole number of at least 1")
    }
  }

  private func workloadConflicts(_ require: (Bool, String, String) -> Void) {
    let kind = workload.kind
    let isReplay = kind == .trace || workload.intervals == .trace
    require(kind != .trace || !workload.trace.isEmpty, "workload.trace", "workload.kind trace needs the path of a trace")
    require(
      kind == .trace || workload.trace.isEmpty, "workload.trace",
      "\"\(workload.trace)\" has no effect with workload.kind \(kind.rawValue)")
    require(
      kind != .trace || workload.intervals == .poisson, "workload.intervals",
      "\(workload.intervals.rawValue) has no effect with workload.kind trace, whose arrivals are recorded")
    require(
      kind == .trace || workload.intervals != .trace || !workload.intervalTrace.isEmpty, "workload.interval_trace",
      "workload.intervals trace needs the path of a file")
    require(
      workload.intervals == .trace || workload.intervalTrace.isEmpty, "workload.interval_trace",
      "\"\(workload.intervalTrace)\" has no effect with workload.intervals \(workload.intervals.rawValue)")
    require(!usesLengthTrace || !workload.lengthTrace.isEmpty, "workload.length_trace", "lengths of a file need its path")
    require(usesLengthTrace || workload.lengthTrace.isEmpty, "workload.length_trace", "\"\(workload.lengthTrace)\" has no effect")
    if isReplay {
      require(
        workload.toSeconds == 0 || workload.toSeconds > workload.fromSeconds, "workload.to_seconds",
        "\(workload.toSeconds) is not after workload.from_seconds \(workload.fromSeconds)")
      require(
        workload.timeScale == 1 || workload.qps == 0, "workload.time_scale",
        "\(workload.timeScale) and workload.qps \(workload.qps) both set the pace")
    }
    require(kind != .classes || !workload.classes.isEmpty, "workload.classes", "workload.kind classes needs at least one class")
    require(
      kind == .classes || workload.classes.isEmpty, "workload.classes",
      "\(workload.classes.count) classes have no effect with workload.kind \(kind.rawValue)")
    rateConflicts(require)
    lengthConflicts(require)
  }

  private func rateConflicts(_ require: (Bool, String, String) -> Void) {
    for (index, pair) in zip(workload.rateSchedule, workload.rateSchedule.dropFirst()).enumerated() {
      require(
        pair.0.atSeconds ?? 0 < pair.1.atSeconds ?? 0, "workload.rate_schedule[\(index + 1)].at_seconds",
        "\(pair.1.atSeconds ?? 0) is not after the step before")
    }
    require(
      workload.ratePeriodSeconds == 0 || workload.ratePeriodSeconds >= 1e-3, "workload.rate_period_seconds",
      "\(workload.ratePeriodSeconds) is neither 0 nor at least 0.001")
  }

  private func lengthConflicts(_ require: (Bool, String, String) -> Void) {
    let (uniform, zipf) = (workload.kind == .uniform, workload.kind == .zipf)
    require(
      !uniform || workload.uniformMinTokens <= workload.uniformMaxTokens, "workload.uniform_min_tokens",
      "\(workload.uniformMinTokens) is more than workload.uniform_max_tokens \(workload.uniformMaxTokens)")
    require(
      !zipf || workload.zipfMinTokens <= workload.zipfMaxTokens, "workload.zipf_min_tokens",
      "\(workload.zipfMinTokens) is more than workload.zipf_max_tokens \(workload.zipfMaxTokens)")
    for (index, requestClass) in workload.classes.enumerated() where requestClass.lengths == .uniform || requestClass.lengths == .zipf {
      let range = workload.tokenRange(of: requestClass)
      require(
        range.min <= range.max, "workload.classes[\(index)].min_tokens", "\(range.min) is more than the longest request, \(range.max)")
    }
    if workload.overLimit == .reject {
      let tokens =
        switch workload.kind {
        case .fixed: workload.fixedPrefillTokens + workload.fixedDecodeTokens
        case .uniform: workload.uniformMinTokens
        case .zipf: workload.zipfMinTokens
        case .conversation, .lengths, .classes, .trace: 0
        }
      require(
        tokens <= cluster.maxTokens, "workload.over_limit",
        "reject turns every request away: they have at least \(tokens) tokens, cluster.max_tokens is \(cluster.maxTokens)")
    }
  }

  private func creditConflicts(_ require: (Bool, String, String) -> Void) {
    if run.environment != .routing {
      require(
        credit.assignment == .reward || credit.assignment == .counterfactual, "credit.assignment",
        "\(credit.assignment.rawValue) needs the objective, which only run.environment routing has")
      require(reward.mode != .latency, "reward.mode", "latency needs the objective, which only run.environment routing has")
      require(evaluation.interval == 0, "evaluation.interval", "\(evaluation.interval), but only run.environment routing is evaluated")
      return
    }
    if credit.assignment == .interval || credit.assignment == .own {
      require(
        reward.mode == .latency, "reward.mode",
        "\(reward.mode.rawValue) has no effect with credit.assignment \(credit.assignment.rawValue), which rewards by the objective: set it to latency"
      )
    }
    require(
      objective.endToEndWeight + objective.ttftWeight + objective.ttftSquaredWeight > 0, "objective.end_to_end_weight",
      "all weights of the objective are 0")
    require(
      observation.replicasMax == 0 || observation.replicasMax >= cluster.numReplicas, "observation.replicas_max",
      "\(observation.replicasMax) is less than cluster.num_replicas \(cluster.numReplicas)")
  }
}

extension WorkloadSection {
  /// Shortest and longest request of a class, with the section's values where it says nothing.
  public func tokenRange(of requestClass: RequestClassRecord) -> (min: Int, max: Int) {
    let isZipf = requestClass.lengths == .zipf
    return (
      requestClass.minTokens ?? (isZipf ? zipfMinTokens : uniformMinTokens),
      requestClass.maxTokens ?? (isZipf ? zipfMaxTokens : uniformMaxTokens)
    )
  }
}

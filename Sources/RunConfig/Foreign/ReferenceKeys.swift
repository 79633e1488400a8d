/// The keys of the program that this one replaces, and what has become of them here.
enum ReferenceKeys {
  enum Rule: Equatable {
    /// The counterpart.
    case key(String)
    /// A list of names that becomes a comma-separated text.
    case names(String)
    /// No effect here.
    case none(String)
  }

  /// The rule for a dotted path: its own, or that of an object around it.
  static func rule(for path: String) -> Rule? { table.first { $0.path == path }?.rule }

  private static let documentation = "documentation only, there too"
  private static let unread = "never read there"
  private static let fixed = "fixed here"
  private static let noCode = "stored there and never used"
  private static let otherNetwork = "belongs to a network that is not built here"

  /// Why a key without a rule of its own has no effect.
  static func reason(forOther path: String) -> String {
    others.first { path.hasPrefix($0.path + ".") }?.reason ?? "no key that is known"
  }

  /// What holds for the keys of an object that are not in the table.
  private static let others: [(path: String, reason: String)] = [
    ("temperature_control.temperature_pulse", unread + "; temperature.pulse_interval, _magnitude, _duration"),
    ("statistics_stabilization", unread + "; rollout.stabilization_decisions is all there is"),
    ("monitoring.tail_latency_tracking", fixed),
  ]

  static let table: [(path: String, rule: Rule)] = [
    ("training.num_replicas", .key("cluster.num_replicas")),
    ("training.qps", .key("workload.qps")),
    ("training.ppo_requests", .key("run.total_requests")),
    ("training.bc_epochs", .key("warmstart.epochs")),
    ("training.demo_steps_per_policy", .none("warmstart.episodes times warmstart.episode_decisions in each scenario")),
    ("training.demo_policies", .names("warmstart.behaviours")),

    ("model_dimensions", .none(documentation)),
    ("state_dimension_compatibility", .none(documentation)),
    ("network_compatibility", .none(documentation)),

    ("actor_critic_architecture.actor.hidden_size", .key("network.hidden")),
    ("actor_critic_architecture.actor.gru_layers", .key("network.gru_layers")),
    ("actor_critic_architecture.actor.num_layers", .none(fixed)),
    ("actor_critic_architecture.actor.temperature_scaling", .none("temperature.enabled chooses")),
    ("actor_critic_architecture.actor.use_gru", .none("network.architecture chooses")),
    ("actor_critic_architecture.actor.output_activation", .none("network.bounded_logits chooses")),
    ("actor_critic_architecture.actor.exploration_bonus_layer", .none(unread)),
    ("actor_critic_architecture.actor.shared_backbone", .none(unread)),
    ("actor_critic_architecture.critic", .none("read there by nothing; the critic has the actor's width")),
    ("actor_critic_architecture.enable_cross_replica_attention", .none(otherNetwork)),
    ("actor_critic_architecture.num_replicas", .none("cluster.num_replicas")),
    ("actor_critic_architecture.attention_heads", .none(otherNetwork)),
    ("actor_critic_architecture.cross_replica_attention", .none(otherNetwork)),
    ("actor_critic_architecture.temporal_lstm", .none(noCode)),
    ("actor_critic_architecture.stabilization", .none(noCode)),

    ("ppo_config.lr", .key("ppo.learning_rate")),
    ("ppo_config.gamma", .key("ppo.gamma")),
    ("ppo_config.gae_lambda", .key("ppo.gae_lambda")),
    ("ppo_config.clip_ratio", .key("ppo.clip_ratio")),
    ("ppo_config.clip_range_vf", .key("ppo.clip_range_vf")),
    ("ppo_config.value_coef", .key("ppo.value_coef")),
    ("ppo_config.epochs", .key("ppo.epochs")),
    ("ppo_config.rollout_len", .key("rollout.length")),
    ("ppo_config.minibatch_size", .key("ppo.minibatch_size")),
    ("ppo_config.entropy_coef", .key("ppo.entropy_coef")),
    ("ppo_config.entropy_schedule", .none(noCode + "; ppo.entropy_final_coef and ppo.entropy_decay_opt_steps")),
    ("ppo_config.entropy_warmup_coef", .key("ppo.entropy_warmup_coef")),
    ("ppo_config.stabilization_steps", .none("drops the first updates of a warm start there; ppo.learning_rate_warmup_opt_steps")),
    ("ppo_config.max_grad_norm", .key("ppo.max_grad_norm")),
    ("ppo_config.revolutionary_features", .none("not built here")),

    ("reward_config.latency_threshold", .key("reward.latency_threshold")),
    ("reward_config.throughput_target", .key("reward.throughput_target")),
    ("reward_config.absolute_weight", .key("reward.absolute_weight")),
    ("reward_config.delta_weight", .key("reward.delta_weight")),
    ("reward_config.alpha", .key("reward.alpha")),
    ("reward_config.beta", .key("reward.beta")),
    ("reward_config.kappa", .key("reward.kappa")),
    ("reward_config.sigma", .key("reward.sigma")),
    ("reward_config.ema_alpha", .key("reward.ema_alpha")),
    ("reward_config.load_balance_penalty", .key("reward.load_balance_penalty")),
    ("reward_config.latency_weight", .none("not in the hybrid reward")),
    ("reward_config.balance_penalty_weight", .none("not in the hybrid reward")),
    ("reward_config.latency_penalty_scale", .none("not in the hybrid reward")),
    ("reward_config.gamma", .none("the translator there reads reward_gamma")),
    ("reward_config.reward_scaling", .none(unread)),
    ("reward_config.latency_bonus", .none(unread + "; reward.latency_bonus_scale")),
    ("reward_config.baseline_relative_reward", .none(unread + "; reward.mode latency is relative to lor_full")),
    ("reward_config.progressive_latency_reward", .none(unread + "; reward.progress_improvement_weight")),
    ("reward_config.reward_validation", .none(unread)),

    ("kl_regularization.target_kl", .key("ppo.target_kl")),
    ("kl_regularization.entropy_min", .key("ppo.entropy_min")),
    ("kl_regularization.entropy_penalty_coef", .key("ppo.entropy_penalty_coef")),
    ("kl_regularization.entropy_threshold_penalty", .none("a constant without a gradient there")),
    ("kl_regularization.kl_coef", .key("ppo.kl_coef")),
    ("kl_regularization.kl_ref_coef_initial", .key("ppo.kl_ref_coef_initial")),
    ("kl_regularization.kl_ref_coef_final", .key("ppo.kl_ref_coef_final")),
    ("kl_regularization.kl_ref_decay_steps", .key("ppo.kl_ref_decay_opt_steps")),
    ("kl_regularization.warmup_steps", .key("ppo.entropy_warmup_opt_steps")),
    ("kl_regularization.adaptive_kl", .none(unread + "; ppo.adaptive_target_kl")),
    ("kl_regularization.early_stopping", .none("ppo.target_kl and ppo.kl_threshold stop an update here")),

    ("statistics_stabilization.steps", .key("rollout.stabilization_decisions")),
    ("temperature_control.base", .key("temperature.base")),
    ("temperature_control.min", .key("temperature.min")),
    ("temperature_control.max", .key("temperature.max")),
    ("temperature_control.qps_sensitivity", .key("temperature.qps_sensitivity")),
    ("temperature_control.latency_sensitivity", .key("temperature.latency_sensitivity")),
    ("temperature_control.enable_dynamic_temperature", .key("temperature.enabled")),
    ("temperature_control.temperature_pulse.enable", .key("temperature.pulses")),
    ("temperature_control.adaptive_schedule", .none(unread)),

    ("curriculum_learning", .none("curriculum.stages, in chunks")),

    ("enhanced_features.enable_enhanced_features", .key("observation.temporal_features")),
    ("enhanced_features.enable", .key("observation.temporal_features")),
    ("enhanced_features.state_history_window", .none(fixed)),
    ("enhanced_features.qps_window", .none(fixed)),
    ("enhanced_features.temporal_attention", .none(unread)),
    ("enhanced_features.feature_projection", .none("network.projection")),

    ("state_builder_enhanced.enable_queue_delay_features", .key("observation.queue_delay_features")),
    ("state_builder_enhanced.max_queue_requests", .key("observation.queue_slots")),
    ("state_builder_enhanced.queue_delay_normalization", .none(fixed)),
    ("state_builder_enhanced.feature_names", .none(documentation)),
    ("state_builder_enhanced.normalization_improvements", .none(unread)),

    ("advanced_optimization", .none(unread + "; ppo.learning_rate_schedule and ppo.accumulation_steps")),
    ("advanced_stabilization", .none(noCode)),
    ("parallel_training", .none("run.num_envs, shared out over the ranks")),

    ("checkpointing.checkpoint_interval", .key("checkpoint.interval")),
    ("checkpointing.max_checkpoints", .key("checkpoint.max_checkpoints")),
    ("checkpointing.enable_checkpoints", .none("checkpoints are always written")),
    ("checkpointing.checkpoint_dir", .none("checkpoints/ in the run directory (--output-dir)")),
    ("checkpointing.save_optimizer_state", .none("always saved")),
    ("checkpointing.incremental_checkpoints", .none(unread)),

    ("monitoring.tensorboard_port", .none("no server is started")),
    ("monitoring.metrics_export_format", .none("metrics/*.jsonl; ppo-chunked export makes CSV")),
    ("monitoring.metrics_export_interval", .none("every iteration is written")),
    ("monitoring.metrics_subsamples", .none("every iteration is written")),
    ("monitoring.tail_latency_tracking.window_size", .key("monitor.tail_latency_window")),
    ("monitoring.tail_latency_tracking.alert_threshold_p99", .key("monitor.tail_latency_threshold")),
    ("monitoring.tail_latency_tracking.enable", .none("monitor.tail_latency_window 0 switches it off")),
    ("monitoring.safety_monitoring", .none(unread)),
    ("monitoring.advanced_metrics", .none(unread)),
    ("monitoring.visualization", .none(unread)),

    ("revolutionary_monitoring", .none(noCode)),
    ("experimental_features", .none(noCode)),
    ("cluster_config.global_scheduler_config", .none("not built here")),
  ]
}

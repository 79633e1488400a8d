import PPO
import TorchFormat

/// The memories of controllers and monitors in a checkpoint. A group that is absent means that the feature was off.
extension StateEncoding {
  /// `tail_latency` and `collapse`.
  func monitors(of global: GlobalState) -> [(String, TorchValue)] {
    var groups: [(String, TorchValue)] = []
    if let tail = global.tailLatency {
      var members: [(String, TorchValue)] = [
        ("samples", .tensor(TorchTensor(tail.samples))), ("clock", .float(tail.clock)), ("alert_count", .int(tail.alertCount)),
      ]
      if let lastAlert = tail.lastAlert { members.append(("last_alert", .float(lastAlert))) }
      groups.append(("tail_latency", .dictionary(members)))
    }
    if let collapse = global.collapse {
      groups.append(
        (
          "collapse",
          .dictionary([
            ("actions", .tensor(TorchTensor(collapse.actions.map { Int32($0) }))), ("bad_critic_streak", .int(collapse.badCriticStreak)),
            ("in_force", .int(collapse.inForce)),
          ])
        ))
    }
    return groups
  }

  /// Reads `monitors(of:)` back.
  func readMonitors(from reader: TorchReader, into global: inout GlobalState) throws(TrainingError) {
    if reader.names.contains("tail_latency") {
      let group = try reader.group("tail_latency")
      global.tailLatency = TailLatencyMonitor(
        samples: try group.doubles("samples"), clock: try group.float("clock"),
        lastAlert: group.names.contains("last_alert") ? try group.float("last_alert") : nil, alertCount: try group.int("alert_count"))
    }
    if reader.names.contains("collapse") {
      let group = try reader.group("collapse")
      let actions = try group.int32s("actions")
      guard actions.allSatisfy({ $0 >= 0 && $0 < actionCount }) else {
        throw group.error("actions", "holds an action outside 0 ..< \(actionCount)")
      }
      global.collapse = CollapseMonitor(
        actions: actions.map { UInt16($0) }, badCriticStreak: try group.int("bad_critic_streak"), inForce: try group.int("in_force"))
    }
  }

  /// What a temperature controller remembers of one environment.
  func temperature(_ state: TemperatureState) -> TorchValue {
    .dictionary([
      ("step_count", .int(state.stepCount)), ("last_pulse_step", .int(state.lastPulseStep)), ("is_pulsing", .bool(state.isPulsing)),
      ("pulse_remaining", .int(state.pulseRemaining)), ("qps_pressure_ema", .float(state.ratePressure)),
      ("latency_pressure_ema", .float(state.latencyPressure)), ("current_temperature", .float(state.temperature)),
      ("delta_history", .tensor(TorchTensor(state.changes))),
    ])
  }

  /// Reads `temperature(_:)` back.
  func temperature(_ group: TorchReader) throws(TrainingError) -> TemperatureState {
    var state = TemperatureState()
    state.stepCount = try group.int("step_count")
    state.lastPulseStep = try group.int("last_pulse_step")
    state.isPulsing = try group.bool("is_pulsing")
    state.pulseRemaining = try group.int("pulse_remaining")
    state.ratePressure = try group.float("qps_pressure_ema")
    state.latencyPressure = try group.float("latency_pressure_ema")
    state.temperature = try group.float("current_temperature")
    state.changes = try group.doubles("delta_history")
    return state
  }
}

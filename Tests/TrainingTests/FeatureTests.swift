import Checkpoint
import Neural
import PPO
import RunConfig
import Testing
import TorchFormat

@testable import Training

/// Runs with every feature that is off by default: exact for every number of ranks and stops, and restored item by item.
@Suite("Features")
struct FeatureTests {
  private static func harness(_ overrides: [String] = []) throws -> TrainingHarness {
    var harness = try TrainingHarness(TrainingHarness.features + overrides)
    harness.hasReference = true
    return harness
  }

  static let forms = [
    [], ["network.set_memory=false", "network.set_attention=false"],
    ["network.architecture=recurrent", "network.coupled=true", "network.gru_cell=layer_norm"],
    ["network.architecture=recurrent", "network.bounded_logits=true", "network.input_layer_norm=true"],
  ]

  @Test("1, 2, 3 and 5 ranks end with the same bits", arguments: forms)
  func ranks(overrides: [String]) throws {
    let single = try Self.harness(overrides)
    #expect(try single.run(ranks: 1) == .success(.finished))
    for ranks in [2, 3, 5] {
      let harness = try Self.harness(overrides)
      #expect(try harness.run(ranks: ranks) == .success(.finished))
      #expect(try harness.fingerprint == single.fingerprint, "\(ranks) ranks")
    }
  }

  @Test("a run stopped every so many polls, on changing numbers of ranks, ends as an undisturbed one", arguments: forms)
  func stops(overrides: [String]) throws {
    let whole = try Self.harness(overrides)
    #expect(try whole.run(ranks: 1) == .success(.finished))
    for polls in [150, 233] {
      let harness = try Self.harness(overrides)
      #expect(try harness.runToEnd(ranks: [1, 3, 2], polls: polls) > 1, "the stop never came")
      #expect(try harness.fingerprint == whole.fingerprint, "stopped every \(polls) polls")
    }
  }

  /// A run that stands inside its second chunk.
  private func half() throws -> TrainingHarness {
    let harness = try Self.harness(["checkpoint.interval=5000"])
    #expect(try harness.run(ranks: 1, options: JobOptions(outputDirectory: "run", maxChunks: 1)) == .success(.stopped))
    #expect(try harness.run(ranks: 1, stop: StopAfter(polls: 250)) == .success(.stopped))
    return harness
  }

  static let items = [
    InventoryTests.Item("normalizer_state", "observation_replica", "count"),
    InventoryTests.Item("normalizer_state", "observation_replica", "mean"),
    InventoryTests.Item("normalizer_state", "observation_replica", "m2"),
    InventoryTests.Item("training_state", "target_kl"), InventoryTests.Item("reference_policy", "origin"),
    InventoryTests.Item("reference_policy", "state_dict"), InventoryTests.Item("environments", "3", "reference_state"),
    InventoryTests.Item("environments", "3", "temperature", "step_count"),
    InventoryTests.Item("environments", "3", "temperature", "last_pulse_step"),
    InventoryTests.Item("environments", "3", "temperature", "qps_pressure_ema"),
    InventoryTests.Item("environments", "3", "temperature", "latency_pressure_ema"),
    InventoryTests.Item("schema", "replica_block_size"),
  ]

  /// Members that are not changed one by one, and why.
  static let reasons = [
    ("training_state.early_stop_streak", "an update that runs to its end clears it; restored by the round trip"),
    ("environments.3.temperature.is_pulsing", "matters with decisions of a pulse left; restored by the round trip"),
    ("environments.3.temperature.pulse_remaining", "matters inside of a pulse; restored by the round trip"),
    ("environments.3.temperature.current_temperature", "the next decision overwrites it; restored by the round trip"),
    ("environments.3.temperature.delta_history", "matters near the threshold; restored by the round trip"),
  ]

  @Test("14: the item is restored or its change is refused", arguments: items)
  func perturbed(item: InventoryTests.Item) throws {
    let whole = try half()
    let harness = TrainingHarness(whole)
    #expect(try whole.run(ranks: 2) == .success(.finished))
    let loaded = try harness.checkpoint()
    let changed = loaded.contents.perturbing(item.path)
    #expect(changed != loaded.contents, "nothing was changed")
    let bytes = try CheckpointFile.encode(changed, name: loaded.name).bytes
    harness.files.corrupt("run/checkpoints/" + loaded.name) { $0 = bytes }
    for step in try harness.checkpointSteps where step < loaded.contents.step {
      try harness.files.unlink("run/checkpoints/" + CheckpointFile.name(step: step))
    }
    switch try harness.run(ranks: 2) {
    case .success: #expect(try harness.fingerprint[0] != whole.fingerprint[0], "\(item.testDescription) is not restored")
    case .failure(let error): #expect(error.code == .mismatch || error.code == .badData, "\(error)")
    }
  }

  @Test("14: every member is in a list, and what is read back is what was written")
  func completeAndBack() throws {
    let harness = try half()
    let contents = try harness.checkpoint().contents
    let known =
      (InventoryTests.items + Self.items).map { $0.path.joined(separator: ".") } + (InventoryTests.reasons + Self.reasons).map(\.0)
    var missing: [String] = []
    func walk(_ value: TorchValue, _ path: [String]) {
      if known.contains(path.joined(separator: ".")) { return }
      if let members = value.entries, !members.isEmpty {
        for (name, member) in members { walk(member, path + [name]) }
      } else {
        missing.append(path.joined(separator: "."))
      }
    }
    for (name, value) in contents.groups where name != "environments" { walk(value, [name]) }
    for (name, value) in try #require(contents["environments"]?.elements?[3].entries) { walk(value, ["environments", "3", name]) }
    #expect(missing == [])

    let encoding = StateEncoding(try harness.network())
    var state = try encoding.state(from: contents.tree, step: contents.step, environmentCount: 5, file: "f")
    let temperature = try #require(state.environments[3].temperature)
    #expect(temperature.stepCount > 0 && temperature.changes.count == 3 && temperature.lastPulseStep > 0)
    #expect(state.environments[3].referenceState.contains { $0 != 0 } && state.global.learner.targetKL != nil)
    state.global.learner.earlyStopStreak = 2
    state.global.tailLatency?.lastAlert = 1.5
    state.global.collapse = CollapseMonitor(actions: [0, 1, 1], badCriticStreak: 7, inForce: 4)
    state.environments[3].temperature?.isPulsing = true
    state.environments[3].temperature?.pulseRemaining = 3
    state.environments[3].temperature?.changes = [0.25, 7]
    let written = CheckpointContents(step: contents.step, runID: "r", groups: encoding.groups(of: state, optimizer: .init()))
    #expect(try encoding.state(from: written.tree, step: contents.step, environmentCount: 5, file: "f") == state)
  }

  @Test("temperatures move, are recorded with the decisions, and the ratio of the first minibatch is exactly 1", arguments: forms)
  func temperature(overrides: [String]) throws {
    let harness = try Self.harness(overrides)
    #expect(try harness.run(ranks: 1) == .success(.finished))
    let updates = try harness.fingerprint[2].split(separator: "\n")
    #expect(updates.count > 4)
    for line in updates {
      let record = try JSONValue(parsing: String(line), name: "updates.jsonl")
      #expect(record["ratio_first_minibatch_max_dev"]?.doubleValue == 0)
      #expect(record["temperature_mean"]?.doubleValue != 1)
    }
  }

  @Test("what is off leaves nothing in a checkpoint and nothing in the metrics")
  func off() throws {
    let harness = try TrainingHarness(["monitor.tail_latency_window=0", "monitor.collapse_warnings=false"])
    #expect(try harness.run(ranks: 1) == .success(.finished))
    let contents = try harness.checkpoint().contents
    for name in ["tail_latency", "collapse", "reference_policy"] { #expect(contents[name] == nil) }
    #expect(contents["training_state", "target_kl"] == nil && contents["normalizer_state", "observation_replica"] == nil)
    #expect(contents["environments"]?.elements?[0]["temperature"] == nil)
    let metrics = try harness.fingerprint.joined()
    #expect(!metrics.contains("tail_latency") && !metrics.contains("warnings") && !metrics.contains("temperature_current"))
  }

  @Test("an environment that gives something that is no number ends every rank with code 70 and its name", arguments: [0, 1])
  func notANumber(kind: Int) throws {
    for ranks in [1, 3] {
      var harness = try TrainingHarness(["run.environment=cartpole", "network.architecture=mlp"])
      harness.broken = BrokenEnvironment(breaksReward: kind == 0)
      guard case .failure(let error) = try harness.run(ranks: ranks) else {
        Issue.record("it went on")
        continue
      }
      #expect(error.code == .internalError)
      #expect(error.message.contains("environment 4 is broken") && error.message.contains(kind == 0 ? "reward nan" : "observation has"))
    }
  }
}

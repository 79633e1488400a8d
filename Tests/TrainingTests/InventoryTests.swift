import Checkpoint
import Neural
import ServingEnv
import Testing
import TorchFormat

@testable import Training

/// Rule 14: a checkpoint holds every item that the rest of a training depends on. Each is changed alone in a checkpoint that is then whole again, and
/// the resumed run must refuse it or end elsewhere. An item that is written and not read back would end where the undisturbed run ends.
@Suite("State inventory")
struct InventoryTests {
  /// Group and members of an item.
  struct Item: CustomTestStringConvertible, Sendable {
    let path: [String]
    init(_ path: String...) { self.path = path }
    var testDescription: String { path.joined(separator: ".") }
  }

  static let items = [
    Item("step"), Item("format_version"), Item("determinism_version"),
    Item("model_state_dict"), Item("training_state", "optimizer_steps"), Item("optimizer_state", "state"),
    Item("optimizer_state", "state", "0", "exp_avg"), Item("optimizer_state", "state", "7", "exp_avg_sq"),
    Item("normalizer_state", "observation", "count"), Item("normalizer_state", "observation", "mean"),
    Item("normalizer_state", "observation", "m2"), Item("normalizer_state", "return", "count"), Item("normalizer_state", "return", "mean"),
    Item("normalizer_state", "return", "m2"), Item("training_state", "chunk"), Item("training_state", "chunk_complete"),
    Item("training_state", "iteration"), Item("training_state", "episode_count"), Item("training_state", "update_count"),
    Item("training_state", "recent_returns"), Item("environments"), Item("environments", "3", "actions"),
    Item("environments", "3", "digests"),
    Item("environments", "3", "policy_state"), Item("environments", "3", "discounted_return"), Item("plan", "chunks"),
    Item("plan", "num_envs"), Item("plan", "total_at_start"), Item("schema", "observation_size"), Item("schema", "action_count"),
    Item("schema", "observation_names_sha256"), Item("schema", "observation_layout"), Item("inputs"), Item("tail_latency", "samples"),
    Item("tail_latency", "clock"),
    Item("tail_latency", "alert_count"),
  ]

  /// Members that are not changed one by one, and why.
  static let reasons = [
    ("training_state.non_finite_streak", "matters if the next minibatch is not finite; the test below restores it"),
    ("configuration.frozen", "identity for the digest; a resume compares the resolved configuration"),
    ("configuration.changeable", "identity for the digest; a resume compares the resolved configuration"),
    ("optimizer_state.param_groups", "for PyTorch: hyperparameters are the configuration's; a test below misses the order of tensors"),
    ("schema.environment", "the same as run.environment, which is frozen"),
    ("schema.observation_layout_sha256", "digest of observation_layout, for people who compare files"),
    ("plan.chunk_size", "the same as run.chunk_size, which is frozen"),
    ("tail_latency.last_alert", "the next alert overwrites it; restored by the round trip"),
    ("collapse.actions", "the window moves past what was changed; restored by the round trip"),
    ("collapse.bad_critic_streak", "an update with a good critic clears it; restored by the round trip"),
    ("collapse.in_force", "the next update overwrites it; restored by the round trip"),
  ]

  /// A run that stands inside its second chunk, so that every item has a value of its own.
  private func half() throws -> TrainingHarness {
    let harness = try TrainingHarness(["checkpoint.interval=5000"])
    #expect(try harness.run(ranks: 1, options: JobOptions(outputDirectory: "run", maxChunks: 1)) == .success(.stopped))
    #expect(try harness.run(ranks: 1, stop: StopAfter(polls: 250)) == .success(.stopped))
    return harness
  }

  @Test("14: the item is restored or its change is refused", arguments: items)
  func perturbed(item: Item) throws {
    let whole = try half()
    let harness = TrainingHarness(whole)
    #expect(try whole.run(ranks: 2) == .success(.finished))
    let loaded = try harness.checkpoint()
    #expect(loaded.contents.step > 300 && loaded.contents["training_state", "chunk_complete"] == .bool(false))
    let changed = loaded.contents.perturbing(item.path)
    #expect(changed != loaded.contents, "nothing was changed")
    let bytes = try CheckpointFile.encode(changed, name: loaded.name).bytes
    harness.files.corrupt("run/checkpoints/" + loaded.name) { $0 = bytes }
    // The older checkpoints would be fallen back to.
    for step in try harness.checkpointSteps where step < loaded.contents.step {
      try harness.files.unlink("run/checkpoints/" + CheckpointFile.name(step: step))
    }
    switch try harness.run(ranks: 2) {
    case .success: #expect(try harness.fingerprint[0] != whole.fingerprint[0], "\(item.testDescription) is not restored")
    case .failure(let error): #expect(error.code == .mismatch || error.code == .badData, "\(error)")
    }
  }

  @Test("14: every group and member of a checkpoint is in the list, or named here with the reason why not")
  func complete() throws {
    var missing: [String] = []
    func walk(_ value: TorchValue, _ path: [String]) {
      if Self.items.contains(where: { $0.path == path }) { return }
      if let members = value.entries, !members.isEmpty {
        for (name, member) in members { walk(member, path + [name]) }
      } else if !Self.reasons.contains(where: { $0.0 == path.joined(separator: ".") }) {
        missing.append(path.joined(separator: "."))
      }
    }
    let contents = try half().checkpoint().contents
    for (name, value) in contents.groups where name != "environments" { walk(value, [name]) }
    for (name, value) in try #require(contents["environments"]?.elements?[3].entries) { walk(value, ["environments", "3", name]) }
    #expect(missing == [])
  }

  @Test("14: an index of the optimizer's state stands for the tensor that param_names gives it, and for one only")
  func optimizerNames() throws {
    let harness = try half()
    let contents = try harness.checkpoint().contents
    let routing = try harness.routing()
    let network = Network(
      NetworkConfiguration(harness.configuration.network, replicaBlockSize: routing.replicaBlockSize),
      observationSize: routing.observationSize, actionCount: routing.actionCount)
    let encoding = StateEncoding(network)
    let bias = network.layout.tensors.filter { $0.shape == [48] }.map(\.name)
    func changed(_ rename: @escaping (String) -> String) throws -> BoundaryState {
      let changed = contents.replacing("optimizer_state", "param_groups", "0", "param_names") { names in
        .list((names.elements ?? []).map { if case .string(let name) = $0 { .string(rename(name)) } else { $0 } })
      }
      return try encoding.state(from: changed.tree, step: contents.step, environmentCount: 5, file: "f")
    }
    let state = try changed { $0 }
    let swapped = try changed { $0 == bias[0] ? bias[1] : $0 == bias[1] ? bias[0] : $0 }
    let tensors = try bias[..<2].map { try #require(network.layout.tensor(named: $0)) }
    for (from, to) in [(0, 1), (1, 0)] {
      #expect(
        network.layout.logical(of: tensors[from], from: state.global.learner.firstMoments)
          == network.layout.logical(of: tensors[to], from: swapped.global.learner.firstMoments))
    }
    #expect(state.global.learner.firstMoments != swapped.global.learner.firstMoments)
    #expect(throws: TrainingError.self) { try changed { $0 == bias[0] ? bias[1] : $0 } }
    #expect(throws: TrainingError.self) { try changed { $0 == bias[0] ? "other" : $0 } }
  }

  @Test("14: what is read back is what was written, the streak of bad minibatches too")
  func roundTrip() throws {
    let harness = try half()
    let contents = try harness.checkpoint().contents
    let routing = try harness.routing()
    let network = Network(
      NetworkConfiguration(harness.configuration.network, replicaBlockSize: routing.replicaBlockSize),
      observationSize: routing.observationSize, actionCount: routing.actionCount)
    let encoding = StateEncoding(network)
    var state = try encoding.state(from: contents.tree, step: contents.step, environmentCount: 5, file: "f")
    state.global.learner.nonFiniteStreak = 2
    let written = CheckpointContents(step: contents.step, runID: "r", groups: encoding.groups(of: state, optimizer: .init()))
    #expect(try encoding.state(from: written.tree, step: contents.step, environmentCount: 5, file: "f") == state)
  }
}

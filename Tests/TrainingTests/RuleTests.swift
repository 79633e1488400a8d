import Checkpoint
import Randomness
import RunConfig
import ServingEnv
import ServingSim
import Testing
import TorchFormat

@testable import Training

/// The rules of a run (2, 4, 10 to 13 and 15), each broken by nothing but itself.
@Suite("Rules of a run")
struct RuleTests {
  private func options(maxChunks: Int? = nil) -> JobOptions { JobOptions(outputDirectory: "run", maxChunks: maxChunks) }

  private func failure(_ result: Result<ExitCode, TrainingError>) throws -> TrainingError {
    guard case .failure(let error) = result else {
      Issue.record("expected a failure, got \(result)")
      throw TrainingError(.finished, "")
    }
    return error
  }

  /// What a checkpoint holds of the environments, in order.
  private struct Environment {
    var actions: [UInt8]
    var policyState: [Float]
    var discountedReturn: Double
    var digests: Int
  }

  private func environments(_ contents: CheckpointContents) throws -> [Environment] {
    try #require(contents["environments"]?.elements).map { group in
      Environment(
        actions: try #require(group["actions"]?.tensor?.uint8s), policyState: try #require(group["policy_state"]?.tensor?.floats),
        discountedReturn: try #require(group["discounted_return"]?.number),
        digests: try #require(group["digests"]?.tensor).shape[0])
    }
  }

  @Test("2: the checkpoint of a chunk's end holds no state of any environment")
  func chunkEnd() throws {
    for overrides in ExactnessTests.environments {
      let harness = try TrainingHarness(overrides)
      #expect(try harness.run(ranks: 2, options: options(maxChunks: 1)) == .success(.stopped))
      let contents = try harness.checkpoint(step: 300).contents
      #expect(contents["training_state", "chunk_complete"] == .bool(true))
      #expect(contents["training_state", "chunk"] == .int(1) && contents["training_state", "iteration"] == .int(0))
      for environment in try environments(contents) {
        #expect(environment.actions.isEmpty && environment.digests == 0 && environment.discountedReturn == 0)
        #expect(environment.policyState.allSatisfy { $0 == 0 })
      }
    }
  }

  // MARK: Traces

  private static func trace(rows: Int = 50, changed: Int? = nil) -> [UInt8] {
    var text = "arrived_at,num_prefill_tokens,num_decode_tokens\n"
    for row in 0..<rows {
      text += "\(Double(row * row % 7) * 0.01 + Double(row) * 0.2),\(100 + row * 37 % 900),\(row == changed ? 99 : 10 + row % 60)\n"
    }
    return [UInt8](text.utf8)
  }

  private func traced(_ overrides: [String] = []) throws -> TrainingHarness {
    var harness = try TrainingHarness(["workload.kind=trace", "workload.trace=a.csv", "workload.qps=0"] + overrides)
    harness.trace = Self.trace()
    return harness
  }

  @Test("4: n decisions on a trace take n + 1 consecutive rows from a drawn one, wrapping with the mean gap")
  func traceRows() throws {
    let harness = try traced()
    let bytes = try #require(harness.trace)
    let rows = try Trace.parse(bytes: bytes, name: "a.csv").rows
    let span = rows[49].arrivedAt - rows[0].arrivedAt
    var starts: [Int] = []
    for environment in 0..<8 {
      var routing = try RoutingEnvironment(RoutingConfiguration(harness.configuration, files: [("workload.trace", bytes)]))
      routing.reset(seed: 1, chunk: 3, environment: environment)
      var stream = RandomStream(seed: 1, purpose: .window, chunk: 3, environment: environment)
      let first = stream.bounded(50)
      starts.append(first)
      for decision in 0...60 {
        // Decision number `decision` is about row first + decision; after n steps, n + 1 rows have arrived.
        let row = (first + decision) % 50
        let laps = Double((first + decision) / 50)
        let expected = rows[row].arrivedAt - rows[first].arrivedAt + laps * (span + span / 49)
        #expect(abs(routing.cluster.now - expected) < 1e-9, "environment \(environment), decision \(decision)")
        #expect(routing.pendingRequest == decision)
        _ = routing.step(decision % 2)
      }
    }
    #expect(starts.contains { $0 != starts[0] })
  }

  @Test("4 and 16: a trace with other content is refused by name, under another path it is the same")
  func traceChanged() throws {
    var harness = try traced()
    #expect(try harness.run(ranks: 1, options: options(maxChunks: 1)) == .success(.stopped))
    let before = try harness.fingerprint
    harness.trace = Self.trace(changed: 30)
    var error = try failure(try harness.run(ranks: 2))
    #expect(error.code == .mismatch && error.message.contains("workload.trace"))
    harness.trace = Self.trace() + [UInt8(ascii: "\n")]
    error = try failure(try harness.run(ranks: 1))
    #expect(error.code == .mismatch && error.message.contains("workload.trace"))
    #expect(try harness.fingerprint == before)
    let whole = try traced()
    #expect(try whole.run(ranks: 2) == .success(.finished))
    harness.trace = Self.trace()
    harness.configuration.workload.trace = "elsewhere/b.csv"
    #expect(try harness.run(ranks: 1) == .success(.finished))
    #expect(try harness.fingerprint == whole.fingerprint)
  }

  @Test("a rate of 0 means the same for all lengths without a trace", arguments: ["conversation", "fixed", "uniform"])
  func defaultRate(kind: String) throws {
    var (unset, set) = (
      try TrainingHarness(["workload.kind=\(kind)", "workload.qps=0"]).routing(),
      try TrainingHarness(["workload.kind=\(kind)", "workload.qps=\(WorkloadSection.syntheticRate)"]).routing()
    )
    for _ in 0..<5 {
      #expect(unset.step(0) == set.step(0))
      #expect(unset.cluster.now == set.cluster.now)
    }
  }

  // MARK: Schedules

  @Test(
    "10: schedules know the step and the plan, not the jobs",
    arguments: [
      ["ppo.learning_rate_schedule=linear"], ["ppo.learning_rate_schedule=cosine", "ppo.learning_rate_warmup_opt_steps=7"],
      ["ppo.learning_rate_schedule=cosine", "ppo.learning_rate_period_opt_steps=11", "ppo.entropy_warmup_opt_steps=40"],
    ])
  func schedules(overrides: [String]) throws {
    let overrides = overrides + ["run.chunk_size=200"]
    let whole = try TrainingHarness(overrides)
    #expect(try whole.run(ranks: 1) == .success(.finished))
    let harness = try TrainingHarness(overrides)
    for chunk in 1...3 {
      #expect(try harness.run(ranks: chunk, options: options(maxChunks: 1)) == .success(chunk == 3 ? .finished : .stopped))
    }
    #expect(try harness.fingerprint == whole.fingerprint)
    let rates = try Self.values(of: "lr", in: whole.fingerprint[2])
    #expect(rates.count > 6 && rates.contains { $0 != rates[0] })
  }

  /// The values of one field in the lines of a metrics file.
  private static func values(of field: String, in lines: String) throws -> [Double] {
    try lines.split(separator: "\n").compactMap { try JSONValue(parsing: String($0), name: "line")[field]?.doubleValue }
  }

  // MARK: Boundaries

  /// The steps of every boundary of the default harness.
  private static func boundaries(_ configuration: Configuration) -> [(step: Int, shares: [Int], chunk: Int, isEnd: Bool)] {
    let run = configuration.run
    let plan = ChunkPlan(total: run.totalRequests, chunkSize: run.chunkSize, environmentCount: run.numEnvs)
    var step = 0
    var found: [(step: Int, shares: [Int], chunk: Int, isEnd: Bool)] = []
    for chunk in 1...plan.chunkCount {
      let iterations = IterationPlan(
        plan: plan, chunk: chunk, rolloutLength: configuration.rollout.length,
        stabilisationDecisions: chunk == 1 ? configuration.rollout.stabilizationDecisions : 0)
      var shares = [Int](repeating: 0, count: run.numEnvs)
      for iteration in 0..<iterations.count {
        for environment in shares.indices { shares[environment] += iterations.share(iteration: iteration, environment: environment) }
        step = plan.firstStep(ofChunk: chunk) + shares.reduce(0, +)
        found.append((step, shares, chunk, iteration == iterations.count - 1))
      }
    }
    return found
  }

  @Test("11: a fresh run begins with uniform actions that count as steps and update nothing; later chunks do not")
  func stabilisation() throws {
    let harness = try TrainingHarness(["checkpoint.interval=1", "checkpoint.max_checkpoints=100", "rollout.stabilization_decisions=23"])
    #expect(try harness.run(ranks: 2) == .success(.finished))
    // ceil(23 / 5) = 5 decisions each.
    let contents = try harness.checkpoint(step: 25).contents
    let start = try harness.checkpoint(step: 0).contents
    #expect(contents["model_state_dict"] == start["model_state_dict"] && contents["optimizer_state"] == start["optimizer_state"])
    #expect(contents["training_state", "update_count"] == .int(0))
    #expect(contents["normalizer_state", "observation", "count"] == .int(25))
    #expect(contents["normalizer_state", "return", "count"] == .int(25))
    for (environment, state) in try environments(contents).enumerated() {
      let expected = (0..<5).map { decision in
        var stream = RandomStream(seed: 1, purpose: .stabilisation, chunk: 1, environment: environment, index: decision)
        return UInt8(stream.bounded(2))
      }
      #expect(state.actions == expected)
      #expect(state.policyState.allSatisfy { $0 == 0 })
    }
    // Every other iteration updates, the first of chunk 2 too.
    let boundaries = Self.boundaries(harness.configuration)
    for (index, boundary) in boundaries.enumerated() {
      let contents = try harness.checkpoint(step: boundary.step).contents
      #expect(contents["training_state", "update_count"] == .int(Int64(index)))
      #expect(contents["normalizer_state", "observation", "count"] == .int(Int64(boundary.step)))
    }
  }

  @Test(
    "12 and 13: saves at step 0, where the interval is crossed and at chunk ends, on any number of ranks", arguments: [1, 100, 170, 5000])
  func saves(interval: Int) throws {
    var results: [[String]] = []
    for ranks in [1, 3] {
      let harness = try TrainingHarness(["checkpoint.interval=\(interval)", "checkpoint.max_checkpoints=100"])
      #expect(try harness.run(ranks: ranks) == .success(.finished))
      var due = [0]
      var previous = 0
      for boundary in Self.boundaries(harness.configuration) {
        if boundary.isEnd || boundary.step / interval != previous / interval { due.append(boundary.step) }
        previous = boundary.step
      }
      #expect(try harness.checkpointSteps == due)
      // A checkpoint is a boundary: the logs hold whole iterations.
      for boundary in Self.boundaries(harness.configuration) where due.contains(boundary.step) {
        let contents = try harness.checkpoint(step: boundary.step).contents
        #expect(try environments(contents).map(\.actions.count) == (boundary.isEnd ? boundary.shares.map { _ in 0 } : boundary.shares))
        #expect(contents["training_state", "chunk"] == .int(Int64(boundary.chunk)))
        #expect(contents["training_state", "chunk_complete"] == .bool(boundary.isEnd))
      }
      results.append(try harness.fingerprint + due.map { try harness.checkpoint(step: $0).stateDigest.hex })
    }
    #expect(results[0] == results[1])
    let other = try TrainingHarness()
    #expect(try other.run(ranks: 1) == .success(.finished))
    let expected = try other.fingerprint
    #expect(expected == Array(results[0].prefix(expected.count)), "saving changes the result")
  }

  @Test("13: a stop saves the last boundary and discards the unfinished iteration", arguments: [1, 30, 222, 341])
  func stop(polls: Int) throws {
    for ranks in [1, 2] {
      let harness = try TrainingHarness(["checkpoint.interval=5000", "checkpoint.max_checkpoints=100"])
      #expect(try harness.run(ranks: ranks, stop: StopAfter(polls: polls)) == .success(.stopped))
      let step = try harness.checkpoint().contents.step
      let boundary = Self.boundaries(harness.configuration).first { $0.step == step }
      #expect(step == 0 || boundary != nil, "\(step) is no boundary")
      #expect(try harness.progress.latestStep == step && harness.progress.stopReason == "signal USR1")
      #expect(
        try environments(harness.checkpoint().contents).map(\.actions.count)
          == (boundary.map { $0.isEnd ? $0.shares.map { _ in 0 } : $0.shares } ?? [0, 0, 0, 0, 0]))
    }
  }

  @Test("15 and 16: another determinism version is refused inside a chunk and goes on at a chunk's start")
  func otherVersion() throws {
    func changed(_ harness: TrainingHarness) throws {
      let loaded = try harness.checkpoint()
      let contents = loaded.contents.replacing("determinism_version") { _ in .int(Int64(determinismVersion) + 1) }
      let bytes = try CheckpointFile.encode(contents).bytes
      harness.files.corrupt("run/checkpoints/" + loaded.name) { $0 = bytes }
    }
    let inside = try TrainingHarness()
    #expect(try inside.run(ranks: 1, stop: StopAfter(polls: 250)) == .success(.stopped))
    #expect(try inside.checkpoint().contents["training_state", "chunk_complete"] == .bool(false))
    try changed(inside)
    let error = try failure(try inside.run(ranks: 2))
    #expect(error.code == .mismatch && error.message.contains("determinism version"))

    let between = try TrainingHarness()
    #expect(try between.run(ranks: 1, options: options(maxChunks: 1)) == .success(.stopped))
    try changed(between)
    #expect(try between.run(ranks: 2) == .success(.finished))
    let log = String(decoding: try between.files.read("run/logs/ppo_training.log", limit: 1 << 20), as: UTF8.self)
    #expect(log.contains("[Warning] determinism version"))
  }
}

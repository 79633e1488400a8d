import Checkpoint
import Environments
import FileStore
import Neural
import PPO
import Ranks
import RunConfig
import ServingEnv
import ServingSim
import Synchronization
import TestSupport
import Testing

@testable import Training

/// A stop request after so many polls, over all ranks of a job.
final class StopAfter: Sendable {
  private let left: Atomic<Int>
  private let polls = Atomic<Int>(0)
  private let event = Mutex<(poll: Int, act: @Sendable () -> Void)?>(nil)

  /// - Parameter polls: nil never stops.
  init(polls: Int?) { left = Atomic(polls ?? Int.max) }

  /// Something that happens at poll number `poll`, counted from 1.
  func atPoll(_ poll: Int, _ act: @escaping @Sendable () -> Void) { event.withLock { $0 = (poll, act) } }

  func poll() -> StopReason? {
    let number = polls.add(1, ordering: .relaxed).newValue
    event.withLock { if let event = $0, event.poll == number { event.act() } }
    if left.load(ordering: .relaxed) == Int.max { return nil }
    return left.subtract(1, ordering: .relaxed).newValue < 0 ? .signal(10) : nil
  }
}

/// What jobs said, over all ranks.
final class SaidLines: Sendable {
  private let state = Mutex<[String]>([])

  var all: [String] { state.withLock { $0 } }
  func add(_ line: String) { state.withLock { $0.append(line) } }
}

/// A clock that goes on by a fixed time whenever it is asked, and by the time that is waited.
final class TickingClock: Sendable {
  private let ticks = Atomic<Int>(0)
  private let waitedMilliseconds = Atomic<Int>(0)
  let secondsPerTick: Double

  init(secondsPerTick: Double) { self.secondsPerTick = secondsPerTick }

  func now() -> Double {
    Double(ticks.add(1, ordering: .relaxed).newValue) * secondsPerTick + Double(waitedMilliseconds.load(ordering: .relaxed)) / 1000
  }

  /// Returns at once, with the clock set forward.
  func wait(seconds: Double) -> Bool {
    waitedMilliseconds.add(Int((seconds * 1000).rounded(.up)), ordering: .relaxed)
    return true
  }
}

/// Lines that a user types, one an answer.
final class Typed: Sendable {
  private let lines: Mutex<[String]>

  init(_ lines: [String]) { self.lines = Mutex(lines) }

  func next() -> String? { lines.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
}

/// Small runs on an in-memory disk, with ranks as threads.
struct TrainingHarness: Sendable {
  private(set) var files = InMemoryFileSystem()
  var configuration: Configuration
  /// What somebody at the terminal types; nil if nobody is there.
  var answers: [String]?
  /// Bytes of the trace that `workload.trace` stands for.
  var trace: [UInt8]?
  /// Lines of all jobs of this harness.
  private(set) var said = SaidLines()
  /// Stands still at 0 unless set.
  var clock = TickingClock(secondsPerTick: 0)
  /// The time of day as text.
  var timestamp: @Sendable () -> String = { "2000-01-01T00:00:00Z" }
  /// Whether a fresh run is pulled towards a reference policy, that of another seed.
  var hasReference = false
  /// In place of cart-pole.
  var broken: BrokenEnvironment?

  /// Everything that is off by default, in a routing run: set encoder, sequences, accumulation, moving KL target, temperature with pulses.
  static let features = [
    "network.architecture=set_encoder", "network.set_width=16", "network.set_attention=true", "ppo.sequence_length=8",
    "ppo.accumulation_steps=2", "ppo.adaptive_target_kl=true", "ppo.target_kl=0.016", "ppo.kl_ref_coef_initial=0.3",
    "ppo.kl_ref_coef_final=0.1", "ppo.entropy_final_coef=0.002", "ppo.entropy_decay_opt_steps=20", "temperature.enabled=true",
    "temperature.pulses=true", "temperature.pulse_interval=9", "temperature.stagnation_memory=3", "temperature.stagnation_threshold=1000",
    "monitor.tail_latency_threshold=0.5", "update.shards=2",
  ]

  /// The test configuration with overrides, small enough for a second.
  init(_ overrides: [String] = []) throws {
    configuration = try Configuration(
      overrides: [
        "run.total_requests=600", "run.chunk_size=300", "run.num_envs=5", "rollout.length=16", "rollout.stabilization_decisions=20",
        "cluster.num_replicas=2", "cluster.max_num_batched_tokens=4096", "workload.qps=6", "observation.queue_slots=1", "network.hidden=16",
        "network.gru_layers=1",
        "network.projection=16", "ppo.epochs=2", "ppo.minibatch_size=32", "checkpoint.interval=100", "checkpoint.max_checkpoints=2",
      ] + overrides)
  }

  /// The run of `other` as it stands, on a disk of its own, with another configuration if one is given.
  init(_ other: TrainingHarness, configuration: Configuration? = nil) {
    self = other
    files = other.files.copy()
    if let configuration { self.configuration = configuration }
  }

  /// One job with `ranks` ranks.
  ///
  /// - Parameters:
  ///   - saveRequested: whether an early save is asked for; rank 0's polls alone ask.
  ///   - duringRun: called with every line of the log and the disk.
  /// - Returns: what it exited with, or the error that all ranks agreed on.
  func run(
    ranks: Int, options: JobOptions = JobOptions(outputDirectory: "run"), stop: StopAfter = StopAfter(polls: nil),
    saveRequested: @escaping @Sendable () -> Bool = { false },
    duringRun: @escaping @Sendable (String, InMemoryFileSystem) -> Void = { _, _ in }
  ) throws -> Result<ExitCode, TrainingError> {
    let (files, configuration, trace, said, clock, timestamp) = (files, configuration, trace, said, clock, timestamp)
    let broken = broken
    let reference = hasReference ? try referencePolicy() : nil
    let outcomes = InProcessWorld.outcomes(size: ranks) { communicator in
      var services = RunServices(
        monotonicSeconds: { clock.now() }, wait: { clock.wait(seconds: $0) }, timestamp: timestamp, stopRequested: { stop.poll() },
        saveRequested: saveRequested,
        log: {
          said.add($0)
          duringRun($0, files)
        },
        process: ProcessIdentity(host: "host", bootID: "boot", pidNamespace: "", pid: 4_000_000, startTicks: 1), job: nil,
        programVersion: "test", newRunID: { "run-1" })
      if let answers {
        let typed = Typed(answers)
        services.ask = { _ in typed.next() }
      }
      switch configuration.run.environment {
      case .cartpole:
        if let broken {
          return try TrainingJob(
            options: options, configuration: configuration, prototype: broken, inputs: [], communicator: communicator, files: files,
            services: services
          ).run()
        }
        return try TrainingJob(
          options: options, configuration: configuration, prototype: CartPole(), inputs: [], communicator: communicator, files: files,
          services: services
        ).run()
      case .routing:
        let inputs = trace.map { [(key: "workload.trace", bytes: $0)] } ?? []
        let prototype = try RoutingEnvironment(RoutingConfiguration(configuration, files: inputs))
        return try TrainingJob(
          options: options, configuration: configuration, prototype: prototype, inputs: inputs,
          communicator: communicator, files: files, services: services, reference: reference,
          collector: DemonstrationCollector(configuration, routing: prototype.configuration)
        ).run()
      }
    }
    let results = outcomes.map { $0.mapError { $0 as? TrainingError ?? TrainingError(.internalError, "\($0)") } }
    let first = try #require(results.first)
    for result in results {
      switch (first, result) {
      case (.success(let a), .success(let b)): #expect(a == b, "ranks ended differently")
      case (.failure(let a), .failure(let b)): #expect(a.code == b.code, "ranks failed differently: \(a) and \(b)")
      default: Issue.record("some ranks succeeded and some failed")
      }
    }
    return first
  }

  private func referencePolicy() throws -> ReferencePolicy {
    ReferencePolicy(parameters: try network().initialParameters(seed: 99).map { $0 * 2 }, origin: "seed 99")
  }

  /// The network that the configuration makes of the routing task.
  func network() throws -> Network {
    let routing = try routing()
    return Network(
      NetworkConfiguration(configuration.network, replicaBlockSize: routing.replicaBlockSize), observationSize: routing.observationSize,
      actionCount: routing.actionCount)
  }

  /// The routing task of the configuration.
  func routing() throws -> RoutingEnvironment { try RoutingEnvironment(RoutingConfiguration(configuration, files: [])) }

  /// Runs until nothing is left, each job stopped after `polls` polls.
  func runToEnd(ranks: [Int], polls: Int, options: JobOptions = JobOptions(outputDirectory: "run")) throws -> Int {
    var jobs = 0
    while true {
      let result = try run(ranks: ranks[jobs % ranks.count], options: options, stop: StopAfter(polls: polls)).get()
      jobs += 1
      if result == .finished { return jobs }
      #expect(result == .stopped)
      try #require(jobs < 500, "the run makes no progress")
    }
  }

  var progress: Progress {
    get throws { try Progress(parsing: try files.read("run/training_progress.json", limit: 1 << 20), file: "progress") }
  }

  /// The steps that checkpoints are kept of, ascending.
  var checkpointSteps: [Int] {
    get throws { try files.list("run/checkpoints").compactMap(CheckpointFile.step).sorted() }
  }

  /// A checkpoint of the run, by default the newest.
  func checkpoint(step: Int? = nil) throws -> LoadedCheckpoint {
    let name = try step.map { CheckpointFile.name(step: $0) } ?? files.readLink("run/checkpoints/latest.pt")
    return try CheckpointFile.decode(bytes: try files.read("run/checkpoints/" + name, limit: 1 << 30), name: name)
  }

  /// Digest of the last state, and the bytes of every metrics file.
  var fingerprint: [String] {
    get throws {
      let loaded = try checkpoint()
      let metrics = try ["rollouts", "updates", "episodes", "evaluations"].map {
        String(decoding: try files.read("run/metrics/\($0).jsonl", limit: 1 << 30), as: UTF8.self)
      }
      return [loaded.stateDigest.hex] + metrics
    }
  }

  /// The records of a file under `metrics/`.
  func lines(_ name: String) throws -> [JSONValue] {
    let bytes = try files.read("run/metrics/\(name).jsonl", limit: 1 << 30)
    return try String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { try JSONValue(parsing: String($0), name: name) }
  }
}

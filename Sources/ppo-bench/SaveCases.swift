import FileStore
import Glibc
import Ranks
import RunConfig
import ServingEnv
import Training

/// How long training stands still for its checkpoints: a real run of one rank in a directory under `TMPDIR`, with the default configuration but for a
/// save after every iteration, which is 16 times as often. An item is a save.
enum SaveCases {
  static var all: [BenchmarkCase] {
    [("save.stall", true), ("save.in-place", false)].map { name, asynchronous in
      BenchmarkCase(name: name, extents: [decisions, interval]) { run(asynchronous: asynchronous) }
    }
  }

  private static let decisions = 51_200
  private static let interval = 1024

  private static func run(asynchronous: Bool) -> BenchmarkResult {
    let files = POSIXFileSystem()
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    let directory = RunDirectory(root: "\(parent)/ppo-bench-\(getpid())")
    defer { remove(directory.root, files) }
    do {
      return try train(directory, files, asynchronous: asynchronous)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  private static func train(_ directory: RunDirectory, _ files: POSIXFileSystem, asynchronous: Bool) throws -> BenchmarkResult {
    let configuration = try Configuration(
      overrides: [
        "run.total_requests=\(decisions)", "run.chunk_size=\(decisions)", "checkpoint.interval=\(interval)",
        "checkpoint.asynchronous=\(asynchronous)",
      ])
    let prototype = try RoutingEnvironment(RoutingConfiguration(configuration, files: []))
    let job = TrainingJob(
      options: JobOptions(outputDirectory: directory.root), configuration: configuration, prototype: prototype, inputs: [],
      communicator: SingleRank(), files: files, services: services)
    let began = Benchmark.now()
    guard try job.run() == .finished else { preconditionFailure("nothing stops the run") }
    return try result(directory, files, seconds: Double(Benchmark.now() - began) / 1e9)
  }

  private static func result(_ directory: RunDirectory, _ files: POSIXFileSystem, seconds: Double) throws -> BenchmarkResult {
    var stalls: [Double] = []
    for line in try files.read(directory.timing, limit: 1 << 26).split(separator: UInt8(ascii: "\n")) {
      let record = try JSONValue(parsing: Array(line), name: directory.timing)
      if let stall = record["stall_seconds"]?.doubleValue { stalls.append(stall) }
    }
    stalls.sort()
    let total = stalls.reduce(0, +)
    func quantile(_ share: Double) -> Double { stalls[min(stalls.count - 1, Int(share * Double(stalls.count)))] }
    let progress = try Progress(parsing: try files.read(directory.progress, limit: 1 << 26), file: directory.progress)
    let digest = UInt64((progress.latestStateSHA256 ?? "").prefix(16), radix: 16) ?? 0
    return BenchmarkResult(
      nanosecondsPerItem: total / Double(stalls.count) * 1e9, operationsPerItem: nil, checksum: digest,
      more: [
        ("saves", Double(stalls.count)), ("stall_p50_ms", quantile(0.5) * 1000), ("stall_p99_ms", quantile(0.99) * 1000),
        ("share_percent", total / seconds * 100),
      ])
  }

  private static var services: RunServices {
    RunServices(
      monotonicSeconds: { Double(Benchmark.now()) / 1e9 }, wait: { _ in true }, timestamp: { "1970-01-01T00:00:00Z" },
      stopRequested: { nil },
      log: { _ in }, process: .current(), job: nil, programVersion: "bench", newRunID: { "bench" })
  }

  /// Removes what the run made; a name that cannot be removed stays.
  private static func remove(_ path: String, _ files: POSIXFileSystem) {
    for name in (try? files.list(path)) ?? [] {
      let child = "\(path)/\(name)"
      do {
        try files.unlink(child)
      } catch {
        remove(child, files)
      }
    }
    rmdir(path)
  }
}

import CProcess
import FileStore
import Foundation
import Training

/// A `train` job in processes of its own: this program alone, or `mpirun` over several ranks of it.
///
/// The processes are told apart by id and start time, so that no other process that got an id later is ever signalled.
final class ChildJob {
  /// Which process of a job is killed.
  enum Victim: Equatable {
    case launcher
    case rank(Int)
  }

  /// One process of the job.
  private struct Member: Equatable {
    let pid: Int32
    let startTicks: UInt64
    /// Its rank; nil for the launcher.
    let rank: Int?

    var isAlive: Bool { ProcessIdentity.startTicks(of: pid) == startTicks }
  }

  /// Time between two looks at what is waited for.
  private static let pollSeconds = 0.002
  /// Time that ranks get to follow their launcher.
  private static let patienceSeconds = 60.0

  private let process = Process()
  private let log: String
  private let deadline: Double
  private var members: [Member] = []
  /// Whether `KILL` was sent to a living process of the job.
  private(set) var wasKilled = false

  /// Starts a job.
  ///
  /// - Parameters:
  ///   - launcher: path of `mpirun`; used for more than one rank.
  ///   - log: file that gets what the job says.
  ///   - seconds: time it may take.
  init(
    arguments: [String], ranks: Int, launcher: String?, environment: [String: String], log: String, seconds: Double
  ) throws(TrainingError) {
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    if let launcher, ranks > 1 {
      process.executableURL = URL(fileURLWithPath: launcher)
      process.arguments = ["-n", "\(ranks)", program] + arguments
    } else {
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
    }
    process.environment = environment
    self.log = log
    deadline = ProcessInfo.processInfo.systemUptime + seconds
    guard FileManager.default.createFile(atPath: log, contents: nil), let output = FileHandle(forWritingAtPath: log) else {
      throw TrainingError(.outputUnusable, "\(log): cannot be made")
    }
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      throw TrainingError(.internalError, "\(process.executableURL?.path ?? program): cannot be started: \(error)")
    }
    try? output.close()
    findMembers()
  }

  /// Waits until `condition` holds.
  ///
  /// - Returns: false if the job ended before.
  /// - Throws: after the deadline or when this process was asked to stop; the job is killed then.
  func wait(until condition: () -> Bool) throws(TrainingError) -> Bool {
    while !condition() {
      guard process.isRunning else { return false }
      if cprocess_stop_signal() != 0 {
        try killAll()
        throw TrainingError(.stopped, "stopped by a signal")
      }
      if ProcessInfo.processInfo.systemUptime >= deadline {
        try killAll()
        throw TrainingError(.internalError, "a job took too long; its log is \(log)")
      }
      Thread.sleep(forTimeInterval: Self.pollSeconds)
    }
    return true
  }

  /// Sends `number` to one process of the job, if it is on this machine and alive.
  func signal(_ number: Int32, to victim: Victim) {
    guard process.isRunning else { return }
    findMembers()
    let rank: Int? = if case .rank(let rank) = victim { rank } else { nil }
    guard let member = members.first(where: { $0.rank == rank }), member.isAlive else { return }
    if kill(member.pid, number) == 0, number == SIGKILL { wasKilled = true }
  }

  /// Waits until every process of the job is gone, also the ranks of a launcher that was killed.
  ///
  /// - Returns: the exit code, nil if a signal ended the job.
  func waitForEnd() throws(TrainingError) -> Int32? {
    _ = try wait { false }
    try waitForMembers()
    return process.terminationReason == .exit ? process.terminationStatus : nil
  }

  /// The last lines of what the job said.
  var lastLines: String {
    let text = FileManager.default.contents(atPath: log).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return text.split(separator: "\n").suffix(5).joined(separator: "\n")
  }

  // MARK: Processes

  /// Ends every process of the job.
  private func killAll() throws(TrainingError) {
    findMembers()
    for member in members where member.isAlive { kill(member.pid, SIGKILL) }
    try waitForMembers()
  }

  /// Ranks outlive a launcher that was killed for a moment, and the run's lock is theirs until they are gone.
  private func waitForMembers() throws(TrainingError) {
    let patience = ProcessInfo.processInfo.systemUptime + Self.patienceSeconds
    while members.contains(where: \.isAlive) {
      guard ProcessInfo.processInfo.systemUptime < patience else {
        let ids = members.filter(\.isAlive).map { "\($0.pid)" }.joined(separator: " ")
        throw TrainingError(.internalError, "processes \(ids) of a job that ended are still there; its log is \(log)")
      }
      Thread.sleep(forTimeInterval: Self.pollSeconds)
    }
  }

  /// Looks up the launcher and its ranks, which are children of it.
  private func findMembers() {
    func add(_ pid: Int32, rank: Int?) {
      guard let ticks = ProcessIdentity.startTicks(of: pid) else { return }
      let member = Member(pid: pid, startTicks: ticks, rank: rank)
      if !members.contains(member) { members.append(member) }
    }
    add(process.processIdentifier, rank: nil)
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let pid = Int32(name), Self.parent(of: pid) == process.processIdentifier, let rank = Self.rank(of: pid) else { continue }
      add(pid, rank: rank)
    }
  }

  /// The process that started `pid`: the second field after the name, which may hold spaces and parentheses itself.
  private static func parent(of pid: Int32) -> Int32? {
    guard let bytes = try? POSIXFileSystem().read("/proc/\(pid)/stat", limit: 4096), let close = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " "))
    return fields.count > 1 ? Int32(String(decoding: fields[1], as: UTF8.self)) : nil
  }

  /// The rank that a launcher gave to a process; nil if it is none of its ranks.
  private static func rank(of pid: Int32) -> Int? {
    guard let bytes = try? POSIXFileSystem().read("/proc/\(pid)/environ", limit: 1 << 22) else { return nil }
    for variable in bytes.split(separator: 0) {
      let text = String(decoding: variable, as: UTF8.self)
      for name in ["OMPI_COMM_WORLD_RANK=", "PMIX_RANK="] where text.hasPrefix(name) { return Int(text.dropFirst(name.count)) }
    }
    return nil
  }
}

import FileStore

/// A moment on the monotonic clock at which a job has to stop.
public struct StopDeadline: Equatable, Sendable {
  /// Seconds on the clock of `RunServices.monotonicSeconds`.
  public var at: Double
  /// What is recorded when it passes.
  public var reason: StopReason

  /// A job that stops at `at` because of `reason`.
  public init(at: Double, reason: StopReason) {
    self.at = at
    self.reason = reason
  }
}

/// Everything that can stop a job but the chunk budget. Signals are looked at by every rank, clock and files by rank 0 alone.
///
/// Invariant: the first reason that comes up stays the reason.
final class StopRules {
  private let services: RunServices
  private let deadlines: [StopDeadline]
  private let files: any FileSystem
  private let stopFile: String
  private let isRoot: Bool
  private var reason: StopReason?
  private var lookedAt = -Double.infinity

  /// Seconds between two looks at the directory.
  static let lookSeconds = 1.0

  init(options: JobOptions, services: RunServices, files: any FileSystem, isRoot: Bool) {
    self.services = services
    self.files = files
    self.isRoot = isRoot
    deadlines = options.deadlines
    stopFile = RunDirectory(root: options.outputDirectory).stopFile
  }

  /// Why this rank should stop, nil to go on. Called once per decision and minibatch.
  func poll() -> StopReason? {
    if reason == nil { reason = services.stopRequested() ?? (isRoot ? rootReason() : nil) }
    return reason
  }

  private func rootReason() -> StopReason? {
    let now = services.monotonicSeconds()
    if let passed = deadlines.first(where: { now >= $0.at }) { return passed.reason }
    guard now - lookedAt >= Self.lookSeconds else { return nil }
    lookedAt = now
    // Opened and not only looked up: network file systems answer a look-up from memory. A directory that cannot be read is noticed elsewhere.
    return (try? files.size(stopFile)) ?? nil != nil ? .stopFile : nil
  }
}

/// The one writer's claim on a run directory (`run.lock`).
///
/// The file is made with O_EXCL and names its owner, a fencing number that grows with every owner, and a heartbeat counter. A lock
/// is taken over when its owner is known to be gone (same machine: process id and start time) or its counter stood still for a
/// lease on the *watcher's* monotonic clock (any other machine; clocks of two machines are never compared).
///
/// Invariants:
/// - `run.lock` changes hands only by a rename of a whole new file, under a claim file made with O_EXCL, so of several
///   processes that see the same dead owner one wins;
/// - heartbeats go to the opened file, not to the name: an owner that was paused and replaced cannot overwrite its successor;
/// - after a release the file stays, marked free, so that fencing numbers never start again.
public final class RunLock {
  /// Path of the lock file.
  public let path: String
  /// What was last written.
  public private(set) var record: LockRecord
  /// What was found: nil for a new directory; held means that its owner died without a release.
  public let predecessor: LockRecord?
  /// The fencing number of this ownership.
  public var fencing: UInt64 { record.fencing }

  /// What `verifyOwnership` needs, as a value that another thread may use.
  public let claim: LockClaim
  /// Whether the lock was taken from an owner that stood still and is not known to be dead: it may wake up and go on where it was.
  public let predecessorMayLive: Bool

  private let file: any WritableFile

  /// Between the lock's name and the fencing number in the name of a claim.
  static let claimInfix = ".claim-"
  /// Lock files are tiny.
  static let sizeLimit = 1 << 16

  init(
    path: String, record: LockRecord, predecessor: LockRecord?, predecessorMayLive: Bool = false, files: any FileSystem,
    file: any WritableFile
  ) {
    self.path = path
    self.record = record
    self.predecessor = predecessor
    self.predecessorMayLive = predecessorMayLive
    claim = LockClaim(path: path, token: record.token, files: files)
    self.file = file
  }

  /// Advances the counter. Call it a few times per lease; the caller limits the rate.
  ///
  /// Throws `lost` when the file system says that the opened file is no longer the lock.
  public func heartbeat() throws(RunLockError) {
    record.heartbeat += 1
    try write()
  }

  /// Fails with `lost` unless the file under the lock's name is still ours. Before each publish.
  public func verifyOwnership() throws(RunLockError) { try claim.verifyOwnership() }

  /// Removes claims of takeovers that ended before they could do so themselves. Later claims than this ownership are alive.
  public func removeStaleClaims() throws(FileError) {
    let directory = PathName.directory(of: path)
    let prefix = PathName.name(of: path) + RunLock.claimInfix
    for name in try claim.files.list(directory) where name.hasPrefix(prefix) {
      guard let number = UInt64(name.dropFirst(prefix.count)), number <= fencing else { continue }
      try claim.files.unlink(PathName.join(directory, name))
    }
  }

  /// Marks the lock free. Nothing is done if it is not ours any more.
  public func release() throws(RunLockError) {
    do {
      try verifyOwnership()
    } catch {
      guard case .lost = error else { throw error }
      return
    }
    record.isHeld = false
    try write()
    try? file.close()
  }

  private func write() throws(RunLockError) {
    do {
      try file.overwrite(record.bytes, at: 0)
      try file.sync()
    } catch {
      try verifyOwnership()
      throw .file(error)
    }
  }
}

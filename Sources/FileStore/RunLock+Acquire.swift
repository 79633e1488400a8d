extension RunLock {
  /// Times and look-ups that `acquire` needs from outside; tests replace all of them.
  public struct Surroundings {
    /// Seconds on a clock that never goes back.
    public var now: () -> Double
    /// Waits about so many seconds; false gives up (a stop was asked for).
    public var wait: (Double) -> Bool
    /// Start ticks of a live process on this machine, nil if there is none.
    public var startTicks: (Int32) -> UInt64?

    /// - Parameter startTicks: usually `ProcessIdentity.startTicks(of:)`.
    public init(
      now: @escaping () -> Double, wait: @escaping (Double) -> Bool,
      startTicks: @escaping (Int32) -> UInt64? = { ProcessIdentity.startTicks(of: $0) }
    ) {
      self.now = now
      self.wait = wait
      self.startTicks = startTicks
    }
  }

  /// How patient `acquire` is, in seconds.
  public struct Patience: Equatable, Sendable {
    /// An owner elsewhere is taken for dead after its counter stood still for so long.
    public var lease: Double
    /// How often the lock is looked at while waiting.
    public var poll: Double
    /// How long a live owner is waited for; 0: fail as soon as it is known to live.
    public var heldLimit: Double

    /// Defaults: lease 60 s, a look every second, no waiting for a live owner.
    public init(lease: Double = 60, poll: Double = 1, heldLimit: Double = 0) {
      self.lease = lease
      self.poll = poll
      self.heldLimit = heldLimit
    }
  }

  /// Takes the lock of a run directory, or says who holds it.
  ///
  /// - Parameters:
  ///   - path: the lock file; its directory must exist.
  ///   - publish: for the takeover's whole-file replacement.
  ///   - owner: this process.
  ///   - since: the present time as text, for people.
  ///   - minimumFencing: the new fencing number is at least this, and more than that of the lock found.
  /// - Throws: `held`, `interrupted`, `unreadable`, or `file`.
  public static func acquire(
    path: String, publish: AtomicPublish, owner: ProcessIdentity, jobID: String, since: String, minimumFencing: UInt64 = 1,
    patience: Patience = Patience(), surroundings: Surroundings
  ) throws(RunLockError) -> RunLock {
    let files = publish.files
    let started = surroundings.now()
    // What was last seen, and since when it has been so.
    var seen: [UInt8]?
    var seenAt = started
    // Since when another process's claim has stood in the way.
    var blockedAt: Double?
    while true {
      do {
        guard let bytes = try read(path, files) else {
          let record = LockRecord(owner: owner, jobID: jobID, since: since, fencing: max(1, minimumFencing))
          if let lock = try create(path, record, files) { return lock }
          continue
        }
        let now = surroundings.now()
        let isFirstLook = seen == nil
        let advanced = !isFirstLook && seen != bytes
        if seen != bytes {
          seen = bytes
          seenAt = now
          blockedAt = nil
        }
        let found = LockRecord(bytes: bytes)
        let free = isFree(found, owner, surroundings)
        if free || now - seenAt >= patience.lease {
          let fencing = max((found?.fencing ?? 0) + 1, minimumFencing)
          let record = LockRecord(owner: owner, jobID: jobID, since: since, fencing: fencing)
          let claimIsStale = blockedAt.map { now - $0 >= patience.lease } ?? false
          let lock = try takeOver(
            path, observed: bytes, found, record, publish, claimIsStale: claimIsStale, predecessorMayLive: !free)
          if let lock { return lock }
          // Another process is at it: see what comes of that.
          blockedAt = blockedAt ?? now
        } else if advanced || isLocallyAlive(found, owner), now - started >= patience.heldLimit {
          guard let found else { throw RunLockError.unreadable(path: path) }
          throw RunLockError.held(path: path, by: found)
        }
      } catch let error as FileError {
        throw .file(error)
      } catch let error as RunLockError {
        throw error
      } catch {
        preconditionFailure("only file and lock errors are thrown here")
      }
      guard surroundings.wait(patience.poll) else { throw .interrupted(path: path) }
    }
  }

  /// Released, or its owner was a process of this machine and is gone.
  private static func isFree(_ found: LockRecord?, _ owner: ProcessIdentity, _ surroundings: Surroundings) -> Bool {
    guard let found else { return false }
    if !found.isHeld { return true }
    guard found.owner.sharesProcessTable(with: owner) else { return false }
    return surroundings.startTicks(found.owner.pid) != found.owner.startTicks
  }

  /// Not free, and of this machine: then it lives.
  private static func isLocallyAlive(_ found: LockRecord?, _ owner: ProcessIdentity) -> Bool {
    found.map { $0.owner.sharesProcessTable(with: owner) } ?? false
  }

  private static func read(_ path: String, _ files: any FileSystem) throws(FileError) -> [UInt8]? {
    do {
      return try files.read(path, limit: sizeLimit)
    } catch {
      guard error.isNotFound || error.code == ErrorCode.stale else { throw error }
      return nil
    }
  }

  /// The first lock of a directory; nil if somebody was faster.
  private static func create(_ path: String, _ record: LockRecord, _ files: any FileSystem) throws(FileError) -> RunLock? {
    do {
      try files.createFile(path, record.bytes)
    } catch {
      guard error.isExisting else { throw error }
      return nil
    }
    try files.syncDirectory(PathName.directory(of: path))
    return RunLock(path: path, record: record, predecessor: nil, files: files, file: try files.open(path, create: false))
  }

  /// Replaces the lock that was `observed`; nil if another process is doing so or has done so.
  private static func takeOver(
    _ path: String, observed: [UInt8], _ found: LockRecord?, _ record: LockRecord, _ publish: AtomicPublish, claimIsStale: Bool,
    predecessorMayLive: Bool
  ) throws(FileError) -> RunLock? {
    let files = publish.files
    let claim = path + claimInfix + "\(record.fencing)"
    do {
      try files.createFile(claim, record.bytes)
    } catch {
      guard error.isExisting else { throw error }
      // Its maker died in the few milliseconds between claim and rename: removed, and tried again at the next look.
      if claimIsStale { try? files.unlink(claim) }
      return nil
    }
    // The claim is ours. Whoever had it before has finished, so the lock must still be what was judged.
    do {
      guard try read(path, files) == observed else {
        try files.unlink(claim)
        return nil
      }
      try publish.replace(path, record.bytes)
      try files.unlink(claim)
    } catch {
      try? files.unlink(claim)
      // Our files were removed: we stood still for a lease and somebody else has taken the lock meanwhile.
      if error.isNotFound { return nil }
      throw error
    }
    return RunLock(
      path: path, record: record, predecessor: found, predecessorMayLive: predecessorMayLive, files: files,
      file: try files.open(path, create: false))
  }
}

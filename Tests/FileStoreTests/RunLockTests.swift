import FileStore
import TestSupport
import Testing

/// A clock that only `wait` advances; what happens elsewhere meanwhile is told by a closure.
private final class World {
  var now = 0.0
  var alive: [Int32: UInt64] = [:]
  var whileWaiting: (Double) -> Bool = { _ in true }

  var surroundings: RunLock.Surroundings {
    RunLock.Surroundings(
      now: { self.now },
      wait: {
        self.now += $0
        return self.whileWaiting(self.now)
      }, startTicks: { self.alive[$0] })
  }
}

private func process(_ pid: Int32, host: String = "one", boot: String = "b1", namespace: String = "pid-1", start: UInt64 = 100)
  -> ProcessIdentity
{
  ProcessIdentity(host: host, bootID: boot, pidNamespace: namespace, pid: pid, startTicks: start)
}

@Suite("Run lock")
struct RunLockTests {
  private let files = InMemoryFileSystem()
  private let world = World()

  private func acquire(_ owner: ProcessIdentity, job: String = "77", minimum: UInt64 = 1, heldLimit: Double = 0) throws(RunLockError)
    -> RunLock
  {
    try RunLock.acquire(
      path: "/run.lock", publish: AtomicPublish(files: files, host: owner.host, pid: owner.pid), owner: owner, jobID: job,
      since: "2026-01-02T03:04:05Z", minimumFencing: minimum,
      patience: RunLock.Patience(lease: 60, poll: 1, heldLimit: heldLimit), surroundings: world.surroundings)
  }

  private func failure(_ body: () throws(RunLockError) -> RunLock) -> RunLockError? {
    do {
      _ = try body()
      return nil
    } catch {
      return error
    }
  }

  @Test("a first lock has fencing number 1 and what it says can be read")
  func first() throws {
    let lock = try acquire(process(1))
    #expect(lock.fencing == 1 && lock.predecessor == nil)
    let record = try #require(LockRecord(bytes: files.read("/run.lock", limit: 9999)))
    #expect(record == lock.record)
    #expect(record.owner == process(1) && record.jobID == "77" && record.since == "2026-01-02T03:04:05Z")
    try lock.heartbeat()
    try lock.verifyOwnership()
    #expect(try LockRecord(bytes: files.read("/run.lock", limit: 9999))?.heartbeat == 1)
  }

  @Test("a live owner on the same machine is named at once")
  func heldHere() throws {
    world.alive = [1: 100]
    _ = try acquire(process(1))
    let error = failure { () throws(RunLockError) in try acquire(process(2)) }
    guard case .held(_, let record)? = error else { return #expect(Bool(false), "held") }
    #expect(record.owner.pid == 1 && world.now == 0)
    #expect("\(record)" == "pid 1 on host one, job 77, since 2026-01-02T03:04:05Z, fencing number 1")
  }

  @Test(
    "a dead owner on the same machine is replaced at once, also if its number was given to another process",
    arguments: [nil, 999] as [UInt64?])
  func deadHere(start: UInt64?) throws {
    world.alive[1] = start
    let old = try acquire(process(1))
    let lock = try acquire(process(2))
    #expect(lock.fencing == 2 && lock.predecessor?.owner.pid == 1 && lock.predecessor?.isHeld == true && world.now == 0)
    #expect(throws: RunLockError.lost(path: "/run.lock", by: lock.record)) { try old.verifyOwnership() }
    #expect(files.allNames == ["/run.lock"])
  }

  @Test("an owner that was paused and replaced cannot overwrite its successor")
  func fencedHeartbeat() throws {
    let old = try acquire(process(1))
    let lock = try acquire(process(2))
    try? old.heartbeat()
    try old.release()
    try lock.verifyOwnership()
    #expect(try LockRecord(bytes: files.read("/run.lock", limit: 9999)) == lock.record)
  }

  @Test(
    "a silent owner elsewhere is replaced after a lease, not before",
    arguments: [process(2, host: "two"), process(2, boot: "b2"), process(2, namespace: "pid-2")])
  func silentElsewhere(owner: ProcessIdentity) throws {
    _ = try acquire(process(1))
    let lock = try acquire(owner)
    #expect(world.now == 60 && lock.fencing == 2)
  }

  @Test("an owner elsewhere whose counter advances is live")
  func beatingElsewhere() throws {
    let old = try acquire(process(1))
    world.whileWaiting = { now in
      if now == 40 { try? old.heartbeat() }
      return true
    }
    guard case .held(_, let record)? = failure({ () throws(RunLockError) in try acquire(process(2, host: "two")) }) else {
      return #expect(Bool(false), "held")
    }
    #expect(record.heartbeat == 1 && world.now == 40)
  }

  @Test("with patience a live owner is waited for until it releases")
  func waited() throws {
    world.alive = [1: 100]
    let old = try acquire(process(1))
    world.whileWaiting = { now in
      if now == 100 { try? old.release() } else { try? old.heartbeat() }
      return true
    }
    let lock = try acquire(process(2), heldLimit: 600)
    #expect(world.now == 100 && lock.fencing == 2 && lock.predecessor?.isHeld == false)
  }

  @Test("patience ends, and so does waiting when a stop is asked for")
  func patience() throws {
    world.alive = [1: 100]
    _ = try acquire(process(1))
    guard case .held? = failure({ () throws(RunLockError) in try acquire(process(2), heldLimit: 30) }) else {
      return #expect(Bool(false), "held")
    }
    #expect(world.now == 30)
    world.whileWaiting = { $0 < 35 }
    #expect(failure { () throws(RunLockError) in try acquire(process(2), heldLimit: 30) } == .interrupted(path: "/run.lock"))
  }

  @Test("a released lock is taken at once and fencing numbers go on; a minimum raises them")
  func released() throws {
    try acquire(process(1)).release()
    let second = try acquire(process(2, host: "two"))
    #expect(second.fencing == 2 && world.now == 0)
    try second.release()
    #expect(try acquire(process(3), minimum: 10).fencing == 10)
  }

  @Test("a torn lock file is replaced after a lease")
  func torn() throws {
    try files.createFile("/run.lock", Array("{\n  \"format\"".utf8))
    let lock = try acquire(process(1))
    #expect(world.now == 60 && lock.fencing == 1 && lock.predecessor == nil)
  }

  @Test("a removed or replaced lock file is noticed")
  func removed() throws {
    let lock = try acquire(process(1))
    try files.unlink("/run.lock")
    #expect(throws: RunLockError.lost(path: "/run.lock", by: nil)) { try lock.verifyOwnership() }
  }

  @Test("of two that see the same dead owner, the one that finds a claim waits; a claim left behind is removed after a lease")
  func claims() throws {
    _ = try acquire(process(1))
    try files.createFile("/run.lock.claim-2", [])
    let lock = try acquire(process(2))
    #expect(lock.fencing == 2 && world.now >= 60 && world.now <= 62)
  }

  @Test("a takeover that crashes at any operation leaves a lock that can be taken", arguments: InMemoryFileSystem.Survival.allCases)
  func crashingTakeover(survival: InMemoryFileSystem.Survival) throws {
    _ = try acquire(process(1))
    try files.syncDirectory("/")
    for operation in 1...14 {
      let copy = files.copy()
      copy.arm(.crash(at: operation))
      func take(_ pid: Int32) throws(RunLockError) -> RunLock {
        try RunLock.acquire(
          path: "/run.lock", publish: AtomicPublish(files: copy, host: "one", pid: pid), owner: process(pid), jobID: "", since: "",
          surroundings: world.surroundings)
      }
      _ = try? take(2)
      copy.recover(survival)
      let lock = try take(3)
      try lock.verifyOwnership()
      #expect(lock.fencing >= 2)
    }
  }

  @Test("the present process is found alive, an unused number is not")
  func liveness() throws {
    let current = ProcessIdentity.current()
    #expect(current.startTicks > 0 && current.host != "" && current.sharesProcessTable(with: current))
    #expect(ProcessIdentity.startTicks(of: current.pid) == current.startTicks)
    #expect(ProcessIdentity.startTicks(of: 0x3FFF_FFFF) == nil)
  }

  @Test("it works on the real file system")
  func real() throws {
    let directory = try TemporaryDirectory()
    try withExtendedLifetime(directory) {
      let owner = ProcessIdentity.current()
      let publish = AtomicPublish(files: POSIXFileSystem(), host: owner.host, pid: owner.pid)
      let surroundings = RunLock.Surroundings(now: { 0 }, wait: { _ in false })
      func take(_ owner: ProcessIdentity) throws(RunLockError) -> RunLock {
        try RunLock.acquire(
          path: directory.path + "/run.lock", publish: publish, owner: owner, jobID: "", since: "", surroundings: surroundings)
      }
      let lock = try take(owner)
      try lock.heartbeat()
      let other = ProcessIdentity(
        host: owner.host, bootID: owner.bootID, pidNamespace: owner.pidNamespace, pid: owner.pid + 1, startTicks: 1)
      guard case .held? = failure({ () throws(RunLockError) in try take(other) }) else { return #expect(Bool(false), "held") }
      try lock.release()
      #expect(try take(other).fencing == 2)
    }
  }
}

import Checkpoint
import FileStore
import TestSupport
import Testing

/// Every operation of a save (with rotation) is the last one, fails once, or is the first of a failing disk.
///
/// Each run starts from the same directory with steps 1 and 2 and saves step 3. Afterwards the newest whole checkpoint must be 2 or
/// 3, and 3 if the save reported success; `latest.pt` must name a whole file; and the next save must work.
@Suite("Faults during a save")
struct CrashTests {
  private static func base() throws -> InMemoryFileSystem {
    let files = InMemoryFileSystem()
    let store = try makeStore(files)
    for step in 1...2 { try store.save(sample(step: step)) }
    return files
  }

  /// `saved` becomes true when the save itself has reported success.
  private static func saveAndRotate(_ files: InMemoryFileSystem, _ saved: inout Bool) throws {
    let store = CheckpointStore(directory: "/run/checkpoints", publisher: AtomicPublish(files: files, host: "h", pid: 2))
    try store.save(sample(step: 3))
    saved = true
    try store.rotate(keep: 2)
  }

  private static func check(_ files: InMemoryFileSystem, succeeded: Bool, _ comment: Comment) throws {
    let store = CheckpointStore(directory: "/run/checkpoints", publisher: AtomicPublish(files: files, host: "h", pid: 3))
    let search = try store.newestValid(runID: "run-1")
    let step = search.found?.contents.step
    #expect(step == 3 || (!succeeded && step == 2), comment)
    #expect(search.rejected == [], comment)
    let latest = try store.load(files.readLink("/run/checkpoints/latest.pt"))
    #expect(latest.contents.step >= 2 && (!succeeded || latest.contents.step == 3), comment)
    try store.prepare()
    try store.save(sample(step: 3, attempt: 2))
    try store.save(sample(step: 4))
    try store.rotate(keep: 2)
    #expect(try store.list() == [3, 4].map { CheckpointFile.name(step: $0) }, comment)
    #expect(files.allNames.allSatisfy { !$0.contains(".tmp-") }, comment)
  }

  /// Runs `body` with operation 1, 2, ... until the operation is not reached any more.
  private static func forEachOperation(_ body: (Int, InMemoryFileSystem) throws -> Void) throws {
    let base = try base()
    let probe = base.copy()
    var saved = false
    try saveAndRotate(probe, &saved)
    let count = probe.operationCount
    #expect(count > 12)
    for operation in 1...count { try body(operation, base.copy()) }
  }

  @Test("crash at operation k, for every k, with and without the unsynced part", arguments: InMemoryFileSystem.Survival.allCases)
  func crash(survival: InMemoryFileSystem.Survival) throws {
    try Self.forEachOperation { operation, files in
      files.arm(.crash(at: operation))
      var saved = false
      try? Self.saveAndRotate(files, &saved)
      let log = files.log
      files.recover(survival)
      try Self.check(files, succeeded: saved, "\(survival) at \(operation): \(log)")
    }
  }

  @Test("after a save that reported success a power cut loses nothing", arguments: InMemoryFileSystem.Survival.allCases)
  func durable(survival: InMemoryFileSystem.Survival) throws {
    let files = try Self.base()
    try CheckpointStore(directory: "/run/checkpoints", publisher: AtomicPublish(files: files, host: "h", pid: 2)).save(sample(step: 3))
    files.recover(survival)
    try Self.check(files, succeeded: true, "\(survival)")
  }

  @Test("operation k fails once, for every k", arguments: [ErrorCode.io, ErrorCode.noSpace, ErrorCode.stale])
  func failOnce(code: Int32) throws {
    try Self.forEachOperation { operation, files in
      files.arm(.failOnce(at: operation, code: code))
      var saved = false
      try? Self.saveAndRotate(files, &saved)
      let log = files.log
      files.arm(nil)
      try Self.check(files, succeeded: saved, "\(code) at \(operation): \(log)")
    }
  }

  @Test(
    "the disk fails from operation k on, for every k, and the error says that it is full", arguments: [ErrorCode.noSpace, ErrorCode.quota])
  func failFrom(code: Int32) throws {
    try Self.forEachOperation { operation, files in
      files.arm(.failFrom(at: operation, code: code))
      var saved = false
      do {
        try Self.saveAndRotate(files, &saved)
      } catch {
        #expect((error as? CheckpointError)?.isNoSpace == true, "\(error)")
      }
      let log = files.log
      files.arm(nil)
      try Self.check(files, succeeded: saved, "\(code) at \(operation): \(log)")
    }
  }
}

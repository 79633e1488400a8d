import Checkpoint
import FileStore
import TestSupport
import Testing
import TorchFormat

@Suite("Checkpoint store")
struct CheckpointStoreTests {
  private let directory = "/run/checkpoints"

  @Test("a save is listed, linked by a relative name, found and loaded")
  func save() throws {
    let files = InMemoryFileSystem()
    let store = try makeStore(files)
    for step in [0, 100, 20] { try store.save(sample(step: step)) }
    #expect(try store.list() == [0, 20, 100].map { CheckpointFile.name(step: $0) })
    #expect(try files.readLink(directory + "/latest.pt") == CheckpointFile.name(step: 20))
    let search = try store.newestValid(runID: "run-1")
    #expect(search.found?.contents == sample(step: 100) && search.rejected == [] && search.foreign == [])
    #expect(try store.load("latest.pt").contents.step == 20)
    #expect(files.allNames.allSatisfy { !$0.contains(".tmp-") })
  }

  @Test("the newest is the one with the highest step inside, whatever the names say")
  func stepInside() throws {
    let files = InMemoryFileSystem()
    let store = try makeStore(files)
    try store.save(sample(step: 5))
    try files.createFile(directory + "/" + CheckpointFile.name(step: 900), CheckpointFile.encode(sample(step: 4)).bytes)
    #expect(try store.newestValid(runID: "run-1").found?.contents.step == 5)
  }

  @Test("a damaged newest file falls back to the previous one, and both are named")
  func fallBack() throws {
    let files = InMemoryFileSystem()
    let store = try makeStore(files)
    for step in [896, 1024] { try store.save(sample(step: step)) }
    files.corrupt(directory + "/" + CheckpointFile.name(step: 1024)) { $0.removeLast(100) }
    let search = try store.newestValid(runID: "run-1")
    #expect(search.found?.contents.step == 896 && search.skipped.map(\.file) == [CheckpointFile.name(step: 1024)])
    #expect(
      search.description.hasPrefix("checkpoint_step_00001024.pt: ") && search.description.hasSuffix("checkpoint_step_00000896.pt is whole"))
  }

  @Test("candidates of which none is valid, and those of other runs, are reported and left alone")
  func noneValid() throws {
    let files = InMemoryFileSystem()
    let store = try makeStore(files)
    try store.save(sample(step: 1))
    try store.save(sample(step: 2, run: "run-2"))
    files.corrupt(directory + "/" + CheckpointFile.name(step: 1)) { $0[300] ^= 1 }
    let before = files.allNames
    let search = try store.newestValid(runID: "run-1")
    #expect(search.found == nil && search.rejected.count == 1 && search.foreign == [CheckpointFile.name(step: 2)])
    #expect(files.allNames == before)
  }

  @Test("saving the same state again keeps the file; another state under the same name is a conflict; a damaged one is replaced")
  func again() throws {
    let files = InMemoryFileSystem()
    let store = try makeStore(files)
    let first = try store.save(sample(step: 3))
    try store.save(sample(step: 3, attempt: 2))
    #expect(try files.read(directory + "/" + first.name, limit: 1 << 20) == first.bytes)
    var other = sample(step: 3)
    other = CheckpointContents(step: 3, runID: "run-1", groups: Array(other.groups.dropLast()))
    #expect {
      try store.save(other)
    } throws: {
      ($0 as? CheckpointError)?.code == .conflict
    }
    #expect(throws: CheckpointError.self) { try store.save(sample(step: 3, run: "run-9")) }
    files.corrupt(directory + "/" + first.name) { $0[10] ^= 4 }
    try store.save(sample(step: 3))
    #expect(try store.load(first.name).contents == sample(step: 3))
  }

  @Test("rotation keeps the newest, and what latest.pt, best.pt or the caller name; other files are untouched")
  func rotation() throws {
    let files = InMemoryFileSystem()
    let store = try makeStore(files)
    for step in 1...50 { try store.save(sample(step: step)) }
    try files.createFile(directory + "/notes.txt", [])
    try store.markBest(CheckpointFile.name(step: 7))
    let removed = try store.rotate(keep: 5, protected: [CheckpointFile.name(step: 9)])
    #expect(removed.count == 45)
    #expect(try store.list() == [7, 9, 48, 49, 50].map { CheckpointFile.name(step: $0) })
    #expect(try store.rotate(keep: 1).count == 3)
    #expect(try store.list() == [7, 50].map { CheckpointFile.name(step: $0) })
    #expect(
      try files.list(directory) == ["best.pt", CheckpointFile.name(step: 7), CheckpointFile.name(step: 50), "latest.pt", "notes.txt"])
    // latest.pt may name an older file, after a fall back.
    for step in [60, 61, 55] { try store.save(sample(step: step)) }
    try store.rotate(keep: 1)
    #expect(try store.list().contains(CheckpointFile.name(step: 55)))
  }

  @Test("temporary files of interrupted saves are removed by prepare")
  func janitor() throws {
    let files = InMemoryFileSystem()
    _ = try makeStore(files)
    try files.createFile(directory + "/.tmp-x-9-checkpoint_step_00000001.pt", [1])
    let store = CheckpointStore(directory: directory, publisher: AtomicPublish(files: files, host: "h", pid: 1))
    #expect(try store.prepare() == [".tmp-x-9-checkpoint_step_00000001.pt"])
    #expect(try store.list() == [])
  }
}

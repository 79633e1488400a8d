import FileStore
import TestSupport
import Testing

@Suite("Atomic publishing")
struct AtomicPublishTests {
  private func prepared() throws -> (InMemoryFileSystem, AtomicPublish) {
    let files = InMemoryFileSystem()
    try files.createDirectory("/r")
    return (files, AtomicPublish(files: files, host: "node/1", pid: 42))
  }

  @Test("temporary names are in the same directory and begin so that no data pattern matches")
  func temporaryName() throws {
    let (_, publish) = try prepared()
    #expect(publish.temporaryPath(for: "/r/x.json") == "/r/.tmp-node_1-42-x.json")
  }

  @Test("publishNew creates, accepts the same bytes, and leaves other bytes alone", arguments: [true, false])
  func publishNew(hardLinks: Bool) throws {
    let (files, publish) = try prepared()
    files.setHardLinks(hardLinks)
    #expect(try publish.publishNew("/r/a", [1, 2]) == .created)
    #expect(try publish.publishNew("/r/a", [1, 2]) == .identical)
    #expect(try publish.publishNew("/r/a", [1, 3]) == .occupied)
    #expect(try publish.publishNew("/r/a", [1, 2, 3]) == .occupied)
    #expect(try files.read("/r/a", limit: 9) == [1, 2])
    #expect(files.allNames == ["/r/a"])
  }

  @Test("a temporary file of an earlier process with our id is replaced")
  func leftOver() throws {
    let (files, publish) = try prepared()
    try files.createFile(publish.temporaryPath(for: "/r/a"), [9])
    try publish.replace("/r/a", [1])
    #expect(try files.read("/r/a", limit: 9) == [1])
    try files.symbolicLink("old", publish.temporaryPath(for: "/r/l"))
    try publish.relink("/r/l", to: "a")
    #expect(try files.readLink("/r/l") == "a")
  }

  @Test("the janitor removes temporary names of anybody and nothing else")
  func janitor() throws {
    let (files, publish) = try prepared()
    for name in [".tmp-other-7-a", ".tmp-node_1-42-b", "a", ".hidden"] { try files.createFile("/r/" + name, []) }
    #expect(try publish.removeStale(in: "/r") == [".tmp-node_1-42-b", ".tmp-other-7-a"])
    #expect(files.allNames == ["/r/.hidden", "/r/a"])
  }

  @Test("a lying disk is found before the name is given")
  func lyingDisk() throws {
    let files = LyingFileSystem()
    #expect {
      try AtomicPublish(files: files, host: "h", pid: 1).publishNew("/a", [1, 2, 3])
    } throws: {
      ($0 as? FileError)?.operation == .verify
    }
    #expect(files.inner.allNames == [])
  }

  @Test(
    "after a crash at any operation the old or the new content is there whole; after success the new one",
    arguments: InMemoryFileSystem.Survival.allCases)
  func crashes(survival: InMemoryFileSystem.Survival) throws {
    let (base, _) = try prepared()
    try AtomicPublish(files: base, host: "h", pid: 1).replace("/r/a", [1, 1, 1])
    var operation = 1
    while true {
      let files = base.copy()
      files.arm(.crash(at: operation))
      let succeeded = (try? AtomicPublish(files: files, host: "h", pid: 2).replace("/r/a", [2, 2, 2])) != nil
      let isOver = files.operationCount < operation
      files.recover(survival)
      let found = try files.read("/r/a", limit: 9)
      #expect(found == [2, 2, 2] || (!succeeded && found == [1, 1, 1]), "\(survival) at \(operation): \(files.log)")
      if isOver { break }
      operation += 1
    }
    #expect(operation > 5)
  }
}

/// Reports success for a write of which the last byte did not arrive.
private final class LyingFileSystem: FileSystem {
  let inner = InMemoryFileSystem()

  func createFile(_ path: String, _ bytes: [UInt8]) throws(FileError) { try inner.createFile(path, Array(bytes.dropLast())) }
  func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] { try inner.read(path, limit: limit) }
  func list(_ directory: String) throws(FileError) -> [String] { try inner.list(directory) }
  func createDirectory(_ path: String) throws(FileError) { try inner.createDirectory(path) }
  func open(_ path: String, create: Bool) throws(FileError) -> any WritableFile { try inner.open(path, create: create) }
  func link(_ existing: String, _ name: String) throws(FileError) { try inner.link(existing, name) }
  func rename(_ old: String, _ new: String) throws(FileError) { try inner.rename(old, new) }
  func symbolicLink(_ target: String, _ name: String) throws(FileError) { try inner.symbolicLink(target, name) }
  func readLink(_ path: String) throws(FileError) -> String { try inner.readLink(path) }
  func unlink(_ path: String) throws(FileError) { try inner.unlink(path) }
  func syncDirectory(_ path: String) throws(FileError) { try inner.syncDirectory(path) }
  func size(_ path: String) throws(FileError) -> Int? { try inner.size(path) }
  func exists(_ path: String) throws(FileError) -> Bool { try inner.exists(path) }
  func availableBytes(_ path: String) throws(FileError) -> Int { try inner.availableBytes(path) }
}

import FileStore
import TestSupport
import Testing

/// What every file system must do; run on the real one and on the one in memory.
@Suite("File systems")
struct FileSystemContractTests {
  enum Kind: CaseIterable { case posix, memory }

  private func withFiles(_ kind: Kind, _ body: (any FileSystem, String) throws -> Void) throws {
    switch kind {
    case .posix:
      let directory = try TemporaryDirectory()
      try withExtendedLifetime(directory) { try body(POSIXFileSystem(), directory.path) }
    case .memory:
      let files = InMemoryFileSystem()
      try files.createDirectory("/t")
      try body(files, "/t")
    }
  }

  private func code(_ body: () throws -> Void) -> Int32? {
    do {
      try body()
      return nil
    } catch {
      return (error as? FileError)?.code
    }
  }

  @Test("a new file is written once, read back, and its name is taken", arguments: Kind.allCases)
  func create(kind: Kind) throws {
    try withFiles(kind) { files, root in
      let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      try files.createFile(root + "/a", bytes)
      #expect(try files.read(root + "/a", limit: bytes.count) == bytes)
      #expect(try files.size(root + "/a") == bytes.count)
      #expect(code { _ = try files.read(root + "/a", limit: bytes.count - 1) } == ErrorCode.tooLarge)
      #expect(code { try files.createFile(root + "/a", []) } == ErrorCode.exists)
      #expect(code { _ = try files.read(root + "/b", limit: 10) } == ErrorCode.noEntry)
      #expect(code { try files.createFile(root + "/no/b", []) } == ErrorCode.noEntry)
      try files.createFile(root + "/empty", [])
      #expect(try files.read(root + "/empty", limit: 0) == [])
    }
  }

  @Test("link, rename, unlink and symbolic links behave as POSIX says", arguments: Kind.allCases)
  func names(kind: Kind) throws {
    try withFiles(kind) { files, root in
      try files.createFile(root + "/a", [1])
      try files.createFile(root + "/b", [2])
      #expect(code { try files.link(root + "/a", root + "/b") } == ErrorCode.exists)
      try files.link(root + "/a", root + "/c")
      try files.rename(root + "/b", root + "/a")
      #expect(try files.read(root + "/a", limit: 1) == [2])
      #expect(try files.read(root + "/c", limit: 1) == [1])
      try files.symbolicLink("c", root + "/l")
      #expect(try files.readLink(root + "/l") == "c")
      #expect(try files.read(root + "/l", limit: 1) == [1])
      #expect(code { _ = try files.readLink(root + "/a") } == ErrorCode.invalid)
      #expect(code { try files.symbolicLink("c", root + "/l") } == ErrorCode.exists)
      try files.unlink(root + "/c")
      #expect(try files.exists(root + "/l"))
      #expect(try files.size(root + "/l") == nil)
      #expect(try !files.exists(root + "/c"))
      #expect(code { try files.unlink(root + "/c") } == ErrorCode.noEntry)
      #expect(try files.list(root) == ["a", "l"])
      #expect(code { _ = try files.list(root + "/none") } == ErrorCode.noEntry)
      try files.syncDirectory(root)
    }
  }

  @Test("directories are made with their parents, twice is fine, a file in the way is not", arguments: Kind.allCases)
  func directories(kind: Kind) throws {
    try withFiles(kind) { files, root in
      try files.createDirectory(root + "/x/y/z")
      try files.createDirectory(root + "/x/y/z")
      try files.createFile(root + "/x/y/z/f", [])
      #expect(try files.list(root + "/x/y/z") == ["f"])
      #expect(throws: FileError.self) { try files.createDirectory(root + "/x/y/z/f") }
    }
  }

  @Test("an open file appends, overwrites, is cut, and stays the same file after its name went to another", arguments: Kind.allCases)
  func openFile(kind: Kind) throws {
    try withFiles(kind) { files, root in
      #expect(code { _ = try files.open(root + "/f", create: false) } == ErrorCode.noEntry)
      let file = try files.open(root + "/f", create: true)
      try file.append([1, 2, 3])
      try file.append([4])
      try file.overwrite([9], at: 1)
      #expect(try files.read(root + "/f", limit: 10) == [1, 9, 3, 4])
      try file.truncate(to: 2)
      #expect(code { try file.truncate(to: 3) } == ErrorCode.invalid)
      try file.append([5])
      #expect(try file.size() == 3)
      try file.sync()
      try files.createFile(root + "/g", [7])
      try files.rename(root + "/g", root + "/f")
      try file.overwrite([8], at: 0)
      #expect(try files.read(root + "/f", limit: 10) == [7])
      try file.close()
      let again = try files.open(root + "/f", create: true)
      try again.append([6])
      #expect(try files.read(root + "/f", limit: 10) == [7, 6])
    }
  }

  @Test("an error names operation, path and reason in plain ASCII")
  func description() {
    let error = FileError(.write, "/run/x", code: ErrorCode.noSpace, detail: "3 bytes")
    #expect("\(error)" == "/run/x: write failed: ENOSPC (no space left on device); 3 bytes")
    #expect(error.isNoSpace && FileError(.write, "", code: ErrorCode.quota).isNoSpace)
    #expect(ErrorCode.text(9999) == "errno 9999")
  }

  @Test("paths are split and joined")
  func paths() {
    #expect(PathName.directory(of: "/a/b") == "/a" && PathName.directory(of: "/a") == "/" && PathName.directory(of: "a") == ".")
    #expect(PathName.name(of: "/a/b") == "b" && PathName.name(of: "b") == "b")
    #expect(PathName.join("/a", "b") == "/a/b" && PathName.join("/", "b") == "/b" && PathName.join(".", "b") == "b")
    #expect(PathName.sanitized("a/b c\u{E9}") == "a_b_c__")
  }
}

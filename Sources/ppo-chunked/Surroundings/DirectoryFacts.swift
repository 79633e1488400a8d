import FileStore
import Foundation

/// What a directory can do for a run.
struct DirectoryFacts {
  let path: String
  /// Type of the file system, as the mount table names it.
  let kind: String
  let freeMiB: Int
  /// Milliseconds of one small durable write: create, write, sync, link, rename, sync of the directory.
  let writeMilliseconds: Double
  /// Clock of the file system less our own, in seconds.
  let clockOffset: Double

  /// Tries everything that a save does, in a directory of its own below `path`, which is made if it is missing and then removed again.
  ///
  /// - Throws: `FileError` naming the operation that this file system does not do.
  static func probe(_ path: String) throws(FileError) -> DirectoryFacts {
    let files = POSIXFileSystem()
    let existed = FileManager.default.fileExists(atPath: path)
    try files.createDirectory(path)
    let probe = path + "/.doctor-\(getpid())"
    try files.createDirectory(probe)
    defer {
      try? FileManager.default.removeItem(atPath: probe)
      if !existed { rmdir(path) }
    }
    let started = ProcessServices.monotonicSeconds
    try files.createFile(probe + "/a", [UInt8](repeating: 1, count: 4096))
    do throws(FileError) {
      try files.createFile(probe + "/a", [2])
      throw FileError(.create, probe + "/a", code: 0, detail: "a name that exists was made again (O_EXCL)")
    } catch {
      if !error.isExisting { throw error }
    }
    try files.link(probe + "/a", probe + "/b")
    try files.symbolicLink("b", probe + "/c")
    try files.rename(probe + "/c", probe + "/d")
    try files.syncDirectory(probe)
    guard try files.read(probe + "/d", limit: 8192) == [UInt8](repeating: 1, count: 4096) else {
      throw FileError(.read, probe + "/d", code: 0, detail: "returns something else than was written")
    }
    let milliseconds = (ProcessServices.monotonicSeconds - started) * 1000
    let attributes = try? FileManager.default.attributesOfItem(atPath: probe + "/a")
    let offset = (attributes?[.modificationDate] as? Date)?.timeIntervalSinceNow ?? 0
    return DirectoryFacts(
      path: path, kind: kind(of: path), freeMiB: freeMiB(path) ?? 0, writeMilliseconds: milliseconds, clockOffset: offset)
  }

  /// Free space for this user, nil if it cannot be told.
  static func freeMiB(_ path: String) -> Int? {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
    return (attributes?[.systemFreeSize] as? NSNumber).map { Int(truncating: $0) >> 20 }
  }

  /// The mount table's longest entry above `path`.
  private static func kind(of path: String) -> String {
    let whole = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    var best = (length: -1, kind: "unknown")
    let table = (try? POSIXFileSystem().read("/proc/self/mounts", limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    for line in table.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 2 else { continue }
      let mount = words[1] == "/" ? "/" : words[1] + "/"
      if (whole + "/").hasPrefix(mount), mount.count >= best.length { best = (mount.count, String(words[2])) }
    }
    return best.kind
  }
}

import FileStore

/// Puts what a directory holds of a run out of the way of a fresh start: nothing is overwritten, nothing is lost.
struct SupersededRun {
  let directory: RunDirectory
  let files: any FileSystem

  /// Moves checkpoints, links, metrics, progress and identity to `checkpoints/superseded-<run id>`, with `-2`, `-3`, ... if that is taken.
  ///
  /// A kill on the way leaves some in the new place and some in the old; the next start finds no checkpoint of the recorded run, or
  /// checkpoints without a record, and refuses, and the next fresh start moves the rest.
  ///
  /// - Parameter runID: nil if it is not known.
  /// - Returns: the folder.
  func moveAside(runID: String?) throws(FileError) -> String {
    let base = directory.checkpoints + "/superseded-" + PathName.sanitized(runID ?? "unknown")
    var target = base
    var number = 2
    while try files.exists(target) {
      target = base + "-\(number)"
      number += 1
    }
    try files.createDirectory(target + "/metrics")
    for (from, to) in [(directory.checkpoints, target), (directory.metrics, target + "/metrics")] {
      for name in try files.list(from) where !name.hasPrefix("superseded-") {
        try files.rename(PathName.join(from, name), PathName.join(to, name))
      }
    }
    for path in [directory.progress, directory.identity] where try files.exists(path) {
      try files.rename(path, PathName.join(target, PathName.name(of: path)))
    }
    for path in [target + "/metrics", target, directory.checkpoints, directory.metrics, directory.root] { try files.syncDirectory(path) }
    return target
  }
}

import FileStore

/// What a search for the newest checkpoint of a run found.
public struct CheckpointSearch: Equatable, Sendable {
  /// The one with the highest step inside; nil if none verifies.
  public let found: LoadedCheckpoint?
  /// Files that could not be read or did not verify, with their reasons, in order of the step in the name.
  public let rejected: [CheckpointError]
  /// Whole checkpoints of other runs.
  public let foreign: [String]

  /// Rejected files whose name states a later step than what was found: the search fell back.
  public var skipped: [CheckpointError] {
    rejected.filter { (CheckpointFile.step(inName: $0.file) ?? 0) > (found?.contents.step ?? -1) }
  }
}

extension CheckpointSearch: CustomStringConvertible {
  /// One line a rejected file, then what is whole.
  public var description: String {
    let whole = found.map { "\($0.name) is whole" } ?? "no checkpoint of this run is whole"
    return (rejected.map(\.description) + [whole]).joined(separator: "; ")
  }
}

extension CheckpointStore {
  /// The newest checkpoint of a run that verifies, newest by the step inside, never by name or time.
  ///
  /// Reads every checkpoint of the directory; rotation keeps their number small. Throws only if the directory cannot be listed:
  /// a file that cannot be read counts as rejected.
  public func newestValid(runID: String) throws(CheckpointError) -> CheckpointSearch {
    var found: LoadedCheckpoint?
    var rejected: [CheckpointError] = []
    var foreign: [String] = []
    for name in try list() {
      do {
        let loaded = try load(name)
        if loaded.contents.runID != runID {
          foreign.append(name)
        } else if loaded.contents.step >= found?.contents.step ?? 0 {
          found = loaded
        }
      } catch {
        rejected.append(error)
      }
    }
    return CheckpointSearch(found: found, rejected: rejected, foreign: foreign)
  }

  /// Removes the oldest checkpoints, by the step in the name, until `keep` are left. Neither `protected` names nor the targets of
  /// `latest.pt` and `best.pt` are ever removed; they count among those that are kept.
  ///
  /// - Parameter isOurs: files for which it is false are neither counted nor removed.
  /// - Returns: the names removed.
  @discardableResult
  public func rotate(
    keep: Int, protected: [String] = [], isOurs: (String) -> Bool = { _ in true }
  ) throws(CheckpointError) -> [String] {
    precondition(keep >= 1, "rotation keeps at least one checkpoint")
    let names = try list().filter(isOurs)
    var kept = protected
    for link in [CheckpointStore.latestName, CheckpointStore.bestName] {
      if let target = try target(of: link) { kept.append(target) }
    }
    var surplus = names.count - keep
    var removed: [String] = []
    for name in names where surplus > 0 && !kept.contains(name) {
      try remove(name)
      removed.append(name)
      surplus -= 1
    }
    if !removed.isEmpty { try syncDirectory() }
    return removed
  }
}

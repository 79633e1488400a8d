import Checkpoint
import Synchronization

/// Which files of the checkpoint directory belong to the run, so that rotation counts and removes no others.
///
/// What this job published is known; any other file is read once. One that cannot be read or verified is not ours to remove.
final class RunCheckpoints: Sendable {
  private struct Names {
    var ours: [String] = []
    var others: [String] = []
  }

  private let store: CheckpointStore
  private let names = Mutex(Names())

  init(store: CheckpointStore) { self.store = store }

  /// Takes in a file that this job published.
  func add(_ name: String) {
    names.withLock { names in
      names.others.removeAll { $0 == name }
      if !names.ours.contains(name) { names.ours.append(name) }
    }
  }

  /// Whether the file is a whole checkpoint of the run.
  func contains(_ name: String, runID: String) -> Bool {
    let known = names.withLock { $0.ours.contains(name) ? true : $0.others.contains(name) ? false : nil }
    if let known { return known }
    let isOurs = (try? store.load(name))?.contents.runID == runID
    names.withLock { names in
      if isOurs { names.ours.append(name) } else { names.others.append(name) }
    }
    return isOurs
  }
}

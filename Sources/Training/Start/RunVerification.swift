import Checkpoint
import FileStore
import RunConfig

/// What is whole in a run directory and what is not, and where a resume would begin. Reads only and takes no lock.
public struct RunVerification: Sendable {
  /// One file.
  public struct Item: Equatable, Sendable {
    /// Path relative to the directory.
    public let file: String
    /// What is wrong, nil if it is whole.
    public let problem: String?
    /// What it holds, in a few words; empty if it is not whole.
    public let content: String
  }

  /// Checkpoints in order of their steps, links, progress, identity, metrics.
  public private(set) var items: [Item] = []
  /// The checkpoint that a resume would take, relative to the directory; nil if there is none or if it would be refused.
  public private(set) var resumesFrom: String?
  /// Why a resume would pass over newer files, or would be refused.
  public private(set) var resumeNote: String?

  /// Whether every file that was found is whole.
  public var isWhole: Bool { items.allSatisfy { $0.problem == nil } }

  private let directory: RunDirectory
  private let files: any FileSystem
  private let store: CheckpointStore
  private let prefix: String

  /// Looks at a run directory.
  public init(run directory: RunDirectory, publisher: AtomicPublish) throws(TrainingError) {
    self.init(directory, checkpoints: directory.checkpoints, prefix: "checkpoints/", publisher)
    let choice = ResumeChoice(directory: directory, publisher: publisher)
    var progress: Progress?
    var progressItem: Item?
    do throws(TrainingError) {
      progress = try choice.progress()
      if let progress { progressItem = whole("training_progress.json", Self.summary(progress)) }
    } catch {
      progressItem = Item(file: "training_progress.json", problem: error.message, content: "")
    }
    let names = try verifyCheckpoints(progress)
    if let progressItem { items.append(progressItem) }
    verifyIdentity(progress)
    if let progress {
      do throws(TrainingError) {
        let (loaded, note) = try choice.checkpoint(of: progress)
        (resumesFrom, resumeNote) = (prefix + loaded.name, note)
        try verifyMetrics(loaded)
      } catch {
        resumeNote = error.message
      }
    } else if progressItem != nil {
      resumeNote = "the progress file is damaged; ppo-chunked repair makes it anew from the checkpoints"
    } else if !names.isEmpty {
      items.append(Item(file: "training_progress.json", problem: "is missing although there are checkpoints", content: ""))
      resumeNote = "the progress file is missing; ppo-chunked repair makes it anew from the checkpoints"
    }
  }

  /// Looks at a directory of checkpoints.
  public init(checkpoints directory: String, publisher: AtomicPublish) throws(TrainingError) {
    self.init(RunDirectory(root: directory), checkpoints: directory, prefix: "", publisher)
    _ = try verifyCheckpoints(nil)
  }

  private init(_ directory: RunDirectory, checkpoints: String, prefix: String, _ publisher: AtomicPublish) {
    self.directory = directory
    self.prefix = prefix
    files = publisher.files
    store = CheckpointStore(directory: checkpoints, publisher: publisher)
  }

  private func whole(_ file: String, _ content: String) -> Item { Item(file: file, problem: nil, content: content) }

  private static func summary(_ progress: Progress) -> String {
    "run \(progress.runID), \(progress.status.rawValue), \(progress.completedChunks) of \(progress.plan.chunkCount) chunks, step \(progress.latestStep)"
  }

  private mutating func verifyCheckpoints(_ progress: Progress?) throws(TrainingError) -> [String] {
    let names = try CheckpointFailure.wrap { () throws(CheckpointError) in try store.list() }
    var broken: [String] = []
    for name in names {
      do throws(CheckpointError) {
        let loaded = try store.load(name)
        items.append(checked(loaded, progress))
      } catch {
        broken.append(name)
        items.append(
          Item(
            file: prefix + name, problem: error.section.isEmpty ? error.reason : "section \(error.section): \(error.reason)", content: ""))
      }
    }
    for link in [CheckpointStore.latestName, CheckpointStore.bestName] {
      let target = try CheckpointFailure.wrap { () throws(CheckpointError) in try store.target(of: link) }
      guard let target else { continue }
      let problem =
        !names.contains(target)
        ? "points to \(target), which is not there" : broken.contains(target) ? "points to \(target), which is not whole" : nil
      items.append(Item(file: prefix + link, problem: problem, content: problem == nil ? "-> \(target)" : ""))
    }
    return names
  }

  /// A whole checkpoint against its name and what the progress file says of it.
  private func checked(_ loaded: LoadedCheckpoint, _ progress: Progress?) -> Item {
    let file = prefix + loaded.name
    let digest = loaded.stateDigest.hex
    var content = "step \(loaded.contents.step), state_sha256 \(digest)"
    if loaded.contents.step != CheckpointFile.step(inName: loaded.name) {
      return Item(file: file, problem: "holds step \(loaded.contents.step)", content: "")
    }
    guard let progress else { return whole(file, content) }
    if loaded.contents.runID != progress.runID {
      content += ", of another run (\(loaded.contents.runID))"
    } else if let recorded = Self.recorded(progress, "checkpoints/" + loaded.name), recorded != digest {
      return Item(file: file, problem: "has the state \(digest), the progress file recorded \(recorded)", content: "")
    }
    return whole(file, content)
  }

  /// The digest that the progress file has of a checkpoint.
  private static func recorded(_ progress: Progress, _ path: String) -> String? {
    progress.latestCheckpoint == path
      ? progress.latestStateSHA256 : progress.chunks.first { $0.checkpoint == path }?.stateSHA256
  }

  private mutating func verifyIdentity(_ progress: Progress?) {
    do throws(FileError) {
      let bytes = try files.read(directory.identity, limit: 1 << 20)
      do throws(JSONError) {
        let run = try JSONValue(parsing: bytes, name: "run.json").string("run_id", in: "run.json")
        let differs = progress.map { $0.runID != run } ?? false
        items.append(
          differs
            ? Item(file: "run.json", problem: "names run \(run), the progress file \(progress?.runID ?? "")", content: "")
            : whole("run.json", "run \(run)"))
      } catch {
        items.append(Item(file: "run.json", problem: error.description, content: ""))
      }
    } catch {
      items.append(Item(file: "run.json", problem: error.isNotFound ? "is missing" : error.description, content: ""))
    }
  }

  /// A resume cuts the metrics to what its checkpoint counts on, so they must hold that much, in whole lines.
  private mutating func verifyMetrics(_ loaded: LoadedCheckpoint) throws(TrainingError) {
    let offsets = try TorchReader(loaded.contents.tree, file: loaded.name).group("provenance").group("metrics_offsets")
    for name in offsets.names {
      let file = "metrics/\(name).jsonl"
      let offset = try offsets.int(name)
      do throws(FileError) {
        let size = try files.size(directory.root + "/" + file) ?? 0
        if size < offset {
          items.append(Item(file: file, problem: "has \(size) bytes, \(loaded.name) counts on \(offset)", content: ""))
          continue
        }
        let bytes = offset == 0 ? [] : try files.read(directory.root + "/" + file, limit: size)
        if offset > 0, bytes[offset - 1] != UInt8(ascii: "\n") {
          items.append(Item(file: file, problem: "has no end of a line at byte \(offset), where \(loaded.name) goes on", content: ""))
        } else {
          items.append(whole(file, "\(size) bytes, \(offset) of them before \(loaded.name)"))
        }
      } catch {
        items.append(Item(file: file, problem: error.description, content: ""))
      }
    }
  }
}

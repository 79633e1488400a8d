import Checkpoint
import FileStore
import RunConfig

/// Which checkpoint of a run directory a start goes on from. Reads and changes nothing, so that `verify` asks the same question.
struct ResumeChoice {
  let directory: RunDirectory
  let publisher: AtomicPublish

  private var store: CheckpointStore { CheckpointStore(directory: directory.checkpoints, publisher: publisher) }

  /// The progress file; nil if there is none.
  func progress() throws(TrainingError) -> Progress? {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try publisher.files.read(directory.progress, limit: Progress.bytesMax)
    } catch {
      if error.isNotFound { return nil }
      throw TrainingError(FileFailure.code(of: error), error.description)
    }
    do throws(JSONError) {
      return try Progress(parsing: bytes, file: directory.progress)
    } catch {
      throw TrainingError(.badData, "corrupt progress file, nothing was changed: \(error)")
    }
  }

  /// The newest whole checkpoint of the run from the recorded one on; an older one if the recorded one is damaged. The note names what
  /// was passed over, and what is taken instead.
  ///
  /// A file newer than the record is what a kill between publishing and recording leaves. Every checkpoint of a run is a point of the same
  /// computation, so the newest loses the least, and no later save can meet a file of its name written under other settings.
  func checkpoint(of progress: Progress) throws(TrainingError) -> (LoadedCheckpoint, note: String?) {
    var problems: [String] = []
    func chosen(_ loaded: LoadedCheckpoint) -> (LoadedCheckpoint, note: String?) {
      (loaded, problems.isEmpty ? nil : "[Fallback] \(problems.joined(separator: "; ")); resuming from \(loaded.name), which is whole")
    }
    let names = try CheckpointFailure.wrap { () throws(CheckpointError) in try store.list() }
    for name in names.reversed() where (CheckpointFile.step(inName: name) ?? 0) > progress.latestStep {
      do throws(CheckpointError) {
        let loaded = try store.load(name)
        if loaded.contents.runID == progress.runID { return chosen(loaded) }
      } catch {
        // A damaged file is what a power cut may leave and will be made again; one that cannot be read may be whole.
        if let file = error.fileError { throw TrainingError(FileFailure.code(of: file), error.description) }
        problems.append(error.description)
      }
    }
    if let path = progress.latestCheckpoint {
      do throws(CheckpointError) {
        let loaded = try store.load(PathName.name(of: path))
        if loaded.contents.runID == progress.runID, loaded.stateDigest.hex == progress.latestStateSHA256 { return chosen(loaded) }
        problems.append("\(path) is not the recorded state of run \(progress.runID)")
      } catch {
        problems.append(error.description)
      }
    } else {
      problems.append("\(directory.progress) names no checkpoint")
    }
    let search = try CheckpointFailure.wrap { () throws(CheckpointError) in try store.newestValid(runID: progress.runID) }
    guard let found = search.found else {
      throw TrainingError(
        .badData,
        "no valid checkpoint of run \(progress.runID) in \(directory.checkpoints), nothing was changed: \(problems.joined(separator: "; "))"
      )
    }
    return chosen(found)
  }
}

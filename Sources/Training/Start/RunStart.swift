import Checkpoint
import FileStore
import Hashing
import Neural
import RunConfig

/// What rank 0 found and decided before training begins.
struct RunStart {
  /// The verified checkpoint to begin from, nil for step 0.
  var checkpoint: LoadedCheckpoint?
  var progress: Progress
  var planTotalAtStart: Int
  var offsets = MetricsFiles.Offsets()
  /// The boundary of a resume, nil for a fresh start.
  var recorded: RunRecord.Recorded?
  /// What a run that begins comes from; nil for a resume.
  var origin: RunOrigin?
  /// The file that a run that begins takes its first values from.
  var source: StartSource?
  /// First line of the log: what was decided and from what.
  var announcement: String
  /// Whether what the directory holds has to be moved aside first.
  var movesAside = false
  /// Checkpoints that are newer than the one to go on from and have to make room.
  var rewind: Rewind?

  /// Checkpoints to move out of a run's way.
  struct Rewind {
    var names: [String]
    var target: String
  }

  /// A run that ended before its first checkpoint is tried again: its failures count on.
  mutating func carryFruitlessStarts(of earlier: Progress) {
    (progress.fruitlessStarts, progress.errorMessage) = (earlier.fruitlessStarts, earlier.errorMessage)
  }
}

/// A file that a run begins from, as bytes, so that every rank gets the same.
struct StartSource: Equatable {
  /// Path as it was given.
  var path: String
  /// A checkpoint whose learner is taken over as a whole, or a model whose tensors are.
  var isFork: Bool
  /// The file.
  var bytes: [UInt8]
}

import FileStore
import Telemetry

/// The files under `metrics/` with the offsets that checkpoints name.
struct MetricsFiles {
  /// Names and bytes of the three files, as a checkpoint's provenance keeps them.
  struct Offsets: Equatable {
    var rollouts = 0
    var updates = 0
    var episodes = 0
  }

  private var rollouts: JSONLinesFile
  private var updates: JSONLinesFile
  private var episodes: JSONLinesFile

  /// Opens the files and cuts off what an attempt wrote after the checkpoint that `offsets` come from.
  init(directory: RunDirectory, offsets: Offsets, files: any FileSystem) throws(FileError) {
    rollouts = try JSONLinesFile(path: directory.metrics + "/rollouts.jsonl", offset: offsets.rollouts, files: files)
    updates = try JSONLinesFile(path: directory.metrics + "/updates.jsonl", offset: offsets.updates, files: files)
    episodes = try JSONLinesFile(path: directory.metrics + "/episodes.jsonl", offset: offsets.episodes, files: files)
    // A checkpoint will count on these names after a power cut.
    try files.syncDirectory(directory.metrics)
  }

  /// Adds the records of one iteration.
  mutating func append(_ report: IterationReport) {
    rollouts.append(report.rollout)
    if let update = report.update { updates.append(update) }
    for episode in report.episodes { episodes.append(episode) }
  }

  /// Makes everything durable; the offsets are then safe to name.
  mutating func flush() throws(FileError) -> Offsets {
    try rollouts.flush()
    try updates.flush()
    try episodes.flush()
    return Offsets(rollouts: rollouts.offset, updates: updates.offset, episodes: episodes.offset)
  }
}

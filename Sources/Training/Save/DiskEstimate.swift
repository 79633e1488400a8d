import Checkpoint
import FileStore

/// What a run will need on the disk, estimated at its start.
struct DiskEstimate: Equatable, Sendable {
  /// Size of the largest checkpoint: the state, and the actions and digests of a whole chunk.
  let checkpointBytes: Int
  /// Checkpoints still to come that are there at the same time: those that rotation keeps and the one being written.
  let copies: Int
  /// Metrics of the iterations still to come.
  let metricsBytes: Int
  /// What the file system has left; quotas do not show in it.
  let availableBytes: Int

  /// Metrics of one iteration; measured on the default configuration, episodes included.
  static let metricsBytesPerIteration = 2200
  /// What a checkpoint holds besides state and log grows a little: recent returns, provenance, heads of records.
  private static let overheadBytes = 16_384

  /// - Parameters:
  ///   - contents: a checkpoint of the run without a chunk's log.
  ///   - present: checkpoints that are there already.
  init(
    contents: CheckpointContents, plan: ChunkPlan, step: Int, settings: TrainingSettings, actionCount: Int, keep: Int, present: Int,
    availableBytes: Int
  ) throws(CheckpointError) {
    let state = try CheckpointFile.encode(contents).bytes.count
    func iterations(_ chunk: Int) -> Int {
      IterationPlan(
        plan: plan, chunk: chunk, rolloutLength: settings.rolloutLength,
        stabilisationDecisions: chunk == 1 ? settings.stabilisationDecisions : 0
      ).count
    }
    var largestLog = 0
    var iterationsLeft = 0
    for chunk in 1...max(plan.chunkCount, 1) where chunk <= plan.chunkCount {
      let count = iterations(chunk)
      let log = plan.chunkDecisions[chunk - 1] * (actionCount <= 256 ? 1 : 2) + count * plan.environmentCount * 32
      largestLog = max(largestLog, log)
      if plan.lastStep(ofChunk: chunk) > step { iterationsLeft += count }
    }
    checkpointBytes = state + largestLog + Self.overheadBytes
    copies = max(1, keep + 1 - present)
    metricsBytes = iterationsLeft * Self.metricsBytesPerIteration
    self.availableBytes = availableBytes
  }

  /// Bytes to come.
  var neededBytes: Int { copies * checkpointBytes + metricsBytes }
  /// Without room for so much a job does not begin.
  var requiredBytes: Int { min(copies, 2) * checkpointBytes }

  /// One line for people.
  var line: String {
    "[Disk] checkpoint=\(Self.text(checkpointBytes)) times=\(copies) metrics=\(Self.text(metricsBytes)) needed=\(Self.text(neededBytes)) "
      + "available=\(Self.text(availableBytes))"
  }

  /// Refuses a disk that cannot hold the first saves.
  func check(_ path: String) throws(TrainingError) {
    guard availableBytes >= requiredBytes else {
      throw TrainingError(
        .inputOutput,
        "\(path): \(availableBytes) bytes available, \(requiredBytes) needed for \(min(copies, 2)) checkpoints of \(checkpointBytes) bytes; "
          + "nothing was begun")
    }
  }

  /// With three digits or more, in steps of 1000.
  static func text(_ bytes: Int) -> String {
    for (unit, size) in [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)] where bytes >= size {
      let tenths = (bytes / (size / 10))
      return "\(tenths / 10).\(tenths % 10)\(unit)"
    }
    return "\(bytes)B"
  }
}

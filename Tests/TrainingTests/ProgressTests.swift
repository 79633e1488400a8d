import RunConfig
import Testing

@testable import Training

@Suite("Progress file")
struct ProgressTests {
  private func progress(chunks: [Int], size: Int = 10) -> Progress {
    Progress(
      runID: "r", plan: ChunkPlan(chunkDecisions: chunks, environmentCount: 2), chunkSize: size, fencing: 1, now: "2000-01-01T00:00:00Z")
  }

  private func record(_ chunk: Int, _ status: ChunkRecord.Status, in progress: Progress) -> ChunkRecord {
    var record = ChunkRecord(
      chunk: chunk, attempt: 1, plan: progress.plan, seconds: 5, started: "2000-01-01T00:00:00Z", host: "h", job: nil, worldSize: 1)
    record.status = status
    return record
  }

  @Test("reporting a chunk twice changes no total")
  func idempotent() {
    var value = progress(chunks: [10, 10, 5])
    value.set(record(1, .completed, in: value))
    let once = value
    value.set(record(1, .completed, in: value))
    #expect(value == once)
    #expect(value.completedChunks == 1 && value.requestsDone == 10 && value.nextChunk == 2)
  }

  @Test("with chunks 1 and 3 complete the next is 2")
  func gap() {
    var value = progress(chunks: [10, 10, 5])
    value.set(record(3, .completed, in: value))
    value.set(record(1, .completed, in: value))
    #expect(value.nextChunk == 2)
    value.set(record(2, .completed, in: value))
    #expect(value.nextChunk == nil)
  }

  @Test("what is written reads back equal, every field filled")
  func roundTrip() throws {
    var value = progress(chunks: [10, 10, 5])
    var first = record(1, .completed, in: value)
    (first.checkpoint, first.stateSHA256, first.ended, first.job, first.exitCode) = ("checkpoints/a.pt", "00ff", "2000", "slurm 7", 0)
    value.set(first)
    value.set(record(2, .running, in: value))
    value.changes = [ConfigurationChange(key: "ppo.learning_rate", step: 10, old: .number(0.1), new: .number(0.2))]
    (value.latestCheckpoint, value.latestStep, value.latestStateSHA256) = ("checkpoints/a.pt", 10, "00ff")
    (value.status, value.stopReason, value.errorMessage, value.endTime) = (.stopped, "signal 10", "e", "2001")
    #expect(try Progress(parsing: value.fileBytes, file: "f") == value)
  }

  @Test("every truncation of the file is refused or reads as the whole")
  func truncated() throws {
    let bytes = progress(chunks: [10]).fileBytes
    for count in 0..<(bytes.count - 1) {
      #expect(throws: JSONError.self) { try Progress(parsing: Array(bytes[..<count]), file: "f") }
    }
  }

  @Test("remaining time comes from completed chunks only")
  func remaining() {
    var value = progress(chunks: [10, 10, 10])
    #expect(value.remainingSeconds == nil)
    value.set(record(1, .completed, in: value))
    value.latestStep = 10
    #expect(value.remainingSeconds == 10)
  }
}

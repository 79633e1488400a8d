import RunConfig

/// One chunk in the progress file.
public struct ChunkRecord: Equatable, Sendable {
  /// What became of a chunk.
  public enum Status: String, Sendable {
    case running
    case completed
    case interrupted
    case failed
  }

  /// 1-based number; a chunk has one record, replaced in place.
  public var chunk: Int
  /// What became of it.
  public var status: Status
  /// How often it was started.
  public var attempt: Int
  /// Its decisions.
  public var requests: Int
  /// Step at which it begins.
  public var firstStep: Int
  /// Step at which it is complete.
  public var lastStep: Int
  /// Its chunk-end checkpoint, relative to the run directory.
  public var checkpoint: String?
  /// `state_sha256` of that checkpoint.
  public var stateSHA256: String?
  /// ISO-8601 UTC.
  public var started: String
  /// ISO-8601 UTC.
  public var ended: String?
  /// Seconds spent in it over all attempts, without the time between jobs.
  public var seconds: Double
  /// Host of the last attempt's rank 0.
  public var host: String
  /// Batch job of the last attempt, if there is one.
  public var job: String?
  /// Ranks of the last attempt.
  public var worldSize: Int
  /// Log of the last attempt, relative to the run directory.
  public var log: String
  /// What the last attempt exited with; nil while it runs, or when it was killed.
  public var exitCode: Int?

  /// The record as it stands in the file.
  var json: JSONValue {
    [
      "chunk_id": .integer(chunk), "status": .string(status.rawValue), "attempt": .integer(attempt), "requests": .integer(requests),
      "first_step": .integer(firstStep), "last_step": .integer(lastStep), "checkpoint": JSONValue(optional: checkpoint),
      "sha256": JSONValue(optional: stateSHA256), "started": .string(started), "ended": JSONValue(optional: ended),
      "seconds": .number(seconds), "host": .string(host), "job": JSONValue(optional: job), "world_size": .integer(worldSize),
      "log_file": .string(log), "exit_code": exitCode.map { .integer($0) } ?? .null,
    ]
  }

  /// Reads a record back.
  init(json: JSONValue, file: String) throws(JSONError) {
    chunk = try json.integer("chunk_id", in: file)
    let word = try json.string("status", in: file)
    guard let known = Status(rawValue: word) else {
      throw JSONError(name: file, message: "\"status\" is \"\(word)\", expected running, completed, interrupted or failed")
    }
    status = known
    attempt = try json.integer("attempt", in: file)
    requests = try json.integer("requests", in: file)
    firstStep = try json.integer("first_step", in: file)
    lastStep = try json.integer("last_step", in: file)
    checkpoint = json["checkpoint"]?.stringValue
    stateSHA256 = json["sha256"]?.stringValue
    started = try json.string("started", in: file)
    ended = json["ended"]?.stringValue
    seconds = try json.double("seconds", in: file)
    host = try json.string("host", in: file)
    job = json["job"]?.stringValue
    worldSize = try json.integer("world_size", in: file)
    log = try json.string("log_file", in: file)
    exitCode = json["exit_code"]?.intValue
  }

  /// A chunk that begins.
  init(chunk: Int, attempt: Int, plan: ChunkPlan, seconds: Double, started: String, host: String, job: String?, worldSize: Int) {
    self.chunk = chunk
    self.status = .running
    self.attempt = attempt
    self.requests = plan.chunkDecisions[chunk - 1]
    self.firstStep = plan.firstStep(ofChunk: chunk)
    self.lastStep = plan.lastStep(ofChunk: chunk)
    self.started = started
    self.seconds = seconds
    self.host = host
    self.job = job
    self.worldSize = worldSize
    self.log = RunDirectory.chunkLog(chunk: chunk, attempt: attempt)
  }
}

extension JSONValue {
  /// A string, or null.
  init(optional text: String?) { self = text.map { .string($0) } ?? .null }
}

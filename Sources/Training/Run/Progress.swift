import Hashing
import RunConfig

/// The content of `training_progress.json`: the plan, a set of chunk records and the newest durable checkpoint.
///
/// Totals are derived from the records, so reporting a chunk twice changes nothing. Invariants: at most one record a chunk, in chunk order;
/// the plan only grows.
public struct Progress: Equatable, Sendable {
  /// What the run as a whole is doing.
  public enum Status: String, Sendable {
    case running
    case stopped
    case failed
    case completed
  }

  /// Identity of the run, made once at the fresh start.
  public var runID: String
  /// What the run is doing, or how the last job ended.
  public var status: Status
  /// The division into chunks.
  public var plan: ChunkPlan
  /// Size of the chunks that an extension appends.
  public var chunkSize: Int
  /// Jobs that have worked on this run.
  public var attempts: Int
  /// Newest durable checkpoint, relative to the run directory.
  public var latestCheckpoint: String?
  /// Step of that checkpoint.
  public var latestStep: Int
  /// `state_sha256` of that checkpoint.
  public var latestStateSHA256: String?
  /// Fencing number of the lock under which the file was written.
  public var fencing: Int
  /// ISO-8601 UTC of the fresh start.
  public var startTime: String
  /// ISO-8601 UTC of the last write.
  public var lastUpdate: String
  /// ISO-8601 UTC of completion.
  public var endTime: String?
  /// Why the last job stopped before the end, nil if it did not.
  public var stopReason: String?
  /// The last failure, in one line.
  public var errorMessage: String?
  /// Failed starts since the newest durable step last advanced.
  public var fruitlessStarts = 0
  /// Keys that a start changed: (step, key, old, new).
  public var changes: [ConfigurationChange]
  /// One per started chunk, in order.
  public private(set) var chunks: [ChunkRecord]

  /// The progress of a run that begins.
  init(runID: String, plan: ChunkPlan, chunkSize: Int, fencing: Int, now: String) {
    self.runID = runID
    self.status = .running
    self.plan = plan
    self.chunkSize = chunkSize
    self.attempts = 0
    self.latestStep = 0
    self.fencing = fencing
    self.startTime = now
    self.lastUpdate = now
    self.changes = []
    self.chunks = []
  }

  /// Chunks whose end is durable.
  public var completedChunks: Int { chunks.count { $0.status == .completed } }
  /// Decisions of those chunks.
  public var requestsDone: Int { chunks.filter { $0.status == .completed }.reduce(0) { $0 + $1.requests } }
  /// Smallest chunk that is not completed; nil when all are.
  public var nextChunk: Int? {
    (1...max(plan.chunkCount, 1)).first { number in number <= plan.chunkCount && record(number)?.status != .completed }
  }

  /// The record of `chunk`.
  public func record(_ chunk: Int) -> ChunkRecord? { chunks.first { $0.chunk == chunk } }

  /// Puts `record` in place of the chunk's old one.
  mutating func set(_ record: ChunkRecord) {
    if let index = chunks.firstIndex(where: { $0.chunk == record.chunk }) {
      chunks[index] = record
    } else {
      chunks.append(record)
      chunks.sort { $0.chunk < $1.chunk }
    }
  }

  /// Makes the records say what the checkpoint that a job begins from says: its chunks are complete and no later one is.
  mutating func agree(with state: GlobalState, checkpoint: String, stateSHA256: String, now: String) {
    let complete = state.chunkComplete ? state.chunk : state.chunk - 1
    for index in chunks.indices where chunks[index].chunk > complete && chunks[index].status == .completed {
      chunks[index].status = .interrupted
      (chunks[index].checkpoint, chunks[index].stateSHA256) = (nil, nil)
    }
    for index in chunks.indices where chunks[index].chunk <= complete && chunks[index].status != .completed {
      chunks[index].status = .completed
      chunks[index].exitCode = 0
      chunks[index].ended = chunks[index].ended ?? now
      if chunks[index].chunk == state.chunk { (chunks[index].checkpoint, chunks[index].stateSHA256) = (checkpoint, stateSHA256) }
    }
    (latestCheckpoint, latestStep, latestStateSHA256) = (checkpoint, state.step, stateSHA256)
  }

  /// Seconds that the chunks still to do will take, from the median of the last five completed ones; nil before the first.
  public var remainingSeconds: Double? {
    let rates = chunks.filter { $0.status == .completed && $0.requests > 0 }.suffix(5).map { $0.seconds / Double($0.requests) }.sorted()
    guard !rates.isEmpty else { return nil }
    return rates[rates.count / 2] * Double(plan.total - latestStep)
  }

  /// Largest file that is read.
  static let bytesMax = 64 << 20

  /// Version of the file.
  static let formatVersion = 2

  /// The whole file: the JSON text, whose last member is the SHA-256 of all bytes before the comma and line break in front of it.
  var fileBytes: [UInt8] {
    let body = [UInt8](json.text().utf8.dropLast(2))
    return body + Self.seal(of: body)
  }

  /// The end of a file that begins with `body`.
  private static func seal(of body: [UInt8]) -> [UInt8] { [UInt8](",\n  \"sha256\": \"\(SHA256.hash(body).hex)\"\n}\n".utf8) }

  /// Whether every byte is as it was written.
  private static func isSealed(_ bytes: [UInt8]) -> Bool {
    let count = bytes.count - seal(of: []).count
    return count > 0 && Array(bytes[count...]) == seal(of: Array(bytes[..<count]))
  }

  /// The content without the checksum.
  public var json: JSONValue {
    [
      "format_version": .integer(Self.formatVersion), "run_id": .string(runID), "status": .string(status.rawValue),
      "total_requests": .integer(plan.total),
      "chunk_size": .integer(chunkSize), "num_envs": .integer(plan.environmentCount), "total_chunks": .integer(plan.chunkCount),
      "completed_chunks": .integer(completedChunks), "requests_done": .integer(requestsDone),
      "plan": .array(plan.chunkDecisions.map { .integer($0) }), "attempts": .integer(attempts),
      "latest_checkpoint": JSONValue(optional: latestCheckpoint), "latest_step": .integer(latestStep),
      "latest_sha256": JSONValue(optional: latestStateSHA256), "fencing": .integer(fencing), "start_time": .string(startTime),
      "last_update": .string(lastUpdate), "end_time": JSONValue(optional: endTime), "stop_reason": JSONValue(optional: stopReason),
      "error_message": JSONValue(optional: errorMessage), "fruitless_starts": .integer(fruitlessStarts),
      "changes": .array(changes.map(\.json)),
      "chunks": .array(chunks.map(\.json)),
    ]
  }

  /// Reads the file back.
  ///
  /// - Throws: `JSONError` naming `file`, line or key, and what was expected.
  public init(parsing bytes: [UInt8], file: String) throws(JSONError) {
    let json = try JSONValue(parsing: bytes, name: file)
    let version = try json.integer("format_version", in: file)
    switch version {
    case 1 where json["sha256"] == nil: break
    case Self.formatVersion where Self.isSealed(bytes): break
    case 1, Self.formatVersion:
      throw JSONError(
        name: file,
        message: "\"sha256\" is not that of the bytes before it: the file was damaged or edited (ppo-chunked repair makes it anew)")
    default: throw JSONError(name: file, message: "\"format_version\" is \(version), this program reads 1 and \(Self.formatVersion)")
    }
    runID = try json.string("run_id", in: file)
    let word = try json.string("status", in: file)
    guard let known = Status(rawValue: word) else {
      throw JSONError(name: file, message: "\"status\" is \"\(word)\", expected running, stopped, failed or completed")
    }
    status = known
    var decisions: [Int] = []
    for element in try json.array("plan", in: file) {
      guard let count = element.intValue, count > 0 else {
        throw JSONError(name: file, message: "\"plan\" holds \(element.compactText()), expected integers above 0")
      }
      decisions.append(count)
    }
    plan = ChunkPlan(chunkDecisions: decisions, environmentCount: max(1, try json.integer("num_envs", in: file)))
    chunkSize = try json.integer("chunk_size", in: file)
    attempts = try json.integer("attempts", in: file)
    latestCheckpoint = json["latest_checkpoint"]?.stringValue
    latestStep = try json.integer("latest_step", in: file)
    latestStateSHA256 = json["latest_sha256"]?.stringValue
    fencing = try json.integer("fencing", in: file)
    startTime = try json.string("start_time", in: file)
    lastUpdate = try json.string("last_update", in: file)
    endTime = json["end_time"]?.stringValue
    stopReason = json["stop_reason"]?.stringValue
    errorMessage = json["error_message"]?.stringValue
    fruitlessStarts = json["fruitless_starts"]?.intValue ?? 0
    changes = []
    for element in try json.array("changes", in: file) { changes.append(try ConfigurationChange(json: element, file: file)) }
    chunks = []
    for element in try json.array("chunks", in: file) { set(try ChunkRecord(json: element, file: file)) }
  }
}

/// A key that was changed at a start of a run that had begun with another value.
public struct ConfigurationChange: Equatable, Sendable {
  /// Step from which the new value holds.
  public var step: Int
  /// Dotted path of the key.
  public var key: String
  /// Value before.
  public var old: JSONValue
  /// Value from then on.
  public var new: JSONValue

  var json: JSONValue { ["step": .integer(step), "key": .string(key), "old": old, "new": new] }

  init(key: String, step: Int, old: JSONValue, new: JSONValue) {
    self.key = key
    self.step = step
    self.old = old
    self.new = new
  }

  init(step: Int, difference: ConfigurationDifference) {
    self.init(key: difference.path, step: step, old: difference.recorded ?? .null, new: difference.present ?? .null)
  }

  init(json: JSONValue, file: String) throws(JSONError) {
    step = try json.integer("step", in: file)
    key = try json.string("key", in: file)
    old = try json.member("old", in: file)
    new = try json.member("new", in: file)
  }
}

/// What `run.lock` says. Written as a flat JSON object, one key a line, of constant length for one owner.
public struct LockRecord: Equatable, Sendable {
  /// Who holds or held the lock.
  public let owner: ProcessIdentity
  /// Batch job of the owner; may be empty.
  public let jobID: String
  /// When the owner took the lock, in its own words (ISO 8601).
  public let since: String
  /// Grows with every owner of the run directory.
  public let fencing: UInt64
  /// False after a proper release: the next one may take the lock at once.
  public var isHeld: Bool
  /// Advances while the owner lives.
  public var heartbeat: UInt64

  /// Tells this ownership from every other one.
  public var token: String { "\(owner.host)-\(owner.bootID)-\(owner.pid)-\(owner.startTicks)-\(fencing)" }

  /// All parts; texts are kept as safe ASCII.
  public init(owner: ProcessIdentity, jobID: String, since: String, fencing: UInt64, isHeld: Bool = true, heartbeat: UInt64 = 0) {
    self.owner = owner
    self.jobID = PathName.sanitized(jobID, limit: 128)
    self.since = LockRecord.timeText(since)
    self.fencing = fencing
    self.isHeld = isHeld
    self.heartbeat = heartbeat
  }

  /// The file's bytes.
  public var bytes: [UInt8] {
    let beat = String(heartbeat)
    let padded = String(repeating: "0", count: 20 - beat.count) + beat
    return Array(
      """
      {
        "format": "run-lock-1",
        "host": "\(owner.host)",
        "boot_id": "\(owner.bootID)",
        "pid_namespace": "\(owner.pidNamespace)",
        "pid": "\(owner.pid)",
        "process_start": "\(owner.startTicks)",
        "job_id": "\(jobID)",
        "since": "\(since)",
        "fencing": "\(fencing)",
        "token": "\(token)",
        "state": "\(isHeld ? "held" : "free")",
        "heartbeat": "\(padded)"
      }

      """.utf8)
  }

  /// Reads a lock file; nil if it is not one or not whole.
  public init?(bytes: [UInt8]) {
    var fields: [(key: String, value: String)] = []
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    guard lines.count == 14, lines.first == [UInt8(ascii: "{")], lines.last == [UInt8(ascii: "}")] else { return nil }
    for line in lines.dropFirst().dropLast() {
      let parts = line.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
      guard parts.count == 5 else { return nil }
      fields.append((String(decoding: parts[1], as: UTF8.self), String(decoding: parts[3], as: UTF8.self)))
    }
    func value(_ key: String) -> String { fields.first { $0.key == key }?.value ?? "" }
    guard value("format") == "run-lock-1", let pid = Int32(value("pid")), let start = UInt64(value("process_start")),
      let fencing = UInt64(value("fencing")), let heartbeat = UInt64(value("heartbeat")), ["held", "free"].contains(value("state"))
    else { return nil }
    self.init(
      owner: ProcessIdentity(
        host: value("host"), bootID: value("boot_id"), pidNamespace: value("pid_namespace"), pid: pid, startTicks: start),
      jobID: value("job_id"), since: value("since"), fencing: fencing, isHeld: value("state") == "held", heartbeat: heartbeat)
    guard value("token") == token else { return nil }
  }

  /// Letters, digits and `-:.+` only; anything else would need escapes.
  private static func timeText(_ text: String) -> String {
    String(text.unicodeScalars.prefix(40).map { "-:.+".unicodeScalars.contains($0) || isPlain($0) ? Character($0) : "_" })
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
  }
}

extension LockRecord: CustomStringConvertible {
  /// One line for messages.
  public var description: String {
    "pid \(owner.pid) on host \(owner.host)" + (jobID.isEmpty ? "" : ", job \(jobID)") + ", since \(since), fencing number \(fencing)"
  }
}

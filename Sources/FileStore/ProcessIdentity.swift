import Glibc

/// Which process on which machine, precisely enough to tell a live owner from a process that got its number later.
public struct ProcessIdentity: Equatable, Sendable {
  /// Host name.
  public let host: String
  /// Changes at each boot of the machine; empty if unknown.
  public let bootID: String
  /// Process ids mean something only inside one of these (containers); empty if unknown.
  public let pidNamespace: String
  /// Process id.
  public let pid: Int32
  /// Start of the process in clock ticks since boot; 0 if unknown.
  public let startTicks: UInt64

  /// All parts; they are kept as safe ASCII.
  public init(host: String, bootID: String, pidNamespace: String, pid: Int32, startTicks: UInt64) {
    self.host = PathName.sanitized(host, limit: 255)
    self.bootID = PathName.sanitized(bootID)
    self.pidNamespace = PathName.sanitized(pidNamespace)
    self.pid = pid
    self.startTicks = startTicks
  }

  /// Whether process ids of the two can be compared: same host, boot and process id namespace, all known.
  public func sharesProcessTable(with other: ProcessIdentity) -> Bool {
    host == other.host && bootID == other.bootID && pidNamespace == other.pidNamespace && !bootID.isEmpty
  }

  /// The calling process, as far as `/proc` tells.
  public static func current() -> ProcessIdentity {
    let files = POSIXFileSystem()
    var name = [CChar](repeating: 0, count: 256)
    let host =
      gethostname(&name, name.count - 1) == 0 ? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : ""
    let boot = (try? files.read("/proc/sys/kernel/random/boot_id", limit: 256)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let pid = getpid()
    return ProcessIdentity(
      host: host.isEmpty ? "unknown" : host, bootID: String(boot.prefix { !$0.isWhitespace }),
      pidNamespace: (try? files.readLink("/proc/self/ns/pid")) ?? "", pid: pid, startTicks: startTicks(of: pid) ?? 0)
  }

  /// Start time of a live process of this machine; nil if there is none with this id or it has ended and only waits for its parent.
  public static func startTicks(of pid: Int32) -> UInt64? {
    guard let bytes = try? POSIXFileSystem().read("/proc/\(pid)/stat", limit: 4096) else { return nil }
    return startTicks(inStat: bytes)
  }

  /// Field 22 of a `/proc/<pid>/stat` line; the name in field 2 may hold spaces and parentheses, so counting starts after the last ")".
  static func startTicks(inStat bytes: [UInt8]) -> UInt64? {
    guard let close = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count >= 20, let state = fields[0].first, state != UInt8(ascii: "Z"), state != UInt8(ascii: "X") else { return nil }
    return UInt64(String(decoding: fields[19], as: UTF8.self))
  }
}

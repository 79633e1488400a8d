import FileStore
import Foundation
import Hashing
import MPIRanks
import RunConfig
import Training

/// What a rank knows about itself and the place it runs at: the first thing that ranks tell each other.
///
/// It travels as JSON text, so that two versions of the program understand each other well enough to say that they differ.
struct RankFacts: Equatable {
  var host = ""
  /// Version of the program.
  var version = ""
  /// SHA-256 of the program file, the identity of a build.
  var build = ""
  /// The arguments as given.
  var arguments: [String] = []
  var user = 0
  /// Processors this rank may run on.
  var allowedCPUs: [Int] = []
  /// Processors of the host.
  var onlineCPUs = 1
  /// MiB that the host has left.
  var availableMiB = 0
  /// Free MiB for shared memory.
  var sharedMiB = 0
  /// Seconds since 1970.
  var time = 0.0
  /// Whether the environment makes idle ranks give their processor away.
  var yields = false

  /// Of this process.
  static func own() -> RankFacts {
    var facts = RankFacts()
    facts.host = ProcessIdentity.current().host
    facts.version = ProgramVersion.text
    facts.build = ProgramVersion.build
    facts.arguments = Array(CommandLine.arguments.dropFirst())
    facts.user = Int(geteuid())
    facts.allowedCPUs = numbers(inList: field("Cpus_allowed_list:", of: "/proc/self/status"))
    facts.onlineCPUs = max(numbers(inList: text("/sys/devices/system/cpu/online")).count, facts.allowedCPUs.count, 1)
    facts.availableMiB = (Int(field("MemAvailable:", of: "/proc/meminfo").prefix { $0.isNumber }) ?? 0) >> 10
    facts.sharedMiB = DirectoryFacts.freeMiB("/dev/shm") ?? 0
    facts.time = Date().timeIntervalSince1970
    facts.yields = ProcessInfo.processInfo.environment["OMPI_MCA_mpi_yield_when_idle"] == "1"
    return facts
  }

  /// The message form.
  var json: JSONValue {
    [
      "host": .string(host), "version": .string(version), "build": .string(build), "arguments": .array(arguments.map { .string($0) }),
      "user": .integer(user), "allowed_cpus": .array(allowedCPUs.map { .integer($0) }), "online_cpus": .integer(onlineCPUs),
      "available_mib": .integer(availableMiB), "shared_mib": .integer(sharedMiB), "time": .number(time), "yields": .boolean(yields),
    ]
  }

  init() {}

  /// Reads a message; what another version left out keeps its default.
  init(message: [UInt8]) throws(JSONError) {
    let json = try JSONValue(parsing: message, name: "facts of a rank")
    host = json["host"]?.stringValue ?? ""
    version = json["version"]?.stringValue ?? ""
    build = json["build"]?.stringValue ?? ""
    arguments = (json["arguments"]?.arrayValue ?? []).compactMap(\.stringValue)
    user = json["user"]?.intValue ?? 0
    allowedCPUs = (json["allowed_cpus"]?.arrayValue ?? []).compactMap(\.intValue)
    onlineCPUs = json["online_cpus"]?.intValue ?? 1
    availableMiB = json["available_mib"]?.intValue ?? 0
    sharedMiB = json["shared_mib"]?.intValue ?? 0
    time = json["time"]?.doubleValue ?? 0
    yields = json["yields"]?.boolValue ?? false
  }

  // MARK: Reading the system

  /// The numbers of a list as the kernel writes it: `0-3,8,10-11`.
  static func numbers(inList list: String) -> [Int] {
    list.split(whereSeparator: { $0 == "," || $0.isWhitespace }).flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, first <= last, last < 1 << 16 else { return [] }
      return Array(first...last)
    }
  }

  private static func text(_ path: String) -> String {
    (try? POSIXFileSystem().read(path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// What follows `name` in a file of lines.
  private static func field(_ name: String, of path: String) -> String {
    let line = text(path).split(separator: "\n").first { $0.hasPrefix(name) }
    return line.map { $0.dropFirst(name.count).trimmingCharacters(in: .whitespaces) } ?? ""
  }
}

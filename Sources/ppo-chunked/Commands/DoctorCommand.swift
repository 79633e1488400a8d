import ArgumentParser
import ExactMath
import FileStore
import Foundation
import MPIRanks
import Ranks
import RunConfig
import Training

/// Checks whether this installation and place are fit for a job, and says what to do.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Checks MPI, ranks, cores, memory, the output directory and the clock, and says what to do.",
    discussion: """
      Alone it looks at this machine; started like a job it also looks at how the ranks are placed and whether they reach each other:

        mpirun -n 8 ppo-chunked doctor --output-dir runs/a

      Exit codes: 0 fit (perhaps with warnings), 69 ranks, 73 output directory, 78 ranks run different programs.
      """)

  @Option(help: "Directory that a run would use; nothing stays there.")
  var outputDir = "outputs/default"

  func run() throws {
    let findings: [Finding]
    if Launcher.isPresent {
      let session: MPISession
      do {
        session = try MPISession()
      } catch {
        throw TrainingError(.ranksFailed, "MPI_Init: \(error)")
      }
      do {
        findings = try examine(session.communicator)
        try session.finalize()
      } catch let error as RanksError {
        throw TrainingError(.ranksFailed, "\(error)")
      }
    } else {
      findings = try examine(SingleRank()) + [Self.launcher]
    }
    guard Launcher.rank == 0 else { Foundation.exit(0) }
    for finding in findings { Console.write(finding.line) }
    let failure = findings.first { $0.level == .fail }
    let warnings = findings.count { $0.level == .warn }
    Console.write(failure == nil ? "fit for a job" + (warnings > 0 ? ", \(warnings) warnings" : "") : "not fit for a job")
    Foundation.exit(failure?.code.rawValue ?? 0)
  }

  /// Everything that this rank can find out; only rank 0's findings are whole.
  private func examine<C: Communicator>(_ communicator: C) throws -> [Finding] {
    guard let world = try World.meet(communicator) else {
      try timeMessages(communicator)
      return []
    }
    let message = try timeMessages(communicator)
    return [Self.program, Self.library, Self.batch, Self.signals] + ranks(world, message) + [Self.memory(world), Self.clock(world)]
      + [directory()]
  }

  // MARK: Program and surroundings

  private static var program: Finding {
    let kernels = KernelSelection.usesAVX2 ? "AVX2/FMA" : "portable"
    let text = "version \(ProgramVersion.text), build \(ProgramVersion.build.prefix(16)), \(kernels) kernels"
    return KernelSelection.usesAVX2
      ? Finding(.ok, "program", text) : Finding(.warn, "program", text, "an x86-64-v3 processor runs the same bits several times faster")
  }

  private static var library: Finding { Finding(.ok, "mpi", MPILibrary.version) }

  /// The `mpirun` that a shell would find, which must belong to the library.
  private static var launcher: Finding {
    guard let path = Launcher.find("mpirun") else {
      return Finding(
        .warn, "launcher", "no mpirun on PATH",
        "load the module or package of Open MPI, or start with srun --mpi=pmix; one rank works without")
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["--version"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return Finding(.warn, "launcher", "\(path) cannot be run", "see its permissions") }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let version = text.split(whereSeparator: \.isWhitespace).first { $0.first?.isNumber == true } ?? ""
    guard !version.isEmpty, MPILibrary.version.contains("v" + version) || MPILibrary.version.contains(" " + version) else {
      return Finding(
        .warn, "launcher", "\(path) is version \(version), the library another one",
        "put the mpirun of the library that the program was built with first on PATH")
    }
    return Finding(.ok, "launcher", "\(path) \(version)")
  }

  private static var batch: Finding {
    guard let job = Launcher.job else { return Finding(.ok, "batch", "no batch system") }
    var text = "\(job), restart \(Launcher.restarts.map { "\($0)" } ?? "unknown")"
    if let end = Launcher.jobEnd { text += ", ends in \(Console.duration(max(end - Date().timeIntervalSince1970, 0)))" }
    return Finding(.ok, "batch", text)
  }

  /// A signal that a parent has blocked never arrives.
  private static var signals: Finding {
    var blocked = sigset_t()
    sigprocmask(SIG_BLOCK, nil, &blocked)
    let names = [(SIGUSR1, "USR1"), (SIGUSR2, "USR2"), (SIGTERM, "TERM"), (SIGINT, "INT"), (SIGCONT, "CONT")]
    let missing = names.filter { sigismember(&blocked, $0.0) == 1 }.map(\.1)
    return missing.isEmpty
      ? Finding(.ok, "signals", "stop signals arrive")
      : Finding(
        .warn, "signals", "\(missing.joined(separator: ", ")) blocked by what started this process", "use --time-budget to stop in time")
  }

  // MARK: Ranks

  /// Milliseconds of a message of 1 MiB from rank 0 to all, the best of five.
  @discardableResult
  private func timeMessages<C: Communicator>(_ communicator: C) throws -> Double {
    var best = Double.infinity
    for _ in 0..<5 {
      var bytes = [UInt8](repeating: 7, count: communicator.rank == 0 ? 1 << 20 : 0)
      try communicator.barrier()
      let started = ProcessServices.monotonicSeconds
      try communicator.broadcast(&bytes, root: 0)
      try communicator.barrier()
      best = min(best, (ProcessServices.monotonicSeconds - started) * 1000)
    }
    return best
  }

  private func ranks(_ world: World, _ milliseconds: Double) -> [Finding] {
    var findings: [Finding] = []
    let hosts = world.hosts.map { "\($0.ranks.count) on \($0.name) with \($0.cpus) of \($0.online) cores" }.joined(separator: "; ")
    var text = "\(world.ranks.count): \(hosts)"
    if world.ranks.count > 1 { text += "; 1 MiB to all in \(Finding.rounded(milliseconds)) ms" }
    findings.append(Finding(.ok, "ranks", text))
    for hint in world.hints { findings.append(Finding(.warn, "placement", hint)) }
    let small = world.hosts.filter { $0.ranks.count > 1 && $0.ranks[0].sharedMiB < 16 * $0.ranks.count }.map(\.name)
    if !small.isEmpty {
      findings.append(
        Finding(
          .warn, "shared memory", "little free in /dev/shm of \(small.joined(separator: ", "))",
          "make room (files of dead jobs?), give the container more (--shm-size), or use OMPI_MCA_btl=tcp,self"))
    }
    return findings
  }

  private static func memory(_ world: World) -> Finding {
    let tight = world.hosts.map { ($0.name, $0.ranks.map(\.availableMiB).min() ?? 0, $0.ranks.count) }
    let text = tight.map { "\($0.1) MiB free on \($0.0)" }.joined(separator: "; ")
    return tight.allSatisfy { $0.1 / $0.2 >= 256 }
      ? Finding(.ok, "memory", text)
      : Finding(.warn, "memory", text, "a rank of the default configuration wants about 256 MiB: start fewer on a host")
  }

  private static func clock(_ world: World) -> Finding {
    let times = world.ranks.map(\.time)
    let spread = (times.max() ?? 0) - (times.min() ?? 0)
    let year = (world.ranks.first?.time ?? 0) / 31_556_952 + 1970
    if year < 2024 {
      return Finding(.warn, "clock", "says it is the year \(Int(year))", "set the clock: results do not depend on it, time stamps do")
    }
    // Ranks start within seconds of each other.
    return spread < 30
      ? Finding(.ok, "clock", "ranks agree within \(Finding.rounded(spread)) s")
      : Finding(
        .warn, "clock", "ranks differ by \(Finding.rounded(spread)) s", "run a time service: results do not depend on it, time stamps do")
  }

  // MARK: Output directory

  private func directory() -> Finding {
    let facts: DirectoryFacts
    do throws(FileError) {
      facts = try DirectoryFacts.probe(outputDir)
    } catch {
      return Finding(
        .fail, "output", "\(error)", "choose a directory that you may write to, on a file system with hard links", .outputUnusable)
    }
    let text =
      "\(outputDir) on \(facts.kind), \(facts.freeMiB) MiB free, durable write \(Finding.rounded(facts.writeMilliseconds)) ms"
    let kind = facts.kind
    if facts.freeMiB < 64 {
      return Finding(
        .fail, "output", text, "make room: a run of the default configuration keeps five checkpoints of 6 MiB", .outputUnusable)
    }
    if kind == "tmpfs" || kind == "ramfs" { return Finding(.warn, "output", text, "this is memory: a restart of the host loses the run") }
    if kind.hasPrefix("fuse.sshfs") {
      return Finding(.warn, "output", text, "sshfs shows other hosts' writes after 20 s; start one job at a time on a run directory")
    }
    if abs(facts.clockOffset) > 30 {
      return Finding(
        .warn, "output", text + ", its clock is \(Finding.rounded(facts.clockOffset)) s off", "run a time service on server and nodes")
    }
    return Finding(.ok, "output", text)
  }
}

/// One line of a diagnosis.
struct Finding: Equatable {
  enum Level: String {
    case ok
    case warn
    case fail = "FAIL"
  }

  let level: Level
  let topic: String
  let text: String
  /// What to do; empty if nothing.
  let advice: String
  /// What a failure exits with.
  let code: Training.ExitCode

  init(_ level: Level, _ topic: String, _ text: String, _ advice: String = "", _ code: Training.ExitCode = .finished) {
    (self.level, self.topic, self.text, self.advice, self.code) = (level, topic, text, advice, code)
  }

  /// Level, topic, text, and below it what to do.
  var line: String {
    let head =
      level.rawValue.padding(toLength: 6, withPad: " ", startingAt: 0) + topic.padding(toLength: 15, withPad: " ", startingAt: 0) + text
    return advice.isEmpty ? head : head + "\n" + String(repeating: " ", count: 21) + "-> " + advice
  }

  /// Two decimals.
  static func rounded(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}

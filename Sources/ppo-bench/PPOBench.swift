import ExactMath
import Glibc

/// Measures the program's parts, one line of JSON per case on standard output.
///
/// Usage: `ppo-bench [--case PREFIX] [--list] [--portable]`. Exit codes: 0 done, 64 wrong usage or no such case.
@main
enum PPOBench {
  /// Everything that can be measured; a new part adds its list.
  private static var groups: [[BenchmarkCase]] { [KernelCases.all, LearnerCases.all, SimulationCases.all, SaveCases.all] }

  private static let usage = """
    usage: ppo-bench [--case PREFIX] [--list] [--portable]
      --case PREFIX  only cases whose names start with PREFIX
      --list         print names and extents, measure nothing
      --portable     measure the portable form of the kernels

    """

  static func main() {
    var prefix = ""
    var listOnly = false
    var portable = false
    var arguments = CommandLine.arguments.dropFirst()
    while let argument = arguments.popFirst() {
      switch argument {
      case "--case":
        guard let value = arguments.popFirst() else { fail("--case needs a prefix") }
        prefix = value
      case "--list":
        listOnly = true
      case "--portable":
        portable = true
      case "--help", "-h":
        print(usage, terminator: "")
        return
      default:
        fail("unknown argument \(argument)")
      }
    }
    KernelSelection.select(portable: portable)
    let cases = groups.joined().filter { $0.name.hasPrefix(prefix) }
    guard !cases.isEmpty else { fail("no case starts with \(prefix)") }
    for item in cases {
      if listOnly {
        print(([item.name] + item.extents.map(String.init)).joined(separator: " "))
      } else {
        print(Benchmark.line(item, item.run()))
        fflush(nil)
      }
    }
  }

  private static func fail(_ message: String) -> Never {
    _ = "ppo-bench: \(message)\n\(usage)".withCString { write(STDERR_FILENO, $0, strlen($0)) }
    exit(64)
  }
}

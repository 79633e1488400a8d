import Foundation
import Testing

@testable import ppo_chunked

/// What ranks tell each other first, and what follows from it.
@Suite("World")
struct WorldTests {
  private func rank(
    _ host: String = "a", cpus: [Int] = [0, 1, 2, 3], online: Int = 4, user: Int = 1000, yields: Bool = true
  ) -> RankFacts {
    var facts = RankFacts()
    (facts.host, facts.version, facts.build, facts.arguments) = (host, "1", "abcd", ["train", "--seed", "1"])
    (facts.allowedCPUs, facts.onlineCPUs, facts.user, facts.yields) = (cpus, online, user, yields)
    return facts
  }

  @Test("facts survive the way to rank 0, and those of a foreign version still can be read")
  func message() throws {
    var facts = RankFacts.own()
    #expect(facts.build.count == 64 && !facts.host.isEmpty && !facts.allowedCPUs.isEmpty && facts.availableMiB > 0)
    facts.time = 1.5
    #expect(try RankFacts(message: [UInt8](facts.json.compactText().utf8)) == facts)
    #expect(try RankFacts(message: [UInt8](#"{"version": "9", "news": [1]}"#.utf8)).version == "9")
  }

  @Test("lists of processors as the kernel writes them")
  func lists() {
    #expect(RankFacts.numbers(inList: "0-3,8,10-11\n") == [0, 1, 2, 3, 8, 10, 11])
    #expect(RankFacts.numbers(inList: "5") == [5])
    #expect(RankFacts.numbers(inList: "") == [] && RankFacts.numbers(inList: "3-1,x") == [])
  }

  @Test("another version, build or option on any rank is named with both sides")
  func disagreement() {
    #expect(World(ranks: [rank(), rank("b"), rank("c")]).disagreement == nil)
    var other = rank("b")
    other.build = "ef01"
    #expect(World(ranks: [rank(), rank(), other]).disagreement?.contains("rank 2 on b is version 1 build ef01") == true)
    other = rank("b")
    other.version = "2"
    #expect(World(ranks: [rank(), other]).disagreement?.contains("version 2") == true)
    other = rank("b")
    other.arguments = ["train", "--seed", "2"]
    #expect(World(ranks: [rank(), other]).disagreement?.contains("--seed 2") == true)
  }

  @Test("hints: none for ranks that are placed well; root, too many ranks and wrong binding each with their own")
  func hints() {
    #expect(World(ranks: (0..<4).map { rank(cpus: [$0]) }).hints == [])
    #expect(World(ranks: (0..<4).map { _ in rank() }).hints == [])
    #expect(World(ranks: [rank("a", cpus: [0]), rank("b", cpus: [0])]).hints == [])
    // Alone, root needs no hint and a bound rank neither.
    #expect(World(ranks: [rank(cpus: [0], user: 0)]).hints == [])
    let root = World(ranks: [rank("a", user: 0), rank("b", user: 0)]).hints
    #expect(root.count == 1 && root[0].contains("root"))
    let many = World(ranks: (0..<5).map { _ in rank() }).hints
    #expect(many.count == 1 && many[0].contains("5 ranks share 4 cores of a") && !many[0].contains("yield"))
    #expect(World(ranks: (0..<5).map { _ in rank(yields: false) }).hints[0].contains("OMPI_MCA_mpi_yield_when_idle=1"))
    let bound = World(ranks: [rank(cpus: [0]), rank(cpus: [0]), rank("b"), rank("b")]).hints
    #expect(bound.count == 1 && bound[0].contains("2 ranks on a are bound to 1 of its 4 cores"))
  }

  @Test("doctor: fit with a usable directory, of which nothing stays; 73 with the operation named without one")
  func doctor() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let good = try ProgramRun("doctor", "--output-dir", directory + "/run")
      #expect(good.code == 0 && good.output.contains("fit for a job"), "\(good.output)")
      for topic in ["program", "mpi", "ranks", "memory", "clock", "output"] { #expect(good.output.contains(topic), "\(topic)") }
      #expect(try ProgramRun("status", "--output-dir", directory + "/run").code == 66)
      #expect(!FileManager.default.fileExists(atPath: directory + "/run"))
    }
    let bad = try ProgramRun("doctor", "--output-dir", "/proc/run")
    #expect(bad.code == 73 && bad.output.contains("FAIL") && bad.output.contains("->"), "\(bad.output)")
  }

  @Test("--version names version, build and MPI")
  func version() throws {
    let result = try ProgramRun("--version")
    #expect(result.code == 0 && result.output.hasPrefix(ProgramVersion.text + "\nbuild ") && result.output.contains("MPI"))
  }
}

import Foundation
import RunConfig
import Testing

@testable import ppo_chunked

/// The commands that compare states, as their user meets them.
@Suite("diff and verify-resume")
struct ProofTests {
  /// Whether `mpirun` is in `PATH`.
  static let hasLauncher = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
    FileManager.default.isExecutableFile(atPath: $0 + "/mpirun")
  }

  @Test("diff: equal states are exit 0, different ones exit 1 with the first difference and both values")
  func diff() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let (one, other) = (directory + "/one", directory + "/other")
      for (run, seed) in [(one, "1"), (other, "2")] {
        let train = try ProgramRun(
          "train", "--config", "configs/test.json", "--seed", seed, "--set", "run.total_requests=500", "--output-dir", run)
        #expect(train.code == 0, "\(train.errors)")
      }
      let equal = try ProgramRun("diff", one, one + "/checkpoints/latest.pt")
      #expect(equal.code == 0 && equal.output.contains("equal: all"), "\(equal.output)\(equal.errors)")

      let different = try ProgramRun("diff", one, other, "--json")
      #expect(different.code == 1, "\(different.errors)")
      let report = try JSONValue(parsing: different.output)
      #expect(report["equal"]?.boolValue == false)
      #expect(report["first_difference"]?["path"]?.stringValue != nil)
      let sections = try #require(report["sections"]?.arrayValue)
      let model = try #require(sections.first { $0["name"]?.stringValue == "model_state_dict" })
      #expect((model["differing"]?.intValue ?? 0) > 0 && (model["largest"]?.doubleValue ?? 0) > 0)
      #expect(try ProgramRun("diff", one, other).output.contains("first difference  "))
      #expect(try ProgramRun("diff", one, directory + "/none").code == 66)

      let (a, b) = (try RunFingerprint(directory: one), try RunFingerprint(directory: other))
      #expect(ProofRow(what: "x", jobs: 1, kills: 0, found: a, reference: a).line.hasSuffix("  ok"))
      let row = ProofRow(what: "x", jobs: 1, kills: 0, found: b, reference: a)
      #expect(!row.isEqual && row.line.contains("DIFFERS: state ") && row.line.contains("rollouts.jsonl"))
    }
  }

  @Test("verify-resume: all ways to the end agree", .enabled(if: hasLauncher, "needs mpirun"))
  func verifyResume() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let proof = try ProgramRun("verify-resume", "--kills", "1", "--ranks", "1,2", "--output-dir", directory + "/proof")
      #expect(proof.code == 0, "\(proof.output)\(proof.errors)")
      #expect(proof.output.hasSuffix("all agree\n") && !proof.output.contains("DIFFERS"))
      #expect(proof.output.split(separator: "\n").count { $0.hasSuffix("  ok") } == 5)
    }
  }

  @Test("kills are drawn from the seed: repeatable, in order of steps, with victims that exist")
  func killPlans() {
    var victims: Set<Int> = []
    for run in 0..<50 {
      let plan = KillPlan(seed: 3, run: run, counts: [1, 2, 4], total: 1000)
      #expect(plan == KillPlan(seed: 3, run: run, counts: [1, 2, 4], total: 1000))
      #expect((1...3).contains(plan.kills.count) && [1, 2, 4].contains(plan.lastRanks))
      #expect(zip(plan.kills, plan.kills.dropFirst()).allSatisfy { $0.step <= $1.step })
      for kill in plan.kills {
        #expect((0..<1000).contains(kill.step) && (0..<1).contains(kill.delay))
        guard case .rank(let rank) = kill.victim else { continue }
        victims.insert(rank)
        #expect(kill.ranks > 1 && (0..<kill.ranks).contains(rank))
      }
      #expect(zip(plan.earlier.kills, plan.kills).allSatisfy { $0.step == $1.step * 3 / 4 && $0.victim == $1.victim })
    }
    #expect(victims == [0, 1, 2, 3])
  }

  @Test("verify-resume refuses numbers of ranks that the run has no environments for, and directories in use")
  func refusals() throws {
    #expect(try ProgramRun("verify-resume", "--ranks", "1,9").code == 64)
    #expect(try ProgramRun("verify-resume", "--ranks", "").code == 64)
    #expect(try ProgramRun("verify-resume", "--config", "/nonexistent.json").code == 66)
    #expect(try ProgramRun("verify-resume", "--output-dir", "Sources").code == 73)
  }
}

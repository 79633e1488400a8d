import Foundation
import RunConfig
import Testing

/// The program end to end, without MPI; scripts/test-ranks.sh and scripts/test-resume.sh run it under mpirun.
@Suite("Program")
struct ProgramTests {
  @Test("train, status, inspect and compare on one run")
  func wholeWay() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let run = directory + "/run"
      let train = try ProgramRun("train", "--config", "configs/test.json", "--output-dir", run)
      #expect(train.code == 0, "\(train.errors)")
      #expect(train.output.hasPrefix("[Fresh] reason="))

      let status = try JSONValue(parsing: try ProgramRun("status", "--output-dir", run, "--json").output)
      #expect(status["status"]?.stringValue == "completed" && status["completed_chunks"]?.intValue == 4)
      let inspect = try JSONValue(parsing: try ProgramRun("inspect", run, "--json").output)
      #expect(inspect["state_sha256"]?.stringValue == status["latest_sha256"]?.stringValue)
      #expect(inspect["step"]?.intValue == 2000)

      let names = "ckpt:\(run),random,round_robin,lor,lor_full,lot"
      let compare = try ProgramRun("compare", "--policies", names, "--seeds", "2", "--requests", "50", "--json")
      #expect(compare.code == 0, "\(compare.errors)")
      let policies = try #require(try JSONValue(parsing: compare.output)["policies"]?.arrayValue)
      #expect(policies.count == 6)
      #expect(policies.allSatisfy { ($0["e2e_mean"]?.doubleValue ?? 0) > 0 })

      // Drawn actions are another policy, and the same one every time.
      let sampled = try (0..<2).map { _ in
        try ProgramRun("compare", "--policies", "ckpt:\(run),sample:\(run)", "--seeds", "1", "--requests", "200", "--json").output
      }
      #expect(sampled[0] == sampled[1])
      let both = try #require(try JSONValue(parsing: sampled[0])["policies"]?.arrayValue)
      #expect(both.count == 2 && both[0]["e2e_mean"] != both[1]["e2e_mean"])

      let again = try ProgramRun("train", "--config", "configs/test.json", "--output-dir", run)
      #expect(again.code == 0 && again.output.hasPrefix("[Finished]"))
    }
  }

  @Test("an unknown key is an error with the nearest known one, exit 64")
  func unknownKey() throws {
    let result = try ProgramRun("train", "--set", "ppo.learning_rat=0.1", "--output-dir", "/nonexistent/x")
    #expect(result.code == 64)
    #expect(result.errors.contains("ppo.learning_rate"))
  }

  @Test("a value outside its range names key, value and range, exit 64")
  func range() throws {
    let result = try ProgramRun("train", "--set", "ppo.gamma=1.5", "--output-dir", "/nonexistent/x")
    #expect(result.code == 64)
    #expect(result.errors.contains("ppo.gamma") && result.errors.contains("1.5"))
  }

  @Test("a bad trace row names file, line, column and value, exit 65")
  func badTrace() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let trace = directory + "/trace.csv"
      try "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,10,5\n1.0,-3,5\n".write(toFile: trace, atomically: true, encoding: .utf8)
      let result = try ProgramRun("train", "--trace", trace, "--output-dir", directory + "/run")
      #expect(result.code == 65)
      for part in ["trace.csv", "3", "num_prefill_tokens", "-3"] { #expect(result.errors.contains(part), "\(result.errors)") }
      #expect(!FileManager.default.fileExists(atPath: directory + "/run"))
    }
  }

  @Test("missing inputs are exit 66")
  func missing() throws {
    #expect(try ProgramRun("train", "--config", "/nonexistent.json").code == 66)
    #expect(try ProgramRun("train", "--trace", "/nonexistent.csv", "--output-dir", "/tmp/never").code == 66)
    #expect(try ProgramRun("inspect", "/nonexistent.pt").code == 66)
    #expect(try ProgramRun("status", "--output-dir", "/nonexistent").code == 66)
  }

  @Test("a directory that cannot be made is exit 73")
  func unusable() throws {
    #expect(try ProgramRun("train", "--config", "configs/test.json", "--output-dir", "/proc/run").code == 73)
  }

  @Test("a damaged checkpoint is exit 65 and names the file")
  func damaged() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let file = directory + "/checkpoint_step_00000001.pt"
      try "not a checkpoint".write(toFile: file, atomically: true, encoding: .utf8)
      let result = try ProgramRun("inspect", file)
      #expect(result.code == 65 && result.errors.contains("checkpoint_step_00000001.pt"))
    }
  }

  @Test("a fresh start on a used directory moves the old run aside")
  func superseded() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let run = directory + "/run"
      let arguments = ["train", "--config", "configs/test.json", "--output-dir", run]
      #expect(try ProgramRun(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], "--max-chunks", "1").code == 75)
      #expect(try ProgramRun(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], "--start", "fresh").code == 0)
      let moved = try FileManager.default.contentsOfDirectory(atPath: run + "/checkpoints").filter { $0.hasPrefix("superseded-") }
      #expect(moved.count == 1)
      let old = try FileManager.default.contentsOfDirectory(atPath: run + "/checkpoints/" + moved[0])
      #expect(old.contains("training_progress.json") && old.contains("latest.pt") && old.contains("metrics"))
      // However broken the old run is, and however often.
      for _ in 1...2 {
        try "broken".write(toFile: run + "/training_progress.json", atomically: true, encoding: .utf8)
        #expect(try ProgramRun(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], "--start", "fresh").code == 0)
      }
    }
  }

  @Test("an output directory that is a file is exit 73, an empty policy list is exit 64, and so is a seed below 0")
  func refusals() throws {
    #expect(try ProgramRun("train", "--config", "configs/test.json", "--output-dir", "README.md").code == 73)
    #expect(try ProgramRun("compare", "--policies", "").code == 64)
    #expect(try ProgramRun("compare", "--evaluation-seed=-1").code == 64)
  }

  @Test("the portable kernels give the bits of the fast ones")
  func portableKernels() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      var digests: [String?] = []
      for kernels in ["fast", "portable"] {
        setenv("PPO_CHUNKED_KERNELS", kernels, 1)
        defer { unsetenv("PPO_CHUNKED_KERNELS") }
        let run = directory + "/" + kernels
        #expect(try ProgramRun("train", "--config", "configs/test.json", "--set", "run.total_requests=500", "--output-dir", run).code == 0)
        digests.append(try JSONValue(parsing: try ProgramRun("inspect", run, "--json").output)["state_sha256"]?.stringValue)
      }
      #expect(digests[0] != nil && digests[0] == digests[1])
    }
  }
}

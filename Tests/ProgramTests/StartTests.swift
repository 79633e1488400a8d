import Foundation
import RunConfig
import Testing

/// Starts as a user types them.
@Suite("Starts of the program")
struct StartTests {
  private static let small = [
    "--config", "configs/test.json", "--total-requests", "500", "--set", "warmstart.episodes=2", "--set", "warmstart.episode_decisions=30",
    "--set", "warmstart.epochs=2",
  ]

  private func train(_ run: String, _ arguments: String...) throws -> ProgramRun {
    try ProgramRun(arguments: ["train", "--output-dir", run] + Self.small + arguments)
  }

  private func origin(_ run: String) throws -> String? {
    let text = try String(contentsOfFile: run + "/run.json", encoding: .utf8)
    return try JSONValue(parsing: text)["origin"]?["kind"]?.stringValue
  }

  @Test("collect, pretrain, train from the file; the same command again has nothing left to do")
  func wholeWay() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let (demonstrations, actor, run) = (directory + "/d.pt", directory + "/p.pt", directory + "/run")
      let collect = try ProgramRun(arguments: ["collect", "--output", demonstrations] + Self.small)
      #expect(collect.code == 0 && collect.output.contains("samples=900"), "\(collect.errors)\(collect.output)")
      let pretrain = try ProgramRun(arguments: ["pretrain", demonstrations, "--output", actor] + Self.small)
      #expect(pretrain.code == 0 && pretrain.output.contains("epoch=2/2"), "\(pretrain.errors)")
      let first = try train(run, "--pretrained-actor", actor)
      #expect(first.code == 0, "\(first.errors)")
      #expect(first.output.hasPrefix("[Warmstart] reason="))
      #expect(first.output.contains("actor_head.0.weight [2, 16] loaded") && first.output.contains("critic_head.weight [1, 16] fresh"))
      let again = try train(run, "--pretrained-actor", actor)
      #expect(again.code == 0 && again.output.hasPrefix("[Finished]"))
      let compare = try ProgramRun("compare", "--policies", "ckpt:\(actor),random", "--seeds", "1", "--requests", "50")
      #expect(compare.code == 0, "\(compare.errors)")
      let wrong = try ProgramRun(arguments: ["pretrain", actor, "--output", directory + "/x.pt"] + Self.small)
      #expect(wrong.code == 65 && wrong.errors.contains("pretrained_actor"))
    }
  }

  @Test("a resume says checkpoint, step, chunk, digest and policy first, on the console and in the log")
  func firstLine() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let run = directory + "/run"
      #expect(try train(run, "--max-chunks", "1", "--set", "run.chunk_size=250").code == 75)
      let resumed = try train(run, "--resume", "--set", "run.chunk_size=250")
      #expect(resumed.code == 0, "\(resumed.errors)")
      let line = String(resumed.output.prefix { $0 != "\n" })
      let checkpoint = run + "/checkpoints/checkpoint_step_00000250.pt"
      #expect(line.hasPrefix("[Resume] checkpoint=\(checkpoint) step=250 chunk=1 "), "\(line)")
      #expect(line.contains(" sha256=") && line.contains(" policy=resume "))
      let log = try String(contentsOfFile: run + "/logs/ppo_training.log", encoding: .utf8)
      #expect(log.contains(line))
      // The sign that the state is really there, which comes behind the replay; a run that begins has none.
      let loaded = "[PPO:checkpoint] Loaded from step 250, inference_only=False"
      #expect(resumed.output.contains("\n" + loaded + "\n") && log.components(separatedBy: loaded).count == 2)
    }
  }

  @Test("each way to begin says its name first, aliases too; a dry run says the same and writes nothing")
  func names() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let (model, run) = (directory + "/model", directory + "/run")
      #expect(try train(model).code == 0)
      let checkpoint = model + "/checkpoints/latest.pt"
      let ways: [(first: String, arguments: [String])] = [
        ("[Fresh] reason=\"asked for\"", ["--start", "fresh"]), ("[Fresh] reason=\"no run in", []),
        ("[Warmstart] reason=\"asked for\"", ["--start", "warmstart"]), ("[Warmstart] reason=\"asked for\"", ["--force-warmstart"]),
        ("[Warmstart] reason=\"no run in", ["--set", "warmstart.enabled=true"]),
        ("[External] reason=\"asked for\"", ["--start", "external", "--external-pretrain", checkpoint]),
        ("[External] reason=\"no run in", ["--external-pretrain", checkpoint, "--external-mode", "direct"]),
        ("[Fork] reason=\"no run in", ["--fork-from", checkpoint]),
      ]
      for (first, arguments) in ways {
        let planned = try ProgramRun(arguments: ["train", "--output-dir", run, "--dry-run"] + Self.small + arguments)
        #expect(planned.code == 0 && planned.output.hasPrefix(first), "\(arguments): \(planned.output)\(planned.errors)")
        #expect(!FileManager.default.fileExists(atPath: run))
      }
      #expect(try ProgramRun(arguments: ["train", "--output-dir", run, "--dry-run", "--resume"] + Self.small).code == 66)
      for arguments in [["--resume"], ["--resume", "latest"], ["--resume", checkpoint], ["--start", "resume"], []] {
        let arguments = ["train", "--output-dir", model, "--dry-run"] + Self.small + arguments + ["--total-requests", "1000"]
        let planned = try ProgramRun(arguments: arguments)
        #expect(planned.code == 0 && planned.output.hasPrefix("[Resume] checkpoint=\(model)/checkpoints/"), "\(planned.errors)")
        #expect(planned.output.contains("[Plan] "))
      }
      #expect(try train(model).output.hasPrefix("[Finished]"))
    }
  }

  @Test(
    "flags that exclude each other are exit 64 and named",
    arguments: [
      ["--resume", "--force-warmstart"], ["--start", "fresh", "--resume"], ["--external-mode", "direct"], ["--start", "external"],
      ["--start", "fresh", "--external-pretrain", "m.pt"], ["--fork-from", "c.pt", "--external-pretrain", "m.pt"],
    ])
  func contradictions(flags: [String]) throws {
    let result = try ProgramRun(arguments: ["train", "--output-dir", "/nonexistent/run"] + flags)
    #expect(result.code == 64, "\(result.errors)")
    #expect(result.errors.contains(flags[0]), "\(result.errors)")
  }

  @Test("a run that did not begin with the model: a question at a terminal, exit 64 without one or in a batch job")
  func prompt() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let (model, run) = (directory + "/model", directory + "/run")
      #expect(try train(model).code == 0)
      #expect(try train(run, "--set", "run.chunk_size=250", "--max-chunks", "1").code == 75)
      let arguments =
        ["train", "--output-dir", run] + Self.small
        + ["--set", "run.chunk_size=250", "--external-pretrain", model + "/checkpoints/latest.pt"]
      let silent = try ProgramRun(arguments: arguments)
      #expect(silent.code == 64 && silent.errors.contains("--start resume") && silent.errors.contains("--start external"))
      let batch = try Terminal.run(arguments, typing: "resume", environment: "SLURM_JOB_ID=7")
      #expect(batch.code == 64, "\(batch.output)")
      #expect(try origin(run) == "fresh")
      let quit = try Terminal.run(arguments, typing: "quit")
      #expect(quit.code == 0 && quit.output.contains("Choice [resume/direct/finetune/quit]:"), "\(quit.output)")
      let direct = try Terminal.run(arguments, typing: "direct")
      #expect(direct.code == 0 && direct.output.contains("[External] reason=\"chosen at the terminal"), "\(direct.output)")
      #expect(try origin(run) == "external")
      let kept = try FileManager.default.contentsOfDirectory(atPath: run + "/checkpoints").filter { $0.hasPrefix("superseded-") }
      #expect(kept.count == 1)
    }
  }

  @Test("a fork has another run id and counts from 0")
  func fork() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      #expect(try train(directory + "/a").code == 0)
      let fork = try train(directory + "/b", "--fork-from", directory + "/a/checkpoints/latest.pt")
      #expect(fork.code == 0 && fork.output.hasPrefix("[Fork] reason="), "\(fork.errors)")
      #expect(fork.output.contains("[Checkpoint] saved checkpoints/checkpoint_step_00000000.pt"))
      #expect(try origin(directory + "/b") == "fork")
    }
  }

  @Test("the predecessor's configuration is converted and every key without effect is named")
  func convert() throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let output = directory + "/ours.json"
      let result = try ProgramRun("config", "convert", "Tests/Fixtures/reference_ppo_warmstart.json", "--output", output)
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.errors.contains("applied    ppo_config.lr -> ppo.learning_rate = 0.0003"))
      #expect(result.errors.contains("no effect  checkpointing.checkpoint_dir: "))
      let resolved = try ProgramRun("config", "--config", output, "--resolved")
      let json = try JSONValue(parsing: resolved.output)
      #expect(json["network"]?["hidden"]?.intValue == 320 && json["cluster"]?["num_replicas"]?.intValue == 4)
    }
  }

  @Test("the predecessor's launcher translates its options")
  func launcher() throws {
    let process = Process()
    process.executableURL = ProgramRun.root.appendingPathComponent("scripts/train_ppo_warmstart_optimized.sh")
    process.arguments = [
      "--chunk-mode", "--chunk-size", "1000", "--total-requests", "3000", "--num-replicas", "4", "--qps", "2.5", "--bc-epochs", "3",
      "--external-pretrain", "/a b.pt", "--skip-bc-training", "--output-dir", "/o", "--verbose", "--print",
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    for part in [
      "--total-requests 3000 --chunk-size 1000", "--num-replicas 4", "--qps 2.5", "warmstart.epochs=3",
      "--external-pretrain /a\\ b.pt --external-mode direct", "--output-dir /o",
    ] { #expect(text.contains(part), "\(text)") }
  }
}

/// The program at a terminal of its own, with a line typed.
private enum Terminal {
  static func run(_ arguments: [String], typing line: String, environment: String = "TERM=dumb") throws -> (code: Int32, output: String) {
    let script = """
      import os, pty, sys
      typed = sys.argv[1].encode()
      pid, terminal = pty.fork()
      if pid == 0:
          key, value = sys.argv[2].split("=", 1)
          os.environ[key] = value
          os.execv(sys.argv[3], sys.argv[3:])
      output, answered = b"", False
      while True:
          try:
              part = os.read(terminal, 65536)
          except OSError:
              break
          if not part:
              break
          output += part
          if not answered and b"quit]:" in output:
              os.write(terminal, typed + b"\\n")
              answered = True
      sys.stdout.buffer.write(output)
      sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script, line, environment, ProgramRun.executable.path] + arguments
    process.currentDirectoryURL = ProgramRun.root
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }
}

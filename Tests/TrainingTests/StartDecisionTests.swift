import Testing

@testable import Training

/// Every decision of a start as a row: what was asked for, what is there, what follows.
@Suite("Start decision")
struct StartDecisionTests {
  struct Row: CustomTestStringConvertible {
    let name: String
    let facts: StartFacts
    /// Nil: exit 64.
    let decision: StartDecision?
    /// What the message of a refusal names.
    let flags: [String]
    var testDescription: String { name }

    init(
      _ name: String, _ request: StartRequest, run: RunOrigin? = nil, job: String? = nil, warm: Bool = false, ask: Bool = false,
      sha: String? = nil, _ decision: StartDecision?, flags: [String] = []
    ) {
      self.name = name
      facts = StartFacts(
        request: request, holdsRun: run != nil, emptyReason: "empty", origin: run, namedSHA256: sha, warmStarts: warm, job: job, canAsk: ask
      )
      self.decision = decision
      self.flags = flags
    }
  }

  private static func origin(
    _ kind: StartKind, path: String? = nil, sha: String? = nil, mode: ExternalMode? = nil, job: String? = nil
  ) -> RunOrigin {
    var origin = RunOrigin(kind: kind, job: job)
    origin.path = path
    origin.fileSHA256 = sha
    origin.externalMode = mode
    return origin
  }

  private static let model = StartRequest(externalModel: "/m.pt")
  private static let tuned = StartRequest(externalModel: "/m.pt", externalMode: .finetune)
  private static let fork = StartRequest(forkFrom: "/c.pt")
  private static let choices = ["--start resume", "--start external"]

  static let rows: [Row] = [
    Row("auto, nothing there", StartRequest(), .begin(.fresh, reason: "empty")),
    Row("auto, nothing there, the configuration wants a warm start", StartRequest(), warm: true, .begin(.warmstart, reason: "empty")),
    Row("auto, a run", StartRequest(), run: origin(.fresh), .resume),
    Row("auto, a run of another kind than the configuration wants now", StartRequest(), run: origin(.fresh), warm: true, .resume),
    Row("auto, a warm-started run", StartRequest(), run: origin(.warmstart), warm: true, .resume),
    Row("resume, a run", StartRequest(mode: .resume), run: origin(.fresh), .resume),
    // The resume itself says that there is nothing.
    Row("resume, nothing there", StartRequest(mode: .resume), .resume),
    Row("resume wins over a model", StartRequest(mode: .resume, externalModel: "/m.pt"), run: origin(.fresh), .resume),
    Row("fresh, nothing there", StartRequest(mode: .fresh), .begin(.fresh, reason: "asked for")),
    Row("fresh, a run", StartRequest(mode: .fresh), run: origin(.fresh), .begin(.fresh, reason: "asked for")),
    Row(
      "fresh, a run that another job began", StartRequest(mode: .fresh), run: origin(.fresh, job: "slurm 1"), job: "slurm 2",
      .begin(.fresh, reason: "asked for")),
    Row(
      "fresh, a run that this job began before it was requeued", StartRequest(mode: .fresh), run: origin(.fresh, job: "slurm 1"),
      job: "slurm 1", .resume),
    Row(
      "fresh, without a batch job nothing is a requeue", StartRequest(mode: .fresh), run: origin(.fresh), job: nil,
      .begin(.fresh, reason: "asked for")),
    Row(
      "warmstart, a run that this job began fresh", StartRequest(mode: .warmstart), run: origin(.fresh, job: "slurm 1"), job: "slurm 1",
      .begin(.warmstart, reason: "asked for")),
    Row("warmstart, requeued", StartRequest(mode: .warmstart), run: origin(.warmstart, job: "slurm 1"), job: "slurm 1", .resume),
    Row("warmstart, a run", StartRequest(mode: .warmstart), run: origin(.warmstart), .begin(.warmstart, reason: "asked for")),
    Row("warmstart, nothing there", StartRequest(mode: .warmstart), .begin(.warmstart, reason: "asked for")),
    Row(
      "external by name, a run", StartRequest(mode: .external, externalModel: "/m.pt"), run: origin(.fresh),
      .begin(.external, mode: .direct, reason: "asked for")),
    Row("a model, nothing there", model, .begin(.external, mode: .direct, reason: "empty")),
    Row("a model to tune, nothing there", tuned, .begin(.external, mode: .finetune, reason: "empty")),
    Row("a model wins over the configuration's warm start", model, warm: true, .begin(.external, mode: .direct, reason: "empty")),
    Row("a model, the run began with it", model, run: origin(.external, path: "/m.pt", mode: .direct), .resume),
    Row(
      "a model, the run began with a file of equal content", model, run: origin(.external, path: "/old.pt", sha: "ab", mode: .direct),
      sha: "ab", .resume),
    Row("a model to tune, the run began with it untuned", tuned, run: origin(.external, path: "/m.pt", mode: .direct), nil, flags: choices),
    Row("a model, a fresh run", model, run: origin(.fresh), nil, flags: choices),
    Row("a model, a run of unknown beginning", model, run: RunOrigin(), nil, flags: choices),
    Row("a model, a fresh run, somebody at a terminal", model, run: origin(.fresh), ask: true, .ask),
    Row(
      "a model, the run began with it, somebody at a terminal", model, run: origin(.external, path: "/m.pt", mode: .direct), ask: true,
      .resume),
    Row("a terminal alone is no reason to ask", StartRequest(), run: origin(.fresh), ask: true, .resume),
    Row("fork, nothing there", fork, .begin(.fork, reason: "empty")),
    Row("fork, the run is that fork", fork, run: origin(.fork, path: "/c.pt"), .resume),
    Row("fork, another run", fork, run: origin(.fresh), nil, flags: ["--output-dir", "--start resume", "--start fresh"]),
    Row("fork, another run, somebody at a terminal", fork, run: origin(.fresh), ask: true, nil, flags: ["--output-dir"]),
    Row("fork and model", StartRequest(externalModel: "/m.pt", forkFrom: "/c.pt"), nil, flags: ["--fork-from", "--external-pretrain"]),
    Row("fork and a mode", StartRequest(mode: .resume, forkFrom: "/c.pt"), nil, flags: ["--fork-from", "--start resume"]),
    Row(
      "fresh and a model", StartRequest(mode: .fresh, externalModel: "/m.pt"), nil,
      flags: ["--start fresh", "--external-pretrain", "--start external"]),
    Row(
      "warmstart and a model from elsewhere", StartRequest(mode: .warmstart, externalModel: "/m.pt"), nil,
      flags: ["--start warmstart", "--start external"]),
    Row("external without a model", StartRequest(mode: .external), nil, flags: ["--external-pretrain"]),
    Row("an older checkpoint needs resume", StartRequest(mode: .fresh, resumeFrom: "x.pt"), nil, flags: ["--resume"]),
  ]

  @Test("each row", arguments: rows)
  func row(row: Row) throws {
    guard let decision = row.decision else {
      do {
        let found = try StartDecision(row.facts)
        Issue.record("expected a refusal, got \(found)")
      } catch {
        #expect(error.code == .usage)
        for flag in row.flags { #expect(error.message.contains(flag), "\(error.message)") }
      }
      return
    }
    #expect(try StartDecision(row.facts) == decision)
  }

  @Test("run.json tells the beginning and reads back")
  func origins() throws {
    for kind in StartKind.allCases {
      var origin = Self.origin(kind, path: "/a b.pt", sha: "12", mode: .finetune, job: "slurm 7")
      origin.forkedRunID = "r"
      origin.forkedStep = 5
      #expect(RunOrigin(identity: ["origin": origin.json]) == origin)
    }
    #expect(RunOrigin(identity: ["run_id": "x"]) == nil)
  }
}

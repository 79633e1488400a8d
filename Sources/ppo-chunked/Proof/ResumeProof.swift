import Foundation
import Training

/// The proof that a run ends with the same bits however it is cut up: one reference, and every other way to the same end.
struct ResumeProof {
  let setup: ProofSetup
  /// Decisions of a run.
  let total: Int
  /// Numbers of ranks that are tried.
  let counts: [Int]
  /// Number of killed runs.
  let kills: Int
  /// Seed of what is drawn for them.
  let seed: UInt64
  /// Whether the portable kernels are tried.
  let isPortableTried: Bool

  /// Times a killed run that ended too early is begun again.
  private static let attemptsMax = 20

  /// Works through all cases.
  ///
  /// - Parameter report: gets each line of the table as soon as it is known.
  /// - Returns: directories of the runs that differ.
  func run(report: (ProofRow) -> Void) throws(TrainingError) -> [String] {
    var differing: [String] = []
    var reference = ProofRun(setup, "reference")
    _ = try reference.job(ranks: 1)
    let expected = try RunFingerprint(directory: reference.directory)
    report(ProofRow(what: "1 rank, undisturbed", jobs: 1, kills: 0, found: expected, reference: nil))

    func check(_ run: ProofRun, _ what: String) throws(TrainingError) {
      let found = try RunFingerprint(directory: run.directory)
      let row = ProofRow(what: what, jobs: run.jobs, kills: run.kills, found: found, reference: expected)
      if !row.isEqual { differing.append(run.directory) }
      report(row)
    }
    for count in counts {
      var run = ProofRun(setup, "ranks-\(count)")
      _ = try run.job(ranks: count)
      try check(run, "\(count) \(count == 1 ? "rank" : "ranks"), undisturbed")
    }
    try check(try chain(), "stopped by USR1 at each link, ranks " + links.map(String.init).joined(separator: ">"))
    for number in 0..<kills {
      let (run, plan) = try killed(number)
      try check(run, "killed: " + plan.description)
    }
    try check(try chunkwise(), "one job per chunk")
    if isPortableTried { try check(try portable(), "portable kernels") }
    return differing
  }

  /// Numbers of ranks of the chain: at least two jobs.
  private var links: [Int] { counts.count > 1 ? counts : counts + counts }

  private func chain() throws(TrainingError) -> ProofRun {
    var run = ProofRun(setup, "chain")
    for count in links.dropLast() {
      // A run that is too short for all links is complete then; the number of jobs in the table tells.
      guard try run.stoppedJob(ranks: count) else { return run }
    }
    _ = try run.job(ranks: links[links.count - 1])
    return run
  }

  private func killed(_ number: Int) throws(TrainingError) -> (ProofRun, KillPlan) {
    var plan = KillPlan(seed: seed, run: number, counts: counts, total: total)
    var run = ProofRun(setup, "killed-\(number + 1)")
    for _ in 0..<Self.attemptsMax {
      if try apply(plan, to: &run) { return (run, plan) }
      try run.restart()
      plan = plan.earlier
    }
    throw TrainingError(
      .internalError, "\(run.name): the run ends before it can be killed; give it more decisions or a smaller checkpoint.interval")
  }

  /// Returns false if the run was complete before its last kill.
  private func apply(_ plan: KillPlan, to run: inout ProofRun) throws(TrainingError) -> Bool {
    for kill in plan.kills {
      guard try run.killedJob(kill) else { return false }
    }
    _ = try run.job(ranks: plan.lastRanks)
    return true
  }

  private func chunkwise() throws(TrainingError) -> ProofRun {
    var run = ProofRun(setup, "chunkwise")
    while try run.job(ranks: 1, codes: [.finished, .stopped], arguments: ["--max-chunks", "1"]) == .stopped {}
    return run
  }

  private func portable() throws(TrainingError) -> ProofRun {
    var environment = setup.environment
    environment["PPO_CHUNKED_KERNELS"] = "portable"
    var run = ProofRun(
      ProofSetup(
        directory: setup.directory, configuration: setup.configuration, launcher: setup.launcher, environment: environment,
        jobSeconds: setup.jobSeconds), "portable")
    _ = try run.job(ranks: 1)
    return run
  }
}

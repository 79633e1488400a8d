import Foundation
import Training

/// What all runs of a proof share.
struct ProofSetup {
  /// Folder of all run directories and logs.
  let directory: String
  /// Configuration file of all runs.
  let configuration: String
  /// Path of `mpirun`; nil if there is none.
  let launcher: String?
  /// Of all jobs.
  let environment: [String: String]
  /// Time that one job may take.
  let jobSeconds: Double
}

/// One run of the proof with what was done to it so far.
struct ProofRun {
  let setup: ProofSetup
  let name: String
  private(set) var jobs = 0
  private(set) var kills = 0

  init(_ setup: ProofSetup, _ name: String) {
    self.setup = setup
    self.name = name
  }

  /// The run directory.
  var directory: String { setup.directory + "/" + name }

  // MARK: Jobs

  /// One job to its end, which has to be one of `codes`.
  mutating func job(
    ranks: Int, codes: [Training.ExitCode] = [.finished], arguments: [String] = []
  ) throws(TrainingError) -> Training.ExitCode {
    let job = try start(ranks: ranks, arguments: arguments)
    let code = try job.waitForEnd()
    guard let known = codes.first(where: { $0.rawValue == code }) else { throw failure(job, code) }
    return known
  }

  /// A job that gets `USR1` once it has made a new step durable.
  ///
  /// - Returns: false if it finished before.
  mutating func stoppedJob(ranks: Int) throws(TrainingError) -> Bool {
    let before = progress
    let job = try start(ranks: ranks)
    let isReached = try job.wait {
      guard let now = progress else { return false }
      return now.attempts > before?.attempts ?? 0 && now.latestStep > before?.latestStep ?? 0
    }
    if isReached { job.signal(SIGUSR1, to: .launcher) }
    let code = try job.waitForEnd()
    guard code == Training.ExitCode.finished.rawValue || code == Training.ExitCode.stopped.rawValue else { throw failure(job, code) }
    return code == Training.ExitCode.stopped.rawValue
  }

  /// A job that is killed.
  ///
  /// - Returns: false if it finished before.
  mutating func killedJob(_ kill: KillPlan.Kill) throws(TrainingError) -> Bool {
    let attempts = progress?.attempts ?? 0
    let job = try start(ranks: kill.ranks)
    var saved: (step: Int, time: Double, interval: Double)?
    let isReached = try job.wait {
      guard let now = progress, now.attempts > attempts else { return false }
      let time = ProcessInfo.processInfo.systemUptime
      if saved?.step != now.latestStep { saved = (now.latestStep, time, time - (saved?.time ?? time)) }
      return now.latestStep >= kill.step
    }
    if isReached, let saved {
      let moment = saved.time + saved.interval * kill.delay
      if try job.wait(until: { ProcessInfo.processInfo.systemUptime >= moment }) { job.signal(SIGKILL, to: kill.victim) }
    }
    let code = try job.waitForEnd()
    if code == Training.ExitCode.finished.rawValue { return false }
    guard job.wasKilled else { throw failure(job, code) }
    kills += 1
    return true
  }

  /// Forgets everything: directory and counts.
  mutating func restart() throws(TrainingError) {
    do {
      if FileManager.default.fileExists(atPath: directory) { try FileManager.default.removeItem(atPath: directory) }
    } catch {
      throw TrainingError(.inputOutput, "\(directory): cannot be removed: \(error)")
    }
    (jobs, kills) = (0, 0)
  }

  // MARK: Helpers

  private mutating func start(ranks: Int, arguments: [String] = []) throws(TrainingError) -> ChildJob {
    jobs += 1
    return try ChildJob(
      arguments: ["train", "--config", setup.configuration, "--output-dir", directory] + arguments, ranks: ranks,
      launcher: setup.launcher, environment: setup.environment, log: "\(setup.directory)/\(name).job\(jobs).log", seconds: setup.jobSeconds)
  }

  private var progress: Training.Progress? {
    let file = RunDirectory(root: directory).progress
    return FileManager.default.contents(atPath: file).flatMap { try? Progress(parsing: [UInt8]($0), file: file) }
  }

  private func failure(_ job: ChildJob, _ code: Int32?) -> TrainingError {
    let known = code.flatMap { Training.ExitCode(rawValue: $0) } ?? .internalError
    return TrainingError(
      known == .finished || known == .differs ? .internalError : known,
      "\(name): job \(jobs) ended with \(code.map { "code \($0)" } ?? "a signal"); it said\n\(job.lastLines)")
  }
}

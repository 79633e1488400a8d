import ArgumentParser
import Foundation
import Training

/// When a job stops by itself, and what it then tells the batch system.
struct StopOptions: ParsableArguments {
  @Option(help: "Stop with work left after this time (\(TimeSpan.forms)).")
  var timeBudget: TimeSpan?
  @Option(help: "Stop this long before the batch job's end, where the batch system tells it (SLURM_JOB_END_TIME).")
  var stopMargin = TimeSpan(seconds: 60)
  @Option(help: "Exit code of a stop with work left, for batch systems that requeue on another one (Grid Engine: 99).")
  var requeueExitCode = Training.ExitCode.stopped.rawValue

  func validate() throws {
    if let timeBudget, timeBudget.seconds < 1 { throw ValidationError("--time-budget is 0 s, allowed 1 s or more") }
    let taken = Training.ExitCode.allCases.filter { $0 != .stopped }.map(\.rawValue)
    guard 1...125 ~= requeueExitCode, !taken.contains(requeueExitCode) else {
      let list = taken.map { "\($0)" }.joined(separator: ", ")
      throw ValidationError("--requeue-exit-code is \(requeueExitCode), allowed are 1 ... 125 without \(list), which mean something else")
    }
  }

  /// What the process exits with.
  func status(_ code: Training.ExitCode) -> Int32 { code == .stopped ? requeueExitCode : code.rawValue }

  /// The moments at which a job that has just started must stop. The clock of the day is read once, here.
  var deadlines: [StopDeadline] {
    let now = ProcessServices.monotonicSeconds
    var list: [StopDeadline] = []
    if let timeBudget { list.append(StopDeadline(at: ProcessServices.startSeconds + Double(timeBudget.seconds), reason: .timeBudget)) }
    if let end = Launcher.jobEnd {
      let left = end - Date().timeIntervalSince1970
      list.append(StopDeadline(at: now + left - Self.margin(Double(stopMargin.seconds), left: left), reason: .jobEnd))
    }
    return list
  }

  /// The margin in seconds; at most half of the time that is left, so that a short job works at all.
  static func margin(_ wanted: Double, left: Double) -> Double { min(wanted, max(left / 2, 0)) }
}

extension TimeSpan: CustomStringConvertible {
  /// Seconds with their unit, also shown as the default of an option.
  var description: String { "\(seconds)s" }
}

import CProcess
import FileStore
import Foundation
import Training

/// Clock, signals and identity of this process, as the training loop borrows them.
enum ProcessServices {
  /// When this process began, on the monotonic clock.
  static let startSeconds = monotonicSeconds

  static func make() -> RunServices {
    RunServices(
      monotonicSeconds: { monotonicSeconds },
      wait: { seconds in
        let end = monotonicSeconds + seconds
        while monotonicSeconds < end {
          if cprocess_stop_signal() != 0 { return false }
          Thread.sleep(forTimeInterval: min(0.1, max(end - monotonicSeconds, 0)))
        }
        return true
      },
      timestamp: { timestamp(Date()) },
      stopRequested: {
        let number = cprocess_stop_signal()
        return number == 0 ? nil : .signal(number)
      },
      saveRequested: { cprocess_take_continue() != 0 },
      log: { Console.write($0) }, process: .current(), job: Launcher.job, restarts: Launcher.restarts, programVersion: ProgramVersion.text,
      newRunID: { UUID().uuidString.lowercased() })
  }

  static var monotonicSeconds: Double { ProcessInfo.processInfo.systemUptime }

  /// ISO-8601 UTC to the second.
  private static func timestamp(_ date: Date) -> String {
    ISO8601DateFormatter().string(from: date)
  }
}

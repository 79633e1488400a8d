import Foundation
import Training

/// What the program says to people: plain ASCII lines, results on standard output, errors on standard error.
enum Console {
  /// One line on standard output, flushed so that a job log is current.
  static func write(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  /// One line on standard error.
  static func writeError(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  /// Asks at the terminal; nil at the end of the input.
  static func ask(_ question: String) -> String? {
    FileHandle.standardOutput.write(Data((question + " ").utf8))
    return readLine()
  }

  /// Says what failed and ends the process with its code.
  static func fail(_ error: TrainingError) -> Never {
    writeError("ppo-chunked: \(error.message)")
    exit(error.code.rawValue)
  }

  /// Seconds as people read them.
  static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole)s" }
    if whole < 3600 { return "\(whole / 60)m\(twoDigits(whole % 60))s" }
    return "\(whole / 3600)h\(twoDigits(whole / 60 % 60))m"
  }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

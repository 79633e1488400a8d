import Foundation
import Testing

/// A Python with the real PyTorch, as `scripts/torch-venv.sh` makes it.
public struct PyTorch: Sendable, CustomTestStringConvertible {
  /// A script failed: its error output.
  public struct Failure: Error, CustomStringConvertible {
    /// What it wrote on standard error.
    public let description: String
  }

  /// `newest` or `older`.
  public let name: String
  private let path: String

  /// What test reports call it.
  public var testDescription: String { "PyTorch, the \(name)" }

  private init(_ name: String, suffix: String) {
    let environment = ProcessInfo.processInfo.environment
    let venv = environment["PPO_CHUNKED_TEST_VENV"] ?? (environment["HOME"] ?? "") + "/.cache/ppo-chunked-tests/venv"
    (self.name, path) = (name, venv + suffix + "/bin/python")
  }

  private var isPresent: Bool { FileManager.default.isExecutableFile(atPath: path) }

  /// The newest one; its tests are skipped where it is absent.
  public static let newest = PyTorch("newest", suffix: "")
  /// The ones that are there, newest first.
  public static let all = [newest, PyTorch("older", suffix: "-older")].filter(\.isPresent)
  /// Whether tests against the newest can run.
  public static var isNewestPresent: Bool { newest.isPresent }
  /// Why a suite is skipped.
  public static let skipReason: String = "SKIPPED: no PyTorch to compare with; run scripts/torch-venv.sh once"

  /// Runs a script (its text, or with `file` its path) and returns what it printed.
  public func run(_ script: String, _ arguments: [String] = [], file: Bool = false, input: String = "") throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = (file ? [script] : ["-c", script]) + arguments
    let (output, errors, source) = (Pipe(), Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = source
    try process.run()
    try source.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try source.fileHandleForWriting.close()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let failure = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(description: failure) }
    return text
  }
}

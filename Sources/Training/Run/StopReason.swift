/// Why a job ended before its plan was complete. One reason is recorded in the progress file.
public enum StopReason: Equatable, Sendable {
  /// A stop signal, by number.
  case signal(Int32)
  /// The chunk budget of this job is used up.
  case maxChunks
  /// A file named `STOP` appeared in the run directory.
  case stopFile
  /// The time that this job was given is used up.
  case timeBudget
  /// The batch job ends soon.
  case jobEnd

  /// The word recorded in the progress file.
  public var name: String {
    switch self {
    case .signal(let number): "signal " + (Self.signalNames.first { $0.number == number }?.name ?? "\(number)")
    case .maxChunks: "max_chunks"
    case .stopFile: "stop_file"
    case .timeBudget: "time_budget"
    case .jobEnd: "job_end"
    }
  }

  /// The stop signals by their numbers on Linux.
  private static let signalNames: [(number: Int32, name: String)] = [(2, "INT"), (10, "USR1"), (12, "USR2"), (15, "TERM")]

  // MARK: Between ranks

  /// The reason as a word that ranks exchange; never 0.
  var word: UInt64 {
    switch self {
    case .signal(let number): 1 << 32 | UInt64(UInt32(bitPattern: number))
    case .maxChunks: 2 << 32
    case .stopFile: 3 << 32
    case .timeBudget: 4 << 32
    case .jobEnd: 5 << 32
    }
  }

  /// Reads a word back; nil for one that means something else.
  init?(word: UInt64) {
    switch word >> 32 {
    case 1: self = .signal(Int32(bitPattern: UInt32(truncatingIfNeeded: word)))
    case 2: self = .maxChunks
    case 3: self = .stopFile
    case 4: self = .timeBudget
    case 5: self = .jobEnd
    default: return nil
    }
  }
}

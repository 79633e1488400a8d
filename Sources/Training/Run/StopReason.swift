/// Why a job ended before its plan was complete. One reason is recorded in the progress file.
public enum StopReason: Equatable, Sendable {
  /// A stop signal, by number.
  case signal(Int32)
  /// The chunk budget of this job is used up.
  case maxChunks

  /// The word recorded in the progress file.
  public var name: String {
    switch self {
    case .signal(let number): "signal \(number)"
    case .maxChunks: "max_chunks"
    }
  }
}

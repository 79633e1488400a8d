import Hashing

/// Per-environment state at a boundary, as rank 0 keeps it for every environment of the run.
///
/// The environment itself is not in here: it is a function of seed, chunk, number and the actions.
struct EnvironmentState: Equatable, Sendable {
  /// The chunk's actions so far.
  var actions: [UInt16] = []
  /// One digest per finished iteration of the chunk.
  var digests: [Digest] = []
  /// Recurrent state of the network before the next decision, `[S]`.
  var policyState: [Float]
  /// Discounted return of the open episode.
  var discountedReturn = 0.0

  /// The state at a chunk boundary: nothing happened yet.
  static func empty(stateSize: Int) -> EnvironmentState {
    EnvironmentState(policyState: [Float](repeating: 0, count: stateSize))
  }
}

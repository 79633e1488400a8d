import Hashing
import PPO

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
  /// Recurrent state of the reference policy, `[S]`; empty without one.
  var referenceState: [Float] = []
  /// Memory of the temperature controller; nil without one.
  var temperature: TemperatureState?

  /// The state at a chunk boundary: nothing happened yet.
  static func empty(stateSize: Int, hasReference: Bool = false, hasTemperature: Bool = false) -> EnvironmentState {
    let state = [Float](repeating: 0, count: stateSize)
    return EnvironmentState(
      policyState: state, referenceState: hasReference ? state : [], temperature: hasTemperature ? TemperatureState() : nil)
  }
}

import ExactMath
import Randomness

/// The cart-pole task of Barto, Sutton and Anderson (1983) with the equations, constants and limits of Gymnasium's CartPole-v1.
///
/// Observation: x [m], velocity [m/s], pole angle [rad], angular velocity [rad/s]. Action 0 pushes left, 1 right, by 10 N. One step is 0.02 s
/// of explicit Euler in double precision; every step is rewarded with 1. Terminated when |x| > 2.4 m or |angle| > 12 degrees; truncated
/// after 500 steps. An episode that ends is followed by one whose start is drawn from (seed, environment, chunk, environment number, episode).
///
/// A step 500 that also leaves the limits counts as terminated, not truncated (Gymnasium's wrapper sets both flags).
public struct CartPole: Environment {
  /// "cartpole"
  public static let kind = "cartpole"
  /// 1 if the pole fell or the cart left, 0 if the episode was cut.
  public static let episodeFields = ["terminated"]
  /// None.
  public static let infoFields: [String] = []

  /// Steps after which an episode is cut.
  public static let stepLimit = 500

  static let gravity = 9.8
  static let cartMass = 1.0
  static let poleMass = 0.1
  static let totalMass = poleMass + cartMass
  /// Half the pole's length.
  static let length = 0.5
  static let poleMassLength = poleMass * length
  static let force = 10.0
  static let tau = 0.02
  static let positionLimit = 2.4
  static let angleLimit = 12 * 2 * Double.pi / 360

  /// x, velocity, angle, angular velocity.
  private(set) var state: SIMD4<Double>
  private var final = SIMD4<Double>.zero
  private var steps = 0
  private var seed: UInt64 = 0
  private var chunk = 0
  private var environment = 0
  private var episode = 0

  /// The first episode of (seed 0, chunk 0, environment 0).
  public init() {
    state = .zero
    beginEpisode()
  }

  /// An episode that starts in `state`; what follows it is drawn as usual.
  init(state: SIMD4<Double>) {
    self.state = state
  }

  /// Position, velocity, angle, angular velocity.
  public var observationNames: [String] { ["position", "velocity", "angle", "angular_velocity"] }
  /// 4
  public var observationSize: Int { 4 }
  /// 2: left, right.
  public var actionCount: Int { 2 }

  /// Draws the first episode of (`seed`, `chunk`, `environment`).
  public mutating func reset(seed: UInt64, chunk: Int, environment: Int) {
    self.seed = seed
    self.chunk = chunk
    self.environment = environment
    episode = 0
    final = .zero
    beginEpisode()
  }

  /// Pushes left (0) or right (1) for 0.02 s.
  public mutating func step(_ action: Int) -> StepResult {
    precondition(action == 0 || action == 1, "cart-pole has actions 0 and 1")
    integrate(force: action == 1 ? Self.force : -Self.force)
    steps += 1
    let terminated = abs(state[0]) > Self.positionLimit || abs(state[2]) > Self.angleLimit
    let truncated = !terminated && steps >= Self.stepLimit
    var result = StepResult(reward: 1, terminated: terminated, truncated: truncated)
    if result.isEpisodeEnd {
      result.episode = record(terminated: terminated)
      final = state
      episode += 1
      beginEpisode()
    }
    return result
  }

  /// Writes the state in single precision, `[4]`.
  public func observe(into observation: inout MutableSpan<Float>) {
    Self.write(state, into: &observation)
  }

  /// Writes the state in which the last episode ended, `[4]`; zeros before.
  public func finalObservation(into observation: inout MutableSpan<Float>) {
    Self.write(final, into: &observation)
  }

  /// Allows both actions.
  public func actionMask(into mask: inout MutableSpan<UInt8>) {
    precondition(mask.count == actionCount, "mask has another length than the actions")
    for action in mask.indices { mask[action] = 1 }
  }

  /// Writes nothing: there are no info values.
  public func info(into values: inout MutableSpan<Double>) {
    precondition(values.count == 0, "cart-pole has no info values")
  }

  /// The open episode, nil before its first step.
  public func closingRecord() -> EpisodeRecord? {
    steps == 0 ? nil : record(terminated: false)
  }

  // MARK: Helpers

  /// One Euler step; positions take the velocities from before it.
  private mutating func integrate(force: Double) {
    let (position, velocity, angle, angularVelocity) = (state[0], state[1], state[2], state[3])
    let cosine = ExactMath.cos(angle)
    let sine = ExactMath.sin(angle)
    let push = (force + Self.poleMassLength * (angularVelocity * angularVelocity) * sine) / Self.totalMass
    let angularAcceleration =
      (Self.gravity * sine - cosine * push) / (Self.length * (4.0 / 3.0 - Self.poleMass * (cosine * cosine) / Self.totalMass))
    let acceleration = push - Self.poleMassLength * angularAcceleration * cosine / Self.totalMass
    state[0] = position + Self.tau * velocity
    state[1] = velocity + Self.tau * acceleration
    state[2] = angle + Self.tau * angularVelocity
    state[3] = angularVelocity + Self.tau * angularAcceleration
  }

  private mutating func beginEpisode() {
    steps = 0
    var stream = RandomStream(seed: seed, purpose: .environment, chunk: chunk, environment: environment, index: episode)
    for i in 0..<4 { state[i] = 0.1 * stream.uniform() - 0.05 }
  }

  private func record(terminated: Bool) -> EpisodeRecord {
    EpisodeRecord(length: steps, return: Double(steps), values: [terminated ? 1 : 0])
  }

  private static func write(_ state: SIMD4<Double>, into observation: inout MutableSpan<Float>) {
    precondition(observation.count == 4, "a cart-pole observation has 4 entries")
    for i in 0..<4 { observation[i] = Float(state[i]) }
  }
}

import Randomness

/// Checks that an environment keeps the promises that replay and resume rest on.
///
/// Works on any `Environment`, so that a new one is held to the same rules as those built in: one test that expects
/// `violations(of:)` to be empty.
public enum EnvironmentContract {
  /// Drives copies of `prototype` with random allowed actions and collects what they do wrong.
  ///
  /// - Parameters:
  ///   - prototype: a configured environment, in any state.
  ///   - seeds: seeds of environment and actions.
  ///   - steps: decisions per trajectory; choose it so that several episodes end if they end by themselves.
  /// - Returns: one line per violation, naming the seed; empty if the contract is kept.
  public static func violations<E: Environment>(of prototype: E, seeds: [UInt64] = [1, 2, 3], steps: Int = 200) -> [String] {
    precondition(steps >= 2, "a trajectory needs two steps or more")
    var found = shapeViolations(of: prototype)
    if !found.isEmpty { return found }
    for seed in seeds {
      found += seedViolations(of: prototype, seed: seed, steps: steps).map { "seed \(seed): \($0)" }
    }
    return found
  }

  // MARK: Static promises

  private static func shapeViolations<E: Environment>(of environment: E) -> [String] {
    var found: [String] = []
    let names = environment.observationNames
    if environment.observationSize < 1 { found.append("observationSize is \(environment.observationSize)") }
    if environment.actionCount < 1 { found.append("actionCount is \(environment.actionCount)") }
    if names.count != environment.observationSize {
      found.append("\(names.count) observation names for \(environment.observationSize) entries")
    }
    for (kind, list) in [("observation", names), ("episode", E.episodeFields), ("info", E.infoFields)] {
      let sorted = list.sorted()
      for (left, right) in zip(sorted, sorted.dropFirst()) where left == right { found.append("\(kind) name \(left) occurs twice") }
      if list.contains("") { found.append("an \(kind) name is empty") }
    }
    return found
  }

  // MARK: Behaviour

  private static func seedViolations<E: Environment>(of prototype: E, seed: UInt64, steps: Int) -> [String] {
    var found: [String] = []
    func expectEqual(_ left: Trajectory, _ right: Trajectory, _ claim: String) {
      if let place = left.firstDifference(from: right) { found.append("\(claim): \(place) differs") }
    }
    var environment = prototype
    environment.reset(seed: seed, chunk: 1, environment: 0)
    var reference = Trajectory()
    found += reference.drive(&environment, seed: seed, steps: steps, actions: nil)
    if environment.observationNames != prototype.observationNames || environment.actionCount != prototype.actionCount {
      found.append("names or sizes change with the steps")
    }

    // The used environment, reset: history must not matter. Replay of the recorded actions: only they may matter.
    environment.reset(seed: seed, chunk: 1, environment: 0)
    var replay = Trajectory()
    found += replay.drive(&environment, seed: seed, steps: steps, actions: reference.actions)
    expectEqual(replay, reference, "reset after use and replay of the actions")

    // Steps alone: reading must not matter.
    var unread = prototype
    unread.reset(seed: seed, chunk: 1, environment: 0)
    for action in reference.actions.prefix(steps / 2) { _ = unread.step(action) }
    var tail = Trajectory()
    found += tail.drive(&unread, seed: seed, steps: steps - steps / 2, actions: Array(reference.actions.dropFirst(steps / 2)))
    expectEqual(tail, reference.suffix(from: steps / 2), "observing changes what follows")

    found += copyViolations(of: prototype, seed: seed, reference: reference)

    for (chunk, number) in [(2, 0), (1, 1)] {
      var other = prototype
      other.reset(seed: seed, chunk: chunk, environment: number)
      var trajectory = Trajectory()
      // Its own draws, of the same stream: what is allowed there may differ.
      found += trajectory.drive(&other, seed: seed, steps: steps, actions: nil)
      if trajectory.firstDifference(from: reference) == nil {
        found.append("chunk \(chunk), environment \(number) repeats chunk 1, environment 0")
      }
    }
    return found
  }

  /// A copy made half-way, driven elsewhere before, must neither feel nor disturb the original.
  private static func copyViolations<E: Environment>(of prototype: E, seed: UInt64, reference: Trajectory) -> [String] {
    var found: [String] = []
    let half = reference.actions.count / 2
    let rest = Array(reference.actions.dropFirst(half))
    let expected = reference.suffix(from: half)
    var original = prototype
    original.reset(seed: seed, chunk: 1, environment: 0)
    for action in reference.actions.prefix(half) { _ = original.step(action) }
    let kept = original
    var stray = original
    var elsewhere = Trajectory()
    found += elsewhere.drive(&stray, seed: seed &+ 1, steps: rest.count, actions: nil)
    var continued = Trajectory()
    found += continued.drive(&original, seed: seed, steps: rest.count, actions: rest)
    if let place = continued.firstDifference(from: expected) { found.append("a driven copy changes the original: \(place) differs") }
    var copy = kept
    var copied = Trajectory()
    found += copied.drive(&copy, seed: seed, steps: rest.count, actions: rest)
    if let place = copied.firstDifference(from: expected) { found.append("a copy continues differently: \(place) differs") }
    return found
  }
}

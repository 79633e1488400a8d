import Randomness

extension EnvironmentContract {
  /// Everything visible of a run through an environment, as bits.
  struct Trajectory {
    private(set) var actions: [Int] = []
    private(set) var records: [Step] = []

    /// One decision and its outcome.
    struct Step {
      var observation: [UInt32] = []
      var mask: [UInt8] = []
      var result = StepResult(reward: 0)
      var info: [UInt64] = []
      var final: [UInt32] = []
      var closing: EpisodeRecord?
    }

    /// Drives `environment` from its pending decision on.
    ///
    /// - Parameters:
    ///   - seed: of the actions if none are given.
    ///   - actions: recorded actions, `[steps]`; nil: uniform over the allowed ones.
    /// - Returns: violations that one trajectory shows by itself, the first of each kind.
    mutating func drive<E: Environment>(_ environment: inout E, seed: UInt64, steps: Int, actions given: [Int]?) -> [String] {
      var found: [String] = []
      func complain(_ line: String, step: Int) {
        if found.count < 8 { found.append("step \(step): \(line)") }
      }
      var stream = RandomStream(seed: seed, purpose: .stabilisation)
      // A trajectory that starts inside an episode learns the episode's past from the closing record.
      var length = environment.closingRecord()?.length ?? 0
      var total = environment.closingRecord()?.return ?? 0
      for index in 0..<steps {
        var step = Step()
        step.observation = read(environment.observationSize, Float.nan) { environment.observe(into: &$0) }.map(\.bitPattern)
        let again = read(environment.observationSize, Float(-1)) { environment.observe(into: &$0) }.map(\.bitPattern)
        if again != step.observation { complain("a repeated observe gives other values", step: index) }
        if !step.observation.allSatisfy({ Float(bitPattern: $0).isFinite }) { complain("an observation is not finite", step: index) }
        step.mask = read(environment.actionCount, UInt8(9)) { environment.actionMask(into: &$0) }
        if !step.mask.allSatisfy({ $0 <= 1 }) || !step.mask.contains(1) { complain("the mask \(step.mask) is not valid", step: index) }

        let action = given?[index] ?? Self.draw(step.mask, &stream)
        actions.append(action)
        step.result = environment.step(action)
        length += 1
        total += Double(step.result.reward)

        if !step.result.reward.isFinite { complain("the reward is not finite", step: index) }
        if step.result.terminated && step.result.truncated { complain("terminated and truncated at once", step: index) }
        if step.result.isEpisodeEnd != (step.result.episode != nil) {
          complain("an episode record without end, or the reverse", step: index)
        }
        step.info = read(E.infoFields.count, Double.nan) { environment.info(into: &$0) }.map(\.bitPattern)
        if !step.info.allSatisfy({ Double(bitPattern: $0).isFinite }) { complain("an info value is not finite", step: index) }
        if let record = step.result.episode {
          for line in Self.complaints(record, length: length, total: total, fields: E.episodeFields.count) { complain(line, step: index) }
          step.final = read(environment.observationSize, Float.nan) { environment.finalObservation(into: &$0) }.map(\.bitPattern)
          if !step.final.allSatisfy({ Float(bitPattern: $0).isFinite }) { complain("a final observation is not finite", step: index) }
          length = 0
          total = 0
        }
        step.closing = environment.closingRecord()
        if let record = step.closing {
          for line in Self.complaints(record, length: length, total: total, fields: E.episodeFields.count) { complain(line, step: index) }
        } else if length != 0 {
          complain("no closing record inside an episode", step: index)
        }
        records.append(step)
      }
      return found
    }

    /// The part from decision `start` on.
    func suffix(from start: Int) -> Trajectory {
      var part = Trajectory()
      part.actions = Array(actions.dropFirst(start))
      part.records = Array(records.dropFirst(start))
      return part
    }

    /// Where two trajectories differ first, nil if they agree bit for bit.
    func firstDifference(from other: Trajectory) -> String? {
      if records.count != other.records.count { return "the number of steps" }
      for (index, (left, right)) in zip(records, other.records).enumerated() {
        if left.observation != right.observation { return "the observation of step \(index)" }
        if left.mask != right.mask { return "the mask of step \(index)" }
        if left.result != right.result || left.result.reward.bitPattern != right.result.reward.bitPattern {
          return "the result of step \(index)"
        }
        if left.info != right.info { return "the info of step \(index)" }
        if left.final != right.final { return "the final observation of step \(index)" }
        if left.closing != right.closing { return "the closing record of step \(index)" }
      }
      return nil
    }

    private static func draw(_ mask: [UInt8], _ stream: inout RandomStream) -> Int {
      let allowed = mask.indices.filter { mask[$0] == 1 }
      return allowed.isEmpty ? 0 : allowed[stream.bounded(allowed.count)]
    }

    private static func complaints(_ record: EpisodeRecord, length: Int, total: Double, fields: Int) -> [String] {
      var lines: [String] = []
      if record.length != length { lines.append("an episode of \(length) steps is recorded with \(record.length)") }
      if record.return != total { lines.append("an episode with return \(total) is recorded with \(record.return)") }
      if record.values.count != fields { lines.append("an episode record has \(record.values.count) values for \(fields) fields") }
      if !record.values.allSatisfy(\.isFinite) { lines.append("an episode value is not finite") }
      return lines
    }
  }

  /// `count` elements written by `body` into storage that starts as `filler`, so that an entry left unwritten shows.
  private static func read<Element>(_ count: Int, _ filler: Element, _ body: (inout MutableSpan<Element>) -> Void) -> [Element] {
    var storage = [Element](repeating: filler, count: count)
    var span = storage.mutableSpan
    body(&span)
    return storage
  }
}

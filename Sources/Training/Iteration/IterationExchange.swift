import Environments
import Hashing
import PPO
import Ranks

/// What one environment contributes to a finished iteration, as its rank sends it to rank 0.
struct EnvironmentContribution: Equatable {
  /// Actions of this iteration.
  var actions: [UInt16]
  /// Digest of this iteration.
  var digest: Digest
  /// Recurrent state after it.
  var policyState: [Float]
  /// Discounted return after it.
  var discountedReturn: Double
  /// Recurrent state of the reference policy after it.
  var referenceState: [Float]
  /// Memory of the temperature controller after it.
  var temperature: TemperatureState?
  /// End-to-end times of the requests that completed.
  var latencies: [Double]
  /// Simulated time that passed.
  var simulatedSeconds: Double
  /// Sum of raw rewards.
  var rewardSum: Double
  /// Sums of the environment's info fields.
  var infoSums: [Double]
  /// Episodes that ended.
  var episodes: [EpisodeRecord]

  /// Of `runner` after an iteration of `share` decisions.
  init<E>(_ runner: EnvironmentRunner<E>, share: Int) {
    actions = Array(runner.actions.suffix(share))
    guard let last = runner.digests.last else { preconditionFailure("an iteration ends with its digest") }
    digest = last
    policyState = runner.policyState
    discountedReturn = runner.discountedReturn
    referenceState = runner.referenceState
    temperature = runner.state.temperature
    latencies = runner.latencies
    simulatedSeconds = runner.simulatedElapsed
    rewardSum = runner.rewardSum
    infoSums = runner.infoSums
    episodes = runner.episodes
  }

  /// Reads what `write` wrote.
  init(_ reader: inout MessageReader) {
    actions = reader.readArray(of: UInt16.self)
    guard let digest = Digest(bytes: reader.readArray(of: UInt8.self)) else { preconditionFailure("a digest has 32 bytes") }
    self.digest = digest
    policyState = reader.readArray(of: Float.self)
    discountedReturn = reader.readDouble()
    referenceState = reader.readArray(of: Float.self)
    temperature = reader.readInt() == 1 ? TemperatureState(&reader) : nil
    latencies = reader.readArray(of: Double.self)
    simulatedSeconds = reader.readDouble()
    rewardSum = reader.readDouble()
    infoSums = reader.readArray(of: Double.self)
    episodes = (0..<reader.readInt()).map { _ in
      EpisodeRecord(length: reader.readInt(), return: reader.readDouble(), values: reader.readArray(of: Double.self))
    }
  }

  /// Appends this contribution to a message.
  func write(to writer: inout MessageWriter) {
    writer.write(actions)
    writer.write(digest.bytes)
    writer.write(policyState)
    writer.write(discountedReturn)
    writer.write(referenceState)
    writer.write(temperature == nil ? 0 : 1)
    temperature?.write(to: &writer)
    writer.write(latencies)
    writer.write(simulatedSeconds)
    writer.write(rewardSum)
    writer.write(infoSums)
    writer.write(episodes.count)
    for episode in episodes {
      writer.write(episode.length)
      writer.write(episode.return)
      writer.write(episode.values)
    }
  }
}

extension TemperatureState {
  /// Reads what `write` wrote.
  fileprivate init(_ reader: inout MessageReader) {
    self.init()
    stepCount = reader.readInt()
    lastPulseStep = reader.readInt()
    pulseRemaining = reader.readInt()
    isPulsing = reader.readInt() == 1
    ratePressure = reader.readDouble()
    latencyPressure = reader.readDouble()
    temperature = reader.readDouble()
    changes = reader.readArray(of: Double.self)
  }

  /// Appends the state to a message.
  fileprivate func write(to writer: inout MessageWriter) {
    writer.write(stepCount)
    writer.write(lastPulseStep)
    writer.write(pulseRemaining)
    writer.write(isPulsing ? 1 : 0)
    writer.write(ratePressure)
    writer.write(latencyPressure)
    writer.write(temperature)
    writer.write(changes)
  }
}

/// One rank's part of a finished iteration.
struct IterationPart {
  /// In environment order.
  var contributions: [EnvironmentContribution]
  /// Transitions, nil after a stabilising iteration.
  var rollout: Rollout?

  /// The part as one message.
  func message() -> [UInt8] {
    var writer = MessageWriter()
    writer.write(contributions.count)
    for contribution in contributions { contribution.write(to: &writer) }
    writer.write(rollout?.bytes() ?? [])
    return writer.bytes
  }

  init(contributions: [EnvironmentContribution], rollout: Rollout?) {
    self.contributions = contributions
    self.rollout = rollout
  }

  /// Reads `message()` back.
  init(message: [UInt8]) {
    var reader = MessageReader(message)
    contributions = (0..<reader.readInt()).map { _ in EnvironmentContribution(&reader) }
    let bytes = reader.readArray(of: UInt8.self)
    precondition(reader.isAtEnd, "a part ends with its rollout")
    do throws(RolloutFormatError) {
      rollout = bytes.isEmpty ? nil : try Rollout(bytes: bytes)
    } catch {
      preconditionFailure("a rank of this program sent \(error)")
    }
  }
}

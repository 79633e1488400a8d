#if _endian(big)
  #error("rollouts are exchanged in little-endian byte order")
#endif

/// Bytes that are no rollout.
public struct RolloutFormatError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public let reason: String
  /// One line for people.
  public var description: String { "rollout bytes: \(reason)" }
}

extension Rollout {
  private static let magic: Int64 = 0x3254_4c52_4f50  // "PORLT2"
  private static let headerWords = 8

  /// The rollout as bytes, little endian: header words, segment lengths, then each field in the order of declaration. For the exchange
  /// between ranks of one program; not a file format.
  public func bytes() -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(8 * (Rollout.headerWords + segmentLengths.count) + count * Rollout.transitionBytes(shape))
    let header: [Int64] = [
      Rollout.magic, Int64(shape.observationSize), Int64(shape.actionCount), Int64(shape.stateSize), shape.hasReference ? 1 : 0,
      Int64(segmentLengths.count), Int64(count), Int64(actionAdvantages.count / shape.actionCount),
    ]
    Rollout.append(header, to: &result)
    Rollout.append(segmentLengths.map { Int64($0) }, to: &result)
    Rollout.append(observations, to: &result)
    Rollout.append(states, to: &result)
    Rollout.append(logits, to: &result)
    Rollout.append(referenceLogits, to: &result)
    Rollout.append(masks, to: &result)
    Rollout.append(temperatures, to: &result)
    Rollout.append(actions, to: &result)
    Rollout.append(logProbabilities, to: &result)
    Rollout.append(values, to: &result)
    Rollout.append(rewards, to: &result)
    Rollout.append(terminal, to: &result)
    Rollout.append(cut, to: &result)
    Rollout.append(valuesNext, to: &result)
    Rollout.append(actionAdvantageRows, to: &result)
    Rollout.append(actionAdvantages, to: &result)
    return result
  }

  /// Reads `bytes()` back; all bytes must be used.
  public init(bytes: [UInt8]) throws(RolloutFormatError) {
    var offset = 0
    let header: [Int64] = try Rollout.take(Rollout.headerWords, from: bytes, at: &offset)
    guard header[0] == Rollout.magic else { throw RolloutFormatError(reason: "no rollout begins here") }
    guard header[1] > 0, header[2] > 0, header.dropFirst().allSatisfy({ $0 >= 0 && $0 < 1 << 31 }), header[4] <= 1 else {
      throw RolloutFormatError(reason: "sizes out of range")
    }
    let shape = RolloutShape(
      observationSize: Int(header[1]), actionCount: Int(header[2]), stateSize: Int(header[3]), hasReference: header[4] == 1)
    let lengths: [Int64] = try Rollout.take(Int(header[5]), from: bytes, at: &offset)
    let count = Int(header[6])
    guard lengths.allSatisfy({ $0 >= 0 && $0 <= count }), lengths.reduce(0, +) == Int64(count) else {
      throw RolloutFormatError(reason: "segments do not add up")
    }
    let labelled = Int(header[7])
    let labelBytes = labelled > 0 ? 4 * (count + labelled * shape.actionCount) : 0
    guard bytes.count - offset == count * Rollout.transitionBytes(shape) + labelBytes else {
      throw RolloutFormatError(reason: "\(bytes.count) bytes do not fit \(count) transitions")
    }
    self.init(shape, segmentLengths: lengths.map { Int($0) })
    observations = try Rollout.take(observations.count, from: bytes, at: &offset)
    states = try Rollout.take(states.count, from: bytes, at: &offset)
    logits = try Rollout.take(logits.count, from: bytes, at: &offset)
    referenceLogits = try Rollout.take(referenceLogits.count, from: bytes, at: &offset)
    masks = try Rollout.take(masks.count, from: bytes, at: &offset)
    temperatures = try Rollout.take(count, from: bytes, at: &offset)
    actions = try Rollout.take(count, from: bytes, at: &offset)
    logProbabilities = try Rollout.take(count, from: bytes, at: &offset)
    values = try Rollout.take(count, from: bytes, at: &offset)
    rewards = try Rollout.take(count, from: bytes, at: &offset)
    terminal = try Rollout.take(count, from: bytes, at: &offset)
    cut = try Rollout.take(count, from: bytes, at: &offset)
    valuesNext = try Rollout.take(count, from: bytes, at: &offset)
    if labelled > 0 {
      actionAdvantageRows = try Rollout.take(count, from: bytes, at: &offset)
      actionAdvantages = try Rollout.take(labelled * shape.actionCount, from: bytes, at: &offset)
      guard actionAdvantageRows.allSatisfy({ $0 >= -1 && $0 < labelled }) else {
        throw RolloutFormatError(reason: "advantages of a row that is not there")
      }
    }
    guard actions.allSatisfy({ $0 >= 0 && $0 < shape.actionCount }) else { throw RolloutFormatError(reason: "action out of range") }
  }

  /// The transitions of `parts` one after another: ranks in order, each with its environments in order.
  public init(concatenating parts: [Rollout]) {
    precondition(!parts.isEmpty, "nothing to concatenate")
    precondition(parts.allSatisfy { $0.shape == parts[0].shape }, "rollouts of two shapes")
    self.init(parts[0].shape, segmentLengths: [])
    let total = parts.reduce(0) { $0 + $1.count }
    observations.reserveCapacity(total * shape.observationSize)
    states.reserveCapacity(total * shape.stateSize)
    let hasLabels = parts.contains { !$0.actionAdvantageRows.isEmpty }
    for part in parts {
      if hasLabels {
        let shift = Int32(actionAdvantages.count / shape.actionCount)
        let rows = part.actionAdvantageRows.isEmpty ? [Int32](repeating: -1, count: part.count) : part.actionAdvantageRows
        actionAdvantageRows += rows.map { $0 < 0 ? -1 : $0 + shift }
        actionAdvantages += part.actionAdvantages
      }
      segmentLengths += part.segmentLengths
      observations += part.observations
      states += part.states
      logits += part.logits
      referenceLogits += part.referenceLogits
      masks += part.masks
      temperatures += part.temperatures
      actions += part.actions
      logProbabilities += part.logProbabilities
      values += part.values
      rewards += part.rewards
      terminal += part.terminal
      cut += part.cut
      valuesNext += part.valuesNext
    }
    segmentStarts = Rollout.starts(segmentLengths)
  }

  /// Bytes of one transition over all fields.
  static func transitionBytes(_ shape: RolloutShape) -> Int {
    4 * (shape.observationSize + shape.stateSize + shape.actionCount * (shape.hasReference ? 2 : 1)) + shape.actionCount + 4 * 6 + 2
  }

  private static func append<Element: BitwiseCopyable>(_ values: [Element], to bytes: inout [UInt8]) {
    // Numbers of fixed width as they lie in memory: one block copy a field.
    values.withUnsafeBytes { bytes.append(contentsOf: $0) }
  }

  private static func take<Element: BitwiseCopyable>(
    _ count: Int, from bytes: [UInt8], at offset: inout Int
  ) throws(RolloutFormatError) -> [Element] {
    let size = count * MemoryLayout<Element>.stride
    guard size <= bytes.count - offset else { throw RolloutFormatError(reason: "\(bytes.count) bytes end inside a field") }
    let first = offset
    offset += size
    // The counterpart of `append`: every bit pattern of these types is a value.
    return [Element](unsafeUninitializedCapacity: count) { target, initialised in
      bytes.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(target).copyMemory(from: UnsafeRawBufferPointer(rebasing: source[first..<(first + size)]))
      }
      initialised = count
    }
  }
}

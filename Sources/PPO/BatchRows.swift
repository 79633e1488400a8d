import Neural

// The row-by-row operations of acting, over the arrays of a batch of environments. Views of several arrays of one value cannot be taken
// while another of its arrays changes; whole arrays and a row number can be passed.

extension RolloutShape {
  /// Sizes of the transitions of `network`.
  public init(_ network: Network, hasReference: Bool = false) {
    self.init(
      observationSize: network.observationSize, actionCount: network.actionCount, stateSize: network.stateSize,
      hasReference: hasReference)
  }
}

extension Rollout {
  /// Records the decision of row `row` of batch arrays: `observations` `[., D]`, `states` `[., S]` before the step, `masks` `[., A]`,
  /// `logits` `[., A]`, `referenceLogits` `[., A]` (empty without a reference policy).
  public mutating func recordDecision(
    at index: Int, row: Int, observations: [Float], states: [Float], masks: [UInt8], logits: [Float], referenceLogits: [Float] = [],
    action: Int, logProbability: Float, value: Float, temperature: Float
  ) {
    let actionRange = (row * shape.actionCount)..<((row + 1) * shape.actionCount)
    recordDecision(
      at: index, observation: observations.span.extracting((row * shape.observationSize)..<((row + 1) * shape.observationSize)),
      state: states.span.extracting((row * shape.stateSize)..<((row + 1) * shape.stateSize)), mask: masks.span.extracting(actionRange),
      logits: logits.span.extracting(actionRange),
      referenceLogits: referenceLogits.span.extracting(shape.hasReference ? actionRange : 0..<0), action: action,
      logProbability: logProbability, value: value, temperature: temperature)
  }
}

extension ActionSampler {
  /// `sample` for row `row` of batch arrays `[., A]`.
  public mutating func sample(
    logits: [Float], masks: [UInt8], row: Int, temperature: Float, uniform: Double
  ) -> (action: Int, logProbability: Float) {
    let range = (row * actionCount)..<((row + 1) * actionCount)
    return sample(
      logits: logits.span.extracting(range), mask: masks.span.extracting(range), temperature: temperature, uniform: uniform)
  }

  /// `greedy` for row `row` of batch arrays `[., A]`.
  public mutating func greedy(logits: [Float], masks: [UInt8], row: Int) -> (action: Int, logProbability: Float) {
    let range = (row * actionCount)..<((row + 1) * actionCount)
    return greedy(logits: logits.span.extracting(range), mask: masks.span.extracting(range))
  }
}

extension RunningStatistics {
  /// Takes in row `row` of `samples` `[., dimension]`.
  public mutating func add(_ samples: [Float], row: Int) {
    add(samples.span.extracting((row * dimension)..<((row + 1) * dimension)))
  }
}

extension FrozenStatistics {
  /// Normalises row `row` of `raw` `[., dimension]` into the same row of `result`.
  public func normalise(_ raw: [Float], row: Int, into result: inout [Float]) {
    normalise(raw.span.extracting((row * dimension)..<((row + 1) * dimension)), into: &result, at: row * dimension)
  }
}

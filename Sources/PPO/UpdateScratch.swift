import Neural
import Randomness

/// Arrays of an update, kept between updates so that a minibatch does not allocate.
struct UpdateScratch {
  /// Before, then after standardisation `[T]`.
  var advantages: [Float] = []
  /// Advantages (before standardisation) plus values `[T]`.
  var returns: [Float] = []
  /// All log-probabilities of the acting policy `[T, A]`.
  var oldLogP: [Float] = []
  /// Order of the transitions in this epoch `[T]`.
  var order: [Int32] = []
  /// Of a minibatch `[B, A]` and `[B]`.
  var logits: [Float]
  var values: [Float]
  var logitGradients: [Float]
  var valueGradients: [Float]
  var loss: PPOLoss
  /// One distribution `[A]`.
  private var rowLogP: [Float]
  private let actionCount: Int
  /// Sums of blocks on their way to those of a minibatch.
  private var tree = TreeSum<LossSums>()

  init(actionCount: Int, rows: Int) {
    self.actionCount = actionCount
    logits = [Float](repeating: 0, count: rows * actionCount)
    values = [Float](repeating: 0, count: rows)
    logitGradients = [Float](repeating: 0, count: rows * actionCount)
    valueGradients = [Float](repeating: 0, count: rows)
    loss = PPOLoss(LossConfiguration(), actionCount: actionCount)
    rowLogP = [Float](repeating: 0, count: actionCount)
  }

  /// Advantages, returns and the acting policy's distribution; fills the metrics that describe the rollout.
  mutating func prepare(_ rollout: borrowing Rollout, configuration: PPOConfiguration, metrics: inout UpdateMetrics) {
    precondition(rollout.shape.actionCount == actionCount, "rollout of another network")
    let count = rollout.count
    loss = PPOLoss(configuration.loss, actionCount: actionCount)
    resize(&advantages, count)
    resize(&returns, count)
    resize(&oldLogP, count * actionCount)
    var span = advantages.mutableSpan
    for (start, length) in zip(rollout.segmentStarts, rollout.segmentLengths) {
      let range = start..<(start + length)
      gae(
        rewards: rollout.rewards.span.extracting(range), values: rollout.values.span.extracting(range),
        valuesNext: rollout.valuesNext.span.extracting(range), terminal: rollout.terminal.span.extracting(range),
        cut: rollout.cut.span.extracting(range), gamma: configuration.gamma, lambda: configuration.lambda, advantages: &span,
        from: start)
    }
    for t in 0..<count { returns[t] = advantages[t] + rollout.values[t] }
    for t in 0..<count {
      let range = (t * actionCount)..<((t + 1) * actionCount)
      var row = rowLogP.mutableSpan
      ActionDistribution.logProbabilities(
        logits: rollout.logits.span.extracting(range), mask: rollout.masks.span.extracting(range), temperature: rollout.temperatures[t],
        into: &row)
      for a in 0..<actionCount { oldLogP[t * actionCount + a] = rowLogP[a] }
    }
    describe(rollout, metrics: &metrics)
    if configuration.normalizeAdvantages, count >= 2 {
      let mean = metrics.advantage.mean
      let divisor = metrics.advantage.standardDeviation + 1e-8
      for t in 0..<count { advantages[t] = Float((Double(advantages[t]) - mean) / divisor) }
    }
  }

  private func describe(_ rollout: borrowing Rollout, metrics: inout UpdateMetrics) {
    metrics.reward = Summary(rollout.rewards.span)
    metrics.value = Summary(rollout.values.span)
    metrics.returns = Summary(returns.span)
    metrics.advantage = Summary(advantages.span)
    metrics.temperatureMean = Summary(rollout.temperatures.span).mean
    // return - value is the advantage.
    let unexplained = metrics.advantage.standardDeviation * metrics.advantage.standardDeviation
    let spread = metrics.returns.standardDeviation * metrics.returns.standardDeviation
    metrics.explainedVariance = 1 - unexplained / (spread + 1e-8)
    metrics.actionCounts = [Int](repeating: 0, count: actionCount)
    for action in rollout.actions { metrics.actionCounts[Int(action)] += 1 }
  }

  /// A fresh permutation of all transitions.
  mutating func shuffle(count: Int, stream: inout RandomStream) {
    if order.count != count { order = [Int32](repeating: 0, count: count) }
    for t in 0..<count { order[t] = Int32(t) }
    stream.shuffle(&order)
  }

  /// Loss of the minibatch at `range` of the order; leaves its gradient in `buffers`. Both are tree sums over at most `shards` blocks.
  ///
  /// - Returns: sums over the minibatch, and the gradient's global L2 norm.
  mutating func evaluate(
    _ rollout: borrowing Rollout, range: Range<Int>, shards: Int, buffers: TrainingBuffers, coefficients: LossCoefficients
  ) -> (sums: LossSums, norm: Double) {
    func join(_ left: LossSums, _ right: LossSums) -> LossSums {
      var sum = left
      sum.add(right)
      return sum
    }
    for block in range.blocks(shards) {
      let sums = evaluateBlock(rollout, range: block, samples: range.count, buffers: buffers, coefficients: coefficients)
      buffers.addBackward(
        logitGradients: logitGradients.span.extracting(0..<(block.count * actionCount)),
        valueGradients: valueGradients.span.extracting(0..<block.count))
      tree.add(sums, join: join)
    }
    guard let sums = tree.finish(join: join) else { preconditionFailure("a minibatch needs transitions") }
    return (sums, buffers.finishSum())
  }

  /// Forward pass and loss of a block of a minibatch of `samples` transitions; leaves the gradients at the heads.
  private mutating func evaluateBlock(
    _ rollout: borrowing Rollout, range: Range<Int>, samples: Int, buffers: TrainingBuffers, coefficients: LossCoefficients
  ) -> LossSums {
    buffers.forward(
      observations: rollout.observations, states: rollout.states, order: order, range: range, logits: &logits, values: &values)
    return loss.evaluate(
      rollout, order: order, range: range, samples: samples, logits: logits, values: values, oldLogP: oldLogP, advantages: advantages,
      returns: returns, coefficients: coefficients, logitGradients: &logitGradients, valueGradients: &valueGradients)
  }

  private func resize(_ array: inout [Float], _ count: Int) {
    if array.count != count { array = [Float](repeating: 0, count: count) }
  }
}

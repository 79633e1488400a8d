import ExactMath
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
  /// As the rollout has them, standardised.
  var actionAdvantages: [Float] = []
  /// Order of the sequences in this epoch. Without sequences a sequence is a transition, and its number the transition's.
  var order: [Int32] = []
  /// First transition of each sequence, and its length.
  private var starts: [Int32] = []
  private var lengths: [Int32] = []
  /// Transitions of a block and how they lie in time.
  private var rows: [Int32] = []
  private var steps = TimeSteps(rows: 1)
  private var sorted: [Int32] = []
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
    cutSequences(rollout, length: configuration.sequenceLength)
    actionAdvantages = rollout.actionAdvantages
    if configuration.normalizeAdvantages { standardiseActionAdvantages(rollout) }
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

  /// Cuts the segments into sequences of at most `length` transitions. An episode's end ends a sequence: the next one starts from the stored
  /// state, which is zero there, so the recurrence never crosses a reset.
  private mutating func cutSequences(_ rollout: borrowing Rollout, length: Int) {
    starts.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    for (start, count) in zip(rollout.segmentStarts, rollout.segmentLengths) {
      var first = start
      for t in start..<(start + count) where t + 1 - first == length || t + 1 == start + count || rollout.isEnd(t) {
        starts.append(Int32(first))
        lengths.append(Int32(t + 1 - first))
        first = t + 1
      }
    }
  }

  /// Centres each row at its mean under the acting policy and divides all by their root mean square under it.
  private mutating func standardiseActionAdvantages(_ rollout: borrowing Rollout) {
    var squares = 0.0
    var count = 0
    for t in 0..<rollout.count {
      guard let row = rollout.actionAdvantageRow(t) else { continue }
      let (label, first) = (row * actionCount, t * actionCount)
      var mean = 0.0
      for a in 0..<actionCount where oldLogP[first + a] != -.infinity {
        mean += Double(ExactMath.exp(oldLogP[first + a])) * Double(actionAdvantages[label + a])
      }
      for a in 0..<actionCount where oldLogP[first + a] != -.infinity {
        let centred = Double(actionAdvantages[label + a]) - mean
        actionAdvantages[label + a] = Float(centred)
        squares += Double(ExactMath.exp(oldLogP[first + a])) * centred * centred
      }
      count += 1
    }
    guard count > 0 else { return }
    let divisor = (squares / Double(count)).squareRoot() + 1e-8
    for i in actionAdvantages.indices { actionAdvantages[i] = Float(Double(actionAdvantages[i]) / divisor) }
  }

  /// Sequences of the rollout.
  var sequenceCount: Int { starts.count }

  /// A fresh permutation of all sequences.
  mutating func shuffle(stream: inout RandomStream) {
    let count = sequenceCount
    if order.count != count { order = [Int32](repeating: 0, count: count) }
    for i in 0..<count { order[i] = Int32(i) }
    stream.shuffle(&order)
  }

  /// The sequences of the order from `first` on that make a minibatch of at most `size` transitions.
  func minibatch(from first: Int, size: Int) -> Range<Int> {
    var last = first
    var count = 0
    while last < order.count {
      count += Int(lengths[Int(order[last])])
      if count > size { break }
      last += 1
    }
    return first..<last
  }

  /// Transitions of the sequences at `range` of the order.
  func samples(_ range: Range<Int>) -> Int { range.reduce(0) { $0 + Int(lengths[Int(order[$1])]) } }

  /// Loss of the sequences at `range` of the order, a minibatch; leaves its gradient in `buffers`. Both are tree sums over at most `shards`
  /// blocks of whole sequences.
  ///
  /// - Parameter total: transitions of all minibatches whose gradients make one optimizer step; nil: of this one.
  /// - Returns: sums over the minibatch, and the gradient's global L2 norm.
  mutating func evaluate(
    _ rollout: borrowing Rollout, range: Range<Int>, total: Int? = nil, shards: Int, buffers: TrainingBuffers,
    coefficients: LossCoefficients
  ) -> (sums: LossSums, norm: Double) {
    func join(_ left: LossSums, _ right: LossSums) -> LossSums {
      var sum = left
      sum.add(right)
      return sum
    }
    let total = total ?? samples(range)
    for block in range.blocks(shards) {
      pack(block)
      let sums = evaluateBlock(rollout, samples: total, buffers: buffers, coefficients: coefficients)
      buffers.addBackward(
        logitGradients: logitGradients.span.extracting(0..<(rows.count * actionCount)),
        valueGradients: valueGradients.span.extracting(0..<rows.count))
      tree.add(sums, join: join)
    }
    guard let sums = tree.finish(join: join) else { preconditionFailure("a minibatch needs transitions") }
    return (sums, buffers.finishSum())
  }

  /// Lays the transitions of a block out step by step, longer sequences first and equal ones in their order.
  private mutating func pack(_ block: Range<Int>) {
    sorted.removeAll(keepingCapacity: true)
    let longest = block.reduce(0) { max($0, Int(lengths[Int(order[$1])])) }
    for length in (1...longest).reversed() {
      for i in block where Int(lengths[Int(order[i])]) == length { sorted.append(order[i]) }
    }
    rows.removeAll(keepingCapacity: true)
    for t in 0..<longest {
      let before = rows.count
      for sequence in sorted where Int(lengths[Int(sequence)]) > t { rows.append(starts[Int(sequence)] + Int32(t)) }
      if t == 0 { steps.reset(rows: rows.count) } else { steps.append(rows: rows.count - before) }
    }
  }

  /// Forward pass and loss of the block in `rows`, part of `samples` transitions; leaves the gradients at the heads.
  private mutating func evaluateBlock(
    _ rollout: borrowing Rollout, samples: Int, buffers: TrainingBuffers, coefficients: LossCoefficients
  ) -> LossSums {
    let range = 0..<rows.count
    buffers.forward(
      observations: rollout.observations, states: rollout.states, masks: rollout.masks, order: rows, range: range, steps: steps,
      logits: &logits, values: &values)
    return loss.evaluate(
      rollout, order: rows, range: range, samples: samples, logits: logits, values: values, oldLogP: oldLogP, advantages: advantages,
      returns: returns, actionAdvantages: actionAdvantages, coefficients: coefficients, logitGradients: &logitGradients,
      valueGradients: &valueGradients)
  }

  private func resize(_ array: inout [Float], _ count: Int) {
    if array.count != count { array = [Float](repeating: 0, count: count) }
  }
}

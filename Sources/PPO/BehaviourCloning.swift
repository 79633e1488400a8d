import Neural
import Randomness

/// Supervised training of a network's actor path on demonstrations.
///
/// Loss: cross-entropy to the soft targets, each sample weighted by total / (policies x samples of its behaviour policy), so that every behaviour
/// policy counts alike and the mean weight is 1. All tensors that the logits depend on are trained; those of the critic keep their values.
///
/// A network with memory is trained on sequences of consecutive decisions, through time. The state at a sequence's start is the one that the network has
/// there when it runs the whole episode with the parameters of the epoch's begin, as it does when it acts; scores are taken in the same way.
///
/// The result is a function of (network, configuration, demonstrations, first parameters, seed). One thread uses a value.
public struct BehaviourCloning {
  private let network: Network
  private let configuration: CloningConfiguration
  private let demonstrations: Demonstrations
  private let seed: UInt64
  /// Statistics of the training episodes.
  public let statistics: StatisticsSlot
  /// Numbers of the validation episodes, ascending.
  public let validation: [Int]
  private let training: [Int]
  /// Of each behaviour policy.
  private let weights: [Double]
  private let buffers: TrainingBuffers
  private var episodes: EpisodePass
  private var loss: SoftCrossEntropy
  // Of a batch
  private var logits: [Float]
  private var values: [Float]
  private var logitGradients: [Float]
  private let valueGradients: [Float]

  /// - Parameters:
  ///   - shape: division of the observation for its statistics.
  ///   - normalizer: makes the normaliser of the statistics of the training episodes; nil passes observations through.
  ///   - seed: of the division into training and validation, and of the order of sequences.
  /// - Precondition: at least two episodes, none empty; sizes fit the network.
  public init(
    _ network: Network, configuration: CloningConfiguration, demonstrations: Demonstrations, shape: StatisticsShape,
    normalizer: ((StatisticsSlot) -> FrozenStatistics)?, seed: UInt64
  ) {
    precondition(
      demonstrations.observationSize == network.observationSize && demonstrations.actionCount == network.actionCount,
      "demonstrations for another network")
    precondition(demonstrations.episodes.count >= 2, "training and validation need an episode each")
    precondition(demonstrations.episodes.allSatisfy { $0.count > 0 }, "an episode has samples")
    self.network = network
    self.configuration = configuration
    self.demonstrations = demonstrations
    self.seed = seed
    (training, validation) = Self.division(demonstrations, share: configuration.validationShare, seed: seed)
    statistics = Self.statistics(demonstrations, episodes: training, shape: shape)
    weights = Self.weights(demonstrations, episodes: training)
    let statistics = self.statistics
    let frozen =
      normalizer.map { $0(statistics) } ?? FrozenStatistics(identity: demonstrations.observationSize)
    buffers = TrainingBuffers(network, rows: configuration.batchSize)
    episodes = EpisodePass(network, demonstrations: demonstrations, frozen: frozen)
    loss = SoftCrossEntropy(actionCount: network.actionCount)
    logits = [Float](repeating: 0, count: configuration.batchSize * network.actionCount)
    values = [Float](repeating: 0, count: configuration.batchSize)
    logitGradients = logits
    valueGradients = values
  }

  /// Trains from `parameters` (flat).
  ///
  /// - Parameters:
  ///   - progress: told each epoch, the untrained network first.
  ///   - shouldStop: asked before each batch and each group of episodes.
  public mutating func run(
    from parameters: [Float], progress: (CloningEpoch) -> Void = { _ in }, shouldStop: () -> Bool = { false }
  ) -> CloningOutcome {
    let zeros = [Float](repeating: 0, count: network.layout.storedCount)
    buffers.load(parameters: parameters.span, firstMoments: zeros.span, secondMoments: zeros.span)
    guard episodes.run(parameters, shouldStop: shouldStop) else { return .interrupted }
    var epochs = [score(epoch: 0, train: nil)]
    var result = CloningResult(parameters: parameters, statistics: statistics, epochs: epochs, best: epochs[0])
    progress(epochs[0])
    var optimizerStep = 0
    for epoch in 1...configuration.epochs {
      let train: (loss: Double, norm: Double)
      switch trainEpoch(epoch, optimizerStep: &optimizerStep, shouldStop: shouldStop) {
      case .interrupted: return .interrupted
      case .diverged: return .diverged(epoch: epoch)
      case .complete(let loss, let norm): train = (loss, norm)
      }
      var (trained, first, second) = (parameters, zeros, zeros)
      buffers.store(parameters: &trained, firstMoments: &first, secondMoments: &second)
      // Its gradient is 0, but decay reaches the critic too.
      for tensor in network.criticTensors {
        for i in tensor.offset..<(tensor.offset + tensor.storedCount) { trained[i] = parameters[i] }
      }
      guard episodes.run(trained, shouldStop: shouldStop) else { return .interrupted }
      let scored = score(epoch: epoch, train: train)
      epochs.append(scored)
      progress(scored)
      if scored.validation.weightedLoss < result.best.validation.weightedLoss {
        result.parameters = trained
        result.best = scored
      } else if epoch - result.best.epoch >= configuration.patience {
        break
      }
    }
    result.epochs = epochs
    return .finished(result)
  }

  // MARK: Training

  private enum EpochEnding {
    case complete(loss: Double, norm: Double)
    case interrupted, diverged
  }

  private mutating func trainEpoch(_ epoch: Int, optimizerStep: inout Int, shouldStop: () -> Bool) -> EpochEnding {
    var sum = 0.0
    var norms = 0.0
    var samples = 0
    var batches = 0
    var batch = SequenceBatch(sampleLimit: configuration.batchSize)
    for sequence in shuffledSequences(epoch: epoch) {
      if batch.fits(sequence) {
        batch.append(sequence)
        continue
      }
      guard train(batch, &optimizerStep, &sum, &norms) else { return .diverged }
      samples += batch.sampleCount
      batches += 1
      batch.clear()
      batch.append(sequence)
      if shouldStop() { return .interrupted }
    }
    guard train(batch, &optimizerStep, &sum, &norms) else { return .diverged }
    samples += batch.sampleCount
    batches += 1
    return .complete(loss: sum / Double(samples), norm: norms / Double(batches))
  }

  /// One optimizer step; false if loss or gradient is not finite, and then none is made.
  private mutating func train(_ batch: SequenceBatch, _ optimizerStep: inout Int, _ sum: inout Double, _ norms: inout Double) -> Bool {
    let order = batch.order()
    buffers.forward(
      observations: episodes.observations, states: episodes.states, masks: demonstrations.masks, order: order.rows,
      range: 0..<order.rows.count, steps: order.steps, logits: &logits, values: &values)
    let A = network.actionCount
    var batchLoss = 0.0
    for (row, index) in order.rows.enumerated() {
      let sample = Int(index)
      let (value, _) = loss.evaluate(
        logits: logits, row: row, masks: demonstrations.masks, targets: demonstrations.targets, sample: sample)
      let weight = weights[episodes.policy(ofSample: sample)]
      batchLoss += weight * value
      loss.gradient(
        targets: demonstrations.targets, sample: sample, factor: Float(weight / Double(order.rows.count)), into: &logitGradients, row: row)
    }
    let rows = order.rows.count
    let norm = buffers.backward(
      logitGradients: logitGradients.span.extracting(0..<(rows * A)), valueGradients: valueGradients.span.extracting(0..<rows))
    guard batchLoss.isFinite, norm.isFinite else { return false }
    optimizerStep += 1
    buffers.step(
      configuration.optimizer, gradientScale: AdamW.clipFactor(norm: norm, maximum: configuration.maxGradientNorm),
      learningRate: Float(configuration.learningRate), step: optimizerStep)
    sum += batchLoss
    norms += norm
    return true
  }

  /// All sequences of the training episodes in the order of this epoch.
  private func shuffledSequences(epoch: Int) -> [Range<Int>] {
    var sequences: [Range<Int>] = []
    for number in training {
      let episode = demonstrations.episodes[number]
      var first = 0
      while first < episode.count {
        let last = min(first + configuration.sequenceLength, episode.count)
        sequences.append((episode.start + first)..<(episode.start + last))
        first = last
      }
    }
    var stream = RandomStream(seed: seed, purpose: .cloningOrder, index: epoch)
    stream.shuffle(&sequences)
    return sequences
  }

  // MARK: Scores

  /// The scores of the last run of the episodes.
  private mutating func score(epoch: Int, train: (loss: Double, norm: Double)?) -> CloningEpoch {
    var all = ScoreSum()
    var byPolicy = [ScoreSum](repeating: ScoreSum(), count: demonstrations.policies.count)
    for number in validation {
      let episode = demonstrations.episodes[number]
      for sample in episode.start..<(episode.start + episode.count) {
        let (value, isBest) = loss.evaluate(
          logits: episodes.logits, row: sample, masks: demonstrations.masks, targets: demonstrations.targets, sample: sample)
        all.add(value, isBest, weight: weights[episode.policy])
        byPolicy[episode.policy].add(value, isBest, weight: weights[episode.policy])
      }
    }
    return CloningEpoch(
      epoch: epoch, trainLoss: train?.loss, gradientNorm: train?.norm, validation: all.score, validationByPolicy: byPolicy.map(\.score))
  }

  // MARK: Preparation

  /// Training and validation episodes, each ascending: of every behaviour policy its share, and at least one for validation if it has two.
  private static func division(_ demonstrations: Demonstrations, share: Double, seed: UInt64) -> (training: [Int], validation: [Int]) {
    var (training, validation) = ([Int](), [Int]())
    for policy in demonstrations.policies.indices {
      var numbers = demonstrations.episodes.indices.filter { demonstrations.episodes[$0].policy == policy }
      if numbers.isEmpty { continue }
      var stream = RandomStream(seed: seed, purpose: .cloningSplit, index: policy)
      stream.shuffle(&numbers)
      let kept = min(max(Int((Double(numbers.count) * share).rounded()), 1), numbers.count - 1)
      validation += numbers[..<kept]
      training += numbers[kept...]
    }
    // Every policy has one episode only: one of them has to do.
    if validation.isEmpty, let last = training.popLast() { validation.append(last) }
    return (training.sorted(), validation.sorted())
  }

  private static func statistics(_ demonstrations: Demonstrations, episodes: [Int], shape: StatisticsShape) -> StatisticsSlot {
    var slot = StatisticsSlot(shape)
    for number in episodes {
      let episode = demonstrations.episodes[number]
      for sample in episode.start..<(episode.start + episode.count) {
        slot.add(demonstrations.observations, masks: demonstrations.masks, row: sample, shape: shape)
      }
    }
    return slot
  }

  /// total / (policies x samples of the policy), over the policies that have samples; a policy without any weighs 1.
  private static func weights(_ demonstrations: Demonstrations, episodes: [Int]) -> [Double] {
    var counts = [Int](repeating: 0, count: demonstrations.policies.count)
    for number in episodes { counts[demonstrations.episodes[number].policy] += demonstrations.episodes[number].count }
    let present = counts.reduce(0) { $0 + ($1 > 0 ? 1 : 0) }
    let total = counts.reduce(0, +)
    return counts.map { $0 > 0 ? Double(total) / Double(present * $0) : 1 }
  }
}

/// Sums on their way to a score.
private struct ScoreSum {
  var count = 0
  var loss = 0.0
  var weighted = 0.0
  var best = 0

  mutating func add(_ value: Double, _ isBest: Bool, weight: Double) {
    count += 1
    loss += value
    weighted += weight * value
    if isBest { best += 1 }
  }

  var score: CloningScore {
    var score = CloningScore()
    guard count > 0 else { return score }
    score.count = count
    score.loss = loss / Double(count)
    score.accuracy = Double(best) / Double(count)
    score.weightedLoss = weighted / Double(count)
    return score
  }
}

import Neural

/// How a network learns to imitate a teacher.
public struct CloningConfiguration: Sendable, Equatable {
  /// Passes over the demonstrations at most.
  public var epochs: Int
  /// Samples of an optimizer step at most; whole sequences are taken while they fit.
  public var batchSize: Int
  /// Consecutive decisions that the gradient follows the recurrence over.
  public var sequenceLength: Int
  /// Learning rate of AdamW, constant.
  public var learningRate: Double
  /// The optimizer.
  public var optimizer: AdamW
  /// Limit of the gradient's norm over all parameters.
  public var maxGradientNorm: Float
  /// Share of the episodes that is kept for validation.
  public var validationShare: Double
  /// Epochs without a better validation loss after which it ends.
  public var patience: Int

  /// The defaults of `docs/warm-start.md`.
  public init(
    epochs: Int = 30, batchSize: Int = 256, sequenceLength: Int = 1, learningRate: Double = 5e-4,
    optimizer: AdamW = AdamW(weightDecay: 1e-5), maxGradientNorm: Float = 1, validationShare: Double = 0.1, patience: Int = 5
  ) {
    precondition(epochs >= 1 && batchSize >= 1 && patience >= 1, "extents of a cloning")
    precondition(sequenceLength >= 1 && sequenceLength <= batchSize, "a sequence must fit into a batch")
    precondition(validationShare > 0 && validationShare < 1, "a share lies between 0 and 1")
    self.epochs = epochs
    self.batchSize = batchSize
    self.sequenceLength = sequenceLength
    self.learningRate = learningRate
    self.optimizer = optimizer
    self.maxGradientNorm = maxGradientNorm
    self.validationShare = validationShare
    self.patience = patience
  }
}

/// Mean loss and accuracy over some samples.
public struct CloningScore: Sendable, Equatable {
  /// Samples.
  public internal(set) var count = 0
  /// Mean cross-entropy to the target in nats, without weights; not below the mean entropy of the targets.
  public internal(set) var loss = 0.0
  /// Share of the samples whose likeliest action is among the teacher's best.
  public internal(set) var accuracy = 0.0
  /// Mean cross-entropy with the weights that the training loss has.
  public internal(set) var weightedLoss = 0.0
}

/// What one pass over the demonstrations came to.
public struct CloningEpoch: Sendable, Equatable {
  /// From 1 on; 0 is the network before the first pass.
  public var epoch: Int
  /// Weighted loss over the pass's batches, each with the parameters of that moment; nil for epoch 0.
  public var trainLoss: Double?
  /// Mean norm of the gradient before clipping; nil for epoch 0.
  public var gradientNorm: Double?
  /// Of the validation episodes after the pass.
  public var validation: CloningScore
  /// The same for each behaviour policy.
  public var validationByPolicy: [CloningScore]
}

/// How cloning ended.
public enum CloningOutcome: Sendable, Equatable {
  /// All epochs, or none better for `patience` epochs.
  case finished(CloningResult)
  /// It was asked to stop.
  case interrupted
  /// Loss or gradient was not finite in this epoch.
  case diverged(epoch: Int)
}

/// A network that imitates.
public struct CloningResult: Sendable, Equatable {
  /// Flat, of the epoch with the lowest validation loss. Tensors of the critic are those that cloning began with.
  public var parameters: [Float]
  /// Statistics of the raw observations in the training episodes; what the network was trained to expect.
  public var statistics: StatisticsSlot
  /// All epochs, the untrained network first.
  public var epochs: [CloningEpoch]
  /// The best of them.
  public var best: CloningEpoch
}

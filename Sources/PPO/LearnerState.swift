import Neural

/// Everything of the learner that a checkpoint keeps. A copy is a snapshot; equal states continue alike.
///
/// Invariant: the three buffers have the network's layout.
public struct LearnerState: Sendable, Equatable {
  /// Flat parameters.
  public var parameters: [Float]
  /// Flat first moments.
  public var firstMoments: [Float]
  /// Flat second moments.
  public var secondMoments: [Float]
  /// Minibatches applied since the run began.
  public var optimizerStep: Int
  /// Updates finished since the run began.
  public var updateCount: Int
  /// Minibatches in a row, up to now, whose loss or gradient was not finite.
  public var nonFiniteStreak: Int
  /// Target divergence that updates have moved; nil while it is the configured one.
  public var targetKL: Double?
  /// Updates in a row, up to now, that stopped early; counted while the target may move.
  public var earlyStopStreak: Int

  /// From given values.
  public init(
    parameters: [Float], firstMoments: [Float], secondMoments: [Float], optimizerStep: Int, updateCount: Int, nonFiniteStreak: Int,
    targetKL: Double? = nil, earlyStopStreak: Int = 0
  ) {
    self.parameters = parameters
    self.firstMoments = firstMoments
    self.secondMoments = secondMoments
    self.optimizerStep = optimizerStep
    self.updateCount = updateCount
    self.nonFiniteStreak = nonFiniteStreak
    self.targetKL = targetKL
    self.earlyStopStreak = earlyStopStreak
  }

  /// A fresh start from `parameters`.
  public init(parameters: [Float]) {
    let zeros = [Float](repeating: 0, count: parameters.count)
    self.init(
      parameters: parameters, firstMoments: zeros, secondMoments: zeros, optimizerStep: 0, updateCount: 0, nonFiniteStreak: 0)
  }

  /// The first state of `network` for a seed.
  public init(_ network: Network, seed: UInt64) { self.init(parameters: network.initialParameters(seed: seed)) }
}

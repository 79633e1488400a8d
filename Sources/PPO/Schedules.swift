import ExactMath

/// Learning rate over a run.
public enum LearningRateSchedule: Sendable, Equatable {
  /// The same throughout.
  case constant(Double)
  /// From base down to `minimumRatio` base in a straight line over the plan's decisions.
  case linear(base: Double, minimumRatio: Double)
  /// Warm-up over `warmUp` optimizer steps, then half a cosine from base to `minimumRatio` base: over `period` optimizer steps, repeated, or
  /// once over the plan's decisions if `period` is nil.
  case cosine(base: Double, warmUp: Int, period: Int?, minimumRatio: Double)

  /// The rate at an optimizer step (counted from 0) of an update that began after `step` of `planTotal` decisions.
  public func rate(optimizerStep: Int, step: Int, planTotal: Int) -> Double {
    switch self {
    case .constant(let base): return base
    case .linear(let base, let minimumRatio):
      let left = max(0, 1 - Double(step) / Double(max(planTotal, 1)))
      return base * (minimumRatio + (1 - minimumRatio) * left)
    case .cosine(let base, let warmUp, let period, let minimumRatio):
      if optimizerStep < warmUp { return base * Double(optimizerStep + 1) / Double(warmUp) }
      let u =
        period.map { Double((optimizerStep - warmUp) % max($0, 1)) / Double(max($0, 1)) }
        ?? min(1, Double(step) / Double(max(planTotal, 1)))
      return base * (minimumRatio + (1 - minimumRatio) * 0.5 * (1 + ExactMath.cos(Double.pi * u)))
    }
  }
}

/// Entropy coefficient over optimizer steps.
public struct EntropySchedule: Sendable, Equatable {
  /// Coefficient without warm-up.
  public var base: Double
  /// Added at step 0, falling linearly to 0 over `warmUpSteps`.
  public var warmUp: Double
  /// Optimizer steps of the warm-up.
  public var warmUpSteps: Int
  /// What `base` falls (or rises) to, linearly over `decaySteps`; nil keeps it.
  public var final: Double?
  /// Optimizer steps until `final`.
  public var decaySteps: Int

  /// A constant coefficient unless told otherwise.
  public init(base: Double = 0.01, warmUp: Double = 0, warmUpSteps: Int = 0, final: Double? = nil, decaySteps: Int = 0) {
    self.base = base
    self.warmUp = warmUp
    self.warmUpSteps = warmUpSteps
    self.final = final
    self.decaySteps = decaySteps
  }

  /// The coefficient at an optimizer step, counted from 0.
  public func coefficient(optimizerStep: Int) -> Double {
    var value = base
    if let final {
      let share = decaySteps > 0 ? min(1, Double(optimizerStep) / Double(decaySteps)) : 1
      value = base + (final - base) * share
    }
    if optimizerStep < warmUpSteps { value += warmUp * (1 - Double(optimizerStep) / Double(warmUpSteps)) }
    return value
  }
}

/// Weight of the divergence from a reference policy: linear from `initial` to `final` over optimizer steps, then `final`.
public struct ReferenceKLSchedule: Sendable, Equatable {
  /// At optimizer step 0.
  public var initial: Double
  /// From `decaySteps` on.
  public var final: Double
  /// Optimizer steps in between.
  public var decaySteps: Int

  /// The defaults after a warm start.
  public init(initial: Double = 0.3, final: Double = 0, decaySteps: Int = 1500) {
    self.initial = initial
    self.final = final
    self.decaySteps = decaySteps
  }

  /// The weight at an optimizer step, counted from 0.
  public func coefficient(optimizerStep: Int) -> Double {
    if optimizerStep >= decaySteps { return final }
    let share = Double(optimizerStep) / Double(decaySteps)
    return initial * (1 - share) + final * share
  }
}

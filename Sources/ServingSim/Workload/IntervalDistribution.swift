import ExactMath
import Randomness

/// Time between two arrivals of a synthetic workload, as a distribution of mean 1 that is then divided by the rate.
public enum IntervalDistribution: Equatable, Sendable {
  /// Exponential. With a cap no interval is longer than `cap` mean intervals, which makes the real rate higher: see `meanInterval`. The
  /// reference caps at 3 without saying so.
  case poisson(cap: Double?)
  /// Gamma with this coefficient of variation: 1 is Poisson, more is burstier.
  case gamma(coefficientOfVariation: Double)
  /// Everything at time 0.
  case simultaneous
  /// The arrival times of a file, its lengths ignored, from a drawn row on.
  case recorded(WorkloadConfiguration.Replay)

  /// Intervals of length 1 on average, but for a capped Poisson process: 1 - exp(-cap).
  public var meanInterval: Double {
    switch self {
    case .poisson(let cap): cap.map { -ExactMath.expm1(-$0) } ?? 1
    case .simultaneous: 0
    case .gamma, .recorded: 1
    }
  }

  /// Draws one interval in units of 1 / rate.
  ///
  /// - Precondition: not `recorded`, whose intervals are no draws.
  func draw(rate: Double, _ stream: inout RandomStream) -> Double {
    switch self {
    case .poisson(let cap):
      let interval = stream.exponential(rate: rate)
      return cap.map { min(interval, $0 / rate) } ?? interval
    case .gamma(let variation):
      let shape = 1 / (variation * variation)
      return stream.gamma(shape: shape, scale: 1 / (rate * shape))
    case .simultaneous: return 0
    case .recorded: preconditionFailure("recorded intervals are not drawn")
    }
  }

  func validate() throws(ServingError) {
    switch self {
    case .poisson(let cap):
      guard cap.map({ $0 >= 1e-3 && $0 <= 1e6 }) ?? true else {
        throw ServingError(.outOfRange, field: "intervals.cap", reason: "\(cap ?? 0) mean intervals, allowed 0.001...1e6")
      }
    case .gamma(let variation):
      guard variation >= 1e-3 && variation <= 100 else {
        throw ServingError(.outOfRange, field: "intervals.coefficientOfVariation", reason: "\(variation), allowed 0.001...100")
      }
    case .simultaneous, .recorded: break
    }
  }
}

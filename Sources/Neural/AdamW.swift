import CKernels
import ExactMath

/// Adam with decoupled weight decay (arXiv 1711.05101).
///
///     m = b1 m + (1 - b1) g      v = b2 v + (1 - b2) g^2
///     p = p (1 - lr wd) - lr (m / (1 - b1^k)) / (sqrt(v / (1 - b2^k)) + eps)
///
/// Weight decay reaches matrices only. Padding has p = g = 0 and stays 0.
public struct AdamW: Sendable, Equatable {
  /// Decay of the first moment.
  public var beta1: Float
  /// Decay of the second moment.
  public var beta2: Float
  /// Added to the root of the second moment.
  public var epsilon: Float
  /// Decoupled decay of matrices per unit of learning rate.
  public var weightDecay: Float

  /// The defaults of `docs/ppo-details.md`.
  public init(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-5, weightDecay: Float = 0) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// Factor on a gradient of that norm so that its norm does not exceed `maximum`: min(1, maximum / (norm + 1e-6)).
  public static func clipFactor(norm: Double, maximum: Float) -> Float { Float(min(1, Double(maximum) / (norm + 1e-6))) }

  /// Global L2 norm of flat gradients, summed in double precision in a fixed order.
  public static func norm(of gradients: Span<Float>) -> Double {
    // The kernel reads the whole buffer once.
    gradients.withUnsafeBufferPointer { pointer in
      guard let base = pointer.baseAddress else { return 0 }
      return ck_sum_squares(base, Int64(pointer.count)).squareRoot()
    }
  }

  /// One optimizer step in place; `step` counts from 1. Gradients are multiplied by `gradientScale` first.
  public func update(
    parameters: inout MutableSpan<Float>, firstMoments: inout MutableSpan<Float>, secondMoments: inout MutableSpan<Float>,
    gradients: Span<Float>, layout: ParameterLayout, gradientScale: Float, learningRate: Float, step: Int
  ) {
    let count = layout.storedCount
    precondition(
      parameters.count == count && firstMoments.count == count && secondMoments.count == count && gradients.count == count,
      "buffers do not have this layout")
    parameters.withUnsafeMutableBufferPointer { p in
      firstMoments.withUnsafeMutableBufferPointer { m in
        secondMoments.withUnsafeMutableBufferPointer { v in
          gradients.withUnsafeBufferPointer { g in
            guard let p = p.baseAddress, let m = m.baseAddress, let v = v.baseAddress, let g = g.baseAddress else { return }
            run(p, m, v, g, layout: layout, gradientScale: gradientScale, learningRate: learningRate, step: step)
          }
        }
      }
    }
  }

  func run(
    _ parameters: UnsafeMutablePointer<Float>, _ firstMoments: UnsafeMutablePointer<Float>, _ secondMoments: UnsafeMutablePointer<Float>,
    _ gradients: UnsafePointer<Float>, layout: ParameterLayout, gradientScale: Float, learningRate: Float, step: Int
  ) {
    precondition(step >= 1, "optimizer steps count from 1")
    let correction1 = AdamW.correction(beta1, step: step)
    let correction2 = AdamW.correction(beta2, step: step)
    func apply(_ range: Range<Int>, decay: Float) {
      ck_adamw(
        parameters + range.lowerBound, firstMoments + range.lowerBound, secondMoments + range.lowerBound, gradients + range.lowerBound,
        Int64(range.count), gradientScale, learningRate, beta1, beta2, epsilon, decay, correction1, correction2)
    }
    if weightDecay == 0 {
      apply(0..<layout.storedCount, decay: 0)
      return
    }
    for tensor in layout.tensors {
      apply(tensor.offset..<(tensor.offset + tensor.storedCount), decay: tensor.decays ? weightDecay : 0)
    }
  }

  /// 1 - beta^step, from double precision.
  static func correction(_ beta: Float, step: Int) -> Float {
    let base = Double(beta)
    guard base > 0 else { return 1 }
    return Float(-ExactMath.expm1(Double(step) * ExactMath.log(base)))
  }
}

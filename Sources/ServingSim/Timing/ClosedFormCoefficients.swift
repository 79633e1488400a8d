/// Constants of the closed-form time model of one device. Overheads are milliseconds, efficiencies shares of the device's peak rates.
///
/// Matrix multiplications and element-wise operations are least-squares fits to measured operator times; the attention constants are engineering
/// estimates.
public struct ClosedFormCoefficients: Equatable, Sendable {
  /// How a fixed overhead and a size-dependent time combine.
  public enum Form: String, Equatable, Sendable {
    /// overhead + time
    case sum
    /// sqrt(overhead^2 + time^2)
    case root

    /// The combined time of `overhead` and `time`.
    public func combine(_ overhead: Double, _ time: Double) -> Double {
      switch self {
      case .sum: overhead + time
      case .root: (overhead * overhead + time * time).squareRoot()
      }
    }
  }

  /// An operation bound by memory traffic.
  public struct Elementwise: Equatable, Sendable {
    /// Fixed part, ms.
    public var overhead: Double
    /// Share of the peak bandwidth.
    public var efficiency: Double
    /// How both combine.
    public var form: Form

    /// One operation's fit.
    public init(_ overhead: Double, _ efficiency: Double, _ form: Form) {
      self.overhead = overhead
      self.efficiency = efficiency
      self.form = form
    }
  }

  /// Tokens are padded to multiples of this in matrix multiplications.
  public var matmulTile: Int
  /// Fixed part of a matrix multiplication, ms.
  public var matmulOverhead: Double
  /// Share of the peak FLOP rate that matrix multiplications reach.
  public var matmulComputeEfficiency: Double
  /// Share of the peak bandwidth that matrix multiplications reach.
  public var matmulBandwidthEfficiency: Double
  /// Norm before attention.
  public var inputNorm: Elementwise
  /// Norm before the feed-forward block.
  public var postAttentionNorm: Elementwise
  /// Residual addition.
  public var add: Elementwise
  /// Rotary embedding.
  public var rope: Elementwise
  /// Activation of the feed-forward block.
  public var activation: Elementwise
  /// Writing keys and values to the cache.
  public var cacheSave = Elementwise(0.004, 0.35, .sum)
  /// Fixed part of an attention kernel, ms.
  public var attentionOverhead: Double
  /// Share of the peak FLOP rate that prefill attention reaches.
  public var attentionComputeEfficiency: Double
  /// Share of the peak bandwidth that attention reaches.
  public var attentionBandwidthEfficiency = 0.70
  /// Launch of one collective, ms.
  public var collectiveLaunch = 0.02
  /// Skew of an all-reduce, ms, times workers^1.25.
  public var collectiveSkew = 0.0
  /// Relative extra time of decode attention over more than one request in grouped-query models (only with `FeatureRounding.reference`).
  public var decodeBatchingOverhead = 0.1
  /// The same of prefill attention.
  public var prefillBatchingOverhead = 0.1

  /// NVIDIA A100.
  public static let a100 = ClosedFormCoefficients(
    matmulTile: 64, matmulOverhead: 0.0058, matmulComputeEfficiency: 0.722, matmulBandwidthEfficiency: 0.840,
    inputNorm: Elementwise(0.0041, 0.377, .root), postAttentionNorm: Elementwise(0.0041, 0.359, .root),
    add: Elementwise(0.0022, 0.962, .root), rope: Elementwise(0.0033, 0.420, .root), activation: Elementwise(0.0024, 0.499, .sum),
    attentionOverhead: 0.012, attentionComputeEfficiency: 0.50)

  /// NVIDIA H100.
  public static let h100 = ClosedFormCoefficients(
    matmulTile: 128, matmulOverhead: 0.0057, matmulComputeEfficiency: 0.725, matmulBandwidthEfficiency: 0.926,
    inputNorm: Elementwise(0.0038, 0.377, .root), postAttentionNorm: Elementwise(0.0040, 0.333, .root),
    add: Elementwise(0.0016, 1.034, .root), rope: Elementwise(0.0026, 0.464, .root), activation: Elementwise(0.0017, 0.560, .sum),
    attentionOverhead: 0.009, attentionComputeEfficiency: 0.40)

  /// NVIDIA A40: element-wise constants of the A100 (not fitted), its own bandwidth.
  public static let a40 = ClosedFormCoefficients(
    matmulTile: 64, matmulOverhead: 0.0035, matmulComputeEfficiency: 0.749, matmulBandwidthEfficiency: 0.765,
    inputNorm: Elementwise(0.0041, 0.377, .root), postAttentionNorm: Elementwise(0.0041, 0.359, .root),
    add: Elementwise(0.0022, 0.962, .root), rope: Elementwise(0.0033, 0.420, .root), activation: Elementwise(0.0024, 0.499, .sum),
    attentionOverhead: 0.012, attentionComputeEfficiency: 0.50)
}

import ExactMath
import Randomness

/// Zipf-like sum of prompt and output tokens over `minTokens...maxTokens`, divided at a ratio; the generator of the YCSB benchmark (Gray et
/// al., SIGMOD 1994) with its constants worked out once.
public struct ZipfTotal: Equatable, Sendable {
  /// Shortest sum.
  public let minTokens: Int
  /// Longest sum.
  public let maxTokens: Int
  /// Skew, 0 <= theta < 1; 0 is nearly uniform.
  public let theta: Double
  /// Prompt tokens per output token.
  public let prefillToDecodeRatio: Double
  /// Whether the popular values are spread over the range instead of being the shortest ones.
  public let isScrambled: Bool
  private let zeta: Double
  private let alpha: Double
  private let eta: Double

  /// - Complexity: O(maxTokens - minTokens) once.
  public init(
    minTokens: Int, maxTokens: Int, theta: Double, prefillToDecodeRatio: Double, isScrambled: Bool = false
  ) throws(ServingError) {
    guard minTokens >= 2 && minTokens <= maxTokens && maxTokens <= 1 << 24 else {
      throw ServingError(.outOfRange, field: "lengths.zipf", reason: "\(minTokens)...\(maxTokens) tokens, allowed within 2...\(1 << 24)")
    }
    guard theta >= 0 && theta < 1 else {
      throw ServingError(.outOfRange, field: "lengths.zipf.theta", reason: "\(theta), allowed 0 to below 1")
    }
    guard prefillToDecodeRatio.isFinite && prefillToDecodeRatio >= 0 else {
      throw ServingError(.outOfRange, field: "lengths.zipf.prefillToDecodeRatio", reason: "\(prefillToDecodeRatio), allowed 0 or more")
    }
    self.minTokens = minTokens
    self.maxTokens = maxTokens
    self.theta = theta
    self.prefillToDecodeRatio = prefillToDecodeRatio
    self.isScrambled = isScrambled
    let items = maxTokens - minTokens + 1
    // The reference's sums leave out the last term.
    zeta = Self.harmonic(items - 1, theta)
    let zeta2 = Self.harmonic(1, theta)
    alpha = 1 / (1 - theta)
    eta = (1 - ExactMath.pow(2 / Double(items), 1 - theta)) / (1 - zeta2 / (zeta + 1e-8))
  }

  /// The sum for a uniform number in [0, 1).
  public func total(quantile u: Double) -> Int {
    let items = maxTokens - minTokens + 1
    var offset: Int
    let x = u * zeta
    if x < 1 {
      offset = 0
    } else if x < 1 + ExactMath.pow(0.5, theta) {
      offset = 1
    } else {
      offset = Int(Double(items) * ExactMath.pow(max(0, eta * u - eta + 1), alpha))
    }
    offset = min(max(offset, 0), items - 1)
    return minTokens + (isScrambled ? Self.scrambled(offset, items) : offset)
  }

  /// Divides `total` at the ratio; both parts are at least 1.
  func split(_ total: Int) -> (prefillTokens: Int, decodeTokens: Int) {
    let decode = min(max(1, Int(Double(total) / (1 + prefillToDecodeRatio))), total - 1)
    return (total - decode, decode)
  }

  /// 1 + 2^-theta + ... + n^-theta.
  private static func harmonic(_ n: Int, _ theta: Double) -> Double {
    var sum = 0.0
    for i in stride(from: 1, through: n, by: 1) { sum += ExactMath.pow(Double(i), -theta) }
    return sum
  }

  /// FNV-1a over the eight bytes of `value`.
  private static func scrambled(_ value: Int, _ items: Int) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for shift in stride(from: 0, to: 64, by: 8) as StrideTo<UInt64> {
      hash = (hash ^ UInt64(value) >> shift & 0xFF) &* 0x0000_0100_0000_01B3
    }
    return Int(hash % UInt64(items))
  }
}

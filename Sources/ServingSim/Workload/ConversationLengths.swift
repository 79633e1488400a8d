/// Token counts like those of a production chat service: a fit to 15 460 requests of the conversation trace of the Azure LLM inference dataset 2023.
///
/// The prompt's quantile function is linear between knots. The output has one quantile function for each eighth of the prompts, which carries the
/// dependence (outputs are longest for prompts around the median). Knots are nonnegative least squares with the mean held. Tokens:
///
/// | | mean | p50 | p95 | p99 |
/// | --- | --- | --- | --- | --- |
/// | prompt, data | 1180.4 | 1014 | 4085 | 4127 |
/// | prompt, fit | 1180.3 | 1016 | 4086 | 4117 |
/// | output, data | 201.2 | 115 | 448 | 598 |
/// | output, fit | 201.2 | 117 | 448 | 602 |
/// | sum, data | 1381.6 | 1402 | 4141 | 4237 |
/// | sum, fit | 1381.4 | 1334 | 4150 | 4248 |
///
/// Linear correlation of prompt and output: -0.126 in the data, -0.125 in the fit. The tail ends at 8873 prompt tokens (data: one at 14 050).
public enum ConversationLengths {
  /// Tokens for two independent uniform numbers in [0, 1).
  public static func lengths(prefillQuantile u: Double, decodeQuantile v: Double) -> (prefillTokens: Int, decodeTokens: Int) {
    let group = min(decodeKnots.count - 1, Int(u * Double(decodeKnots.count)))
    return (
      value(at: u, quantiles: prefillQuantiles, knots: prefillKnots),
      value(at: v, quantiles: decodeQuantiles, knots: decodeKnots[group])
    )
  }

  private static func value(at u: Double, quantiles: [Double], knots: [Int]) -> Int {
    var low = 0
    var high = quantiles.count - 1
    while high - low > 1 {
      let middle = (low + high) / 2
      if quantiles[middle] <= u { low = middle } else { high = middle }
    }
    let share = (u - quantiles[low]) / (quantiles[high] - quantiles[low])
    let exact = Double(knots[low]) + share * Double(knots[high] - knots[low])
    return Int((exact + 0.5).rounded(.down))
  }

  private static let prefillQuantiles: [Double] = [
    0, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.42, 0.44, 0.46, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.84, 0.87, 0.89, 0.9,
    0.91, 0.925, 0.95, 0.97, 0.99, 0.995, 0.999, 1,
  ]
  private static let prefillKnots: [Int] = [
    2, 65, 202, 202, 384, 384, 396, 401, 410, 410, 753, 953, 983, 1016, 1041, 1067, 1098, 1122, 1223, 1300, 1868, 2448, 2712, 3890, 4086,
    4086, 4086, 4087, 4117, 4174, 5480, 8873,
  ]
  private static let decodeQuantiles: [Double] = [
    0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 1,
  ]
  /// One row for each eighth of the prompts, shortest first.
  private static let decodeKnots: [[Int]] = [
    [11, 11, 11, 40, 82, 99, 120, 143, 162, 171, 187, 206, 217, 217, 228, 228, 704],
    [17, 17, 23, 54, 61, 68, 75, 81, 87, 92, 98, 102, 109, 122, 141, 141, 254],
    [44, 74, 80, 83, 89, 92, 95, 99, 104, 109, 121, 130, 138, 149, 165, 179, 205],
    [23, 43, 54, 78, 88, 97, 98, 156, 406, 406, 406, 418, 428, 455, 557, 581, 681],
    [31, 31, 319, 387, 388, 396, 397, 406, 413, 422, 434, 447, 487, 552, 618, 650, 1041],
    [30, 62, 78, 387, 387, 396, 397, 406, 413, 423, 433, 450, 502, 567, 633, 650, 1056],
    [25, 39, 46, 50, 67, 80, 92, 110, 139, 168, 200, 260, 411, 411, 448, 511, 819],
    [23, 27, 30, 35, 40, 46, 50, 57, 66, 77, 97, 110, 133, 154, 189, 233, 652],
  ]
}

import RunConfig
import Training

/// One policy's line of a comparison.
struct ComparisonRow {
  let name: String
  private let results: [EvaluationResult]

  /// Columns in order: heading, and the figure of one workload.
  private static let columns: [(heading: String, key: String, figure: @Sendable (EvaluationResult) -> Double)] = [
    ("e2e mean", "e2e_mean", { Percentile.mean($0.endToEnd) }),
    ("p50", "e2e_p50", { Percentile.of($0.endToEnd, 0.5) }),
    ("p95", "e2e_p95", { Percentile.of($0.endToEnd, 0.95) }),
    ("p99", "e2e_p99", { Percentile.of($0.endToEnd, 0.99) }),
    ("ttft mean", "ttft_mean", { Percentile.mean($0.timeToFirstToken) }),
    ("p99", "ttft_p99", { Percentile.of($0.timeToFirstToken, 0.99) }),
    ("tbt mean", "tbt_mean", { Percentile.mean($0.timeBetweenTokens) }),
    ("req/s", "throughput", { $0.throughput }),
  ]

  init(name: String, results: [EvaluationResult]) {
    self.name = name
    self.results = results
  }

  /// Mean over the workloads of each column.
  private var means: [Double] { Self.columns.map { column in Percentile.mean(results.map(column.figure)) } }

  /// All figures, with those of every workload.
  var json: JSONValue {
    var members = [JSONMember("policy", .string(name))]
    for (column, mean) in zip(Self.columns, means) {
      members.append(JSONMember(column.key, .number(mean)))
      members.append(JSONMember(column.key + "_by_workload", .array(results.map { .number(column.figure($0)) })))
    }
    let replicas = results.first?.shares.count ?? 0
    let shares = (0..<replicas).map { replica in JSONValue.number(Percentile.mean(results.map { $0.shares[replica] })) }
    members.append(JSONMember("replica_shares", .array(shares)))
    return .object(members)
  }

  /// Aligned lines with a heading.
  static func table(_ rows: [ComparisonRow]) -> [String] {
    let width = max(6, rows.map(\.name.count).max() ?? 0)
    let heading = pad("policy", width) + columns.map { padLeft($0.heading, 11) }.joined()
    return [heading] + rows.map { row in pad(row.name, width) + row.means.map { padLeft(figure($0), 11) }.joined() }
  }

  private static func pad(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
  private static func padLeft(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(1, width - text.count)) + text }

  /// Four decimals.
  private static func figure(_ value: Double) -> String {
    guard value.isFinite else { return "-" }
    let scaled = Int((abs(value) * 10_000).rounded())
    let fraction = String(scaled % 10_000)
    return (value < 0 ? "-" : "") + "\(scaled / 10_000)." + String(repeating: "0", count: 4 - fraction.count) + fraction
  }
}

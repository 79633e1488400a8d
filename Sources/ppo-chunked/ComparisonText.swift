import RunConfig
import Training

/// A comparison as people and programs read it.
struct ComparisonText {
  let comparison: Comparison
  let seeds: Int
  let requests: Int
  let evaluationSeed: Int

  /// Figures of the first table, in order.
  private static let shown = [
    "e2e_mean", "e2e_p50", "e2e_p95", "e2e_p99", "ttft_mean", "ttft_p95", "ttft_p99", "tbt_mean", "tbt_p99", "throughput", "objective",
  ]
  /// Figures of the second table.
  private static let changed = ["e2e_mean", "e2e_p99", "ttft_mean", "ttft_p99", "tbt_mean", "objective"]

  /// What the tables are about.
  private var title: String {
    "\(seeds) workloads of \(requests) requests each, the same for every policy; seconds, over all requests"
  }

  private var note: String {
    "change against \(comparison.reference) in percent, 95 % interval (paired bootstrap over blocks of requests); * does not contain 0"
  }

  // MARK: Tables

  /// Aligned plain text.
  var lines: [String] { [title] + Self.aligned(figures) + ["", note] + Self.aligned(changes) + unservedLines }

  /// Two Markdown tables.
  var markdown: [String] {
    [title, ""] + Self.piped(figures) + ["", note, ""] + Self.piped(changes) + unservedLines.map { "\n" + $0 }
  }

  private var figures: [[String]] {
    let columns = Self.shown.map(place)
    let replicas = comparison.rows.first?.summary.shares.count ?? 0
    let heading = ["policy"] + columns.map { Comparison.figures[$0].heading } + (0..<replicas).map { "to \($0)" }
    return [heading]
      + comparison.rows.map { row in
        [row.name] + columns.map { Self.decimal(row.figures[$0].value, 4) } + row.summary.shares.map { Self.decimal(100 * $0, 1) + "%" }
      }
  }

  private var changes: [[String]] {
    let columns = Self.changed.map(place)
    return [["policy"] + columns.map { Comparison.figures[$0].heading }]
      + comparison.rows.filter { $0.name != comparison.reference }.map { row in
        [row.name]
          + columns.map { column in
            let figure = row.figures[column]
            guard let interval = figure.changeInterval else { return Self.percent(figure.change) }
            let isClear = interval.low > 0 || interval.high < 0
            return "\(Self.percent(figure.change)) [\(Self.percent(interval.low)), \(Self.percent(interval.high))]\(isClear ? "*" : " ")"
          }
      }
  }

  private var unservedLines: [String] {
    comparison.rows.filter { $0.summary.unserved > 0 }.map { "\($0.name): \($0.summary.unserved) requests could not be served" }
  }

  /// Every key of `shown` and `changed` is one of the comparison's.
  private func place(_ key: String) -> Int {
    guard let place = Comparison.figures.firstIndex(where: { $0.key == key }) else { preconditionFailure("no figure \(key)") }
    return place
  }

  private static func aligned(_ table: [[String]]) -> [String] {
    let widths = (table.first ?? []).indices.map { column in table.map { $0[column].count }.max() ?? 0 }
    return table.map { row in
      var line = row[0] + spaces(widths[0] - row[0].count)
      for column in 1..<row.count { line += spaces(2 + widths[column] - row[column].count) + row[column] }
      return line
    }
  }

  private static func piped(_ table: [[String]]) -> [String] {
    guard let heading = table.first else { return [] }
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
    return [line(heading), line(heading.indices.map { $0 == 0 ? "---" : "---:" })] + table.dropFirst().map(line)
  }

  private static func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

  /// With a sign and two decimals.
  private static func percent(_ share: Double) -> String { (share < 0 ? "" : "+") + decimal(100 * share, 2) }

  private static func decimal(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "-" }
    var unit = 1
    for _ in 0..<digits { unit *= 10 }
    let scaled = Int((abs(value) * Double(unit)).rounded())
    let fraction = String(scaled % unit)
    return (value < 0 ? "-" : "") + "\(scaled / unit)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  // MARK: JSON

  /// All figures with their intervals.
  var json: JSONValue {
    [
      "requests": .integer(requests), "seeds": .integer(seeds), "evaluation_seed": .integer(evaluationSeed),
      "reference": .string(comparison.reference), "confidence": .number(0.95), "policies": .array(comparison.rows.map(Self.json)),
    ]
  }

  private static func json(_ row: Comparison.Row) -> JSONValue {
    func pair(_ interval: PairedBootstrap.Interval?) -> JSONValue {
      interval.map { .array([.number($0.low), .number($0.high)]) } ?? .null
    }
    var members = [JSONMember("policy", .string(row.name))]
    for ((key, _), figure) in zip(Comparison.figures, row.figures) {
      members.append(JSONMember(key, .number(figure.value)))
      members.append(JSONMember(key + "_interval", pair(figure.interval)))
      members.append(JSONMember(key + "_change", .number(figure.change)))
      members.append(JSONMember(key + "_change_interval", pair(figure.changeInterval)))
    }
    members.append(JSONMember("replica_shares", .array(row.summary.shares.map { .number($0) })))
    members.append(JSONMember("unserved", .integer(row.summary.unserved)))
    return .object(members)
  }
}

/// Lines that tell people how a chunk goes: at most one every few seconds, always the first and the last.
struct ProgressMeter {
  private let services: RunServices
  private let plan: ChunkPlan
  private let startStep: Int
  private let startSeconds: Double
  private var lastLine: Double
  // Since the last line: one iteration alone says little.
  private var rewardSum = 0.0
  private var decisions = 0
  private var counts: [(name: String, sum: Int)] = []
  private var chunkRewardSum = 0.0
  private var chunkDecisions = 0

  /// Seconds between two lines.
  static let intervalSeconds = 5.0

  init(services: RunServices, plan: ChunkPlan, step: Int) {
    self.services = services
    self.plan = plan
    startStep = step
    startSeconds = services.monotonicSeconds()
    lastLine = -Double.infinity
  }

  /// The line after an iteration, nil if it is too early for one.
  mutating func line(after report: IterationReport, state: GlobalState, iterations: Int) -> String? {
    rewardSum += report.rewardMean * Double(report.decisions)
    decisions += report.decisions
    chunkRewardSum += report.rewardMean * Double(report.decisions)
    chunkDecisions += report.decisions
    counts = counts.isEmpty ? report.counts : zip(counts, report.counts).map { ($0.name, $0.sum + $1.sum) }
    let now = services.monotonicSeconds()
    guard now - lastLine >= Self.intervalSeconds || state.iteration == iterations else { return nil }
    lastLine = now
    let rate = Double(state.step - startStep) / max(now - startSeconds, 1e-9)
    var line = "[Train] chunk=\(state.chunk)/\(plan.chunkCount) step=\(state.step)/\(plan.total)"
    line += " \(bar(Double(state.step) / Double(max(plan.total, 1)))) steps_per_s=\(Int(rate))"
    line += " reward_mean=\(Self.rounded(rewardSum / Double(max(decisions, 1))))"
    (rewardSum, decisions) = (0, 0)
    if let entropy = report.entropy { line += " entropy=\(Self.rounded(entropy))" }
    if let mean = state.recentReturnMean { line += " return_mean=\(Self.rounded(mean))" }
    return line
  }

  /// Mean raw reward of the chunk's decisions in this attempt, and what its episodes counted.
  var chunkSummary: String {
    let mean = "reward_mean=" + Self.rounded(chunkRewardSum / Double(max(chunkDecisions, 1)))
    return counts.reduce(mean) { "\($0) \($1.name)=\($1.sum)" }
  }

  private func bar(_ share: Double) -> String {
    let filled = Int(share * 20)
    return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled) + "] \(Int(share * 100))%"
  }

  /// Four decimals, without the C library's formatting.
  static func rounded(_ value: Double) -> String {
    guard value.isFinite else { return "nan" }
    return ((value * 10_000).rounded() / 10_000).description
  }
}

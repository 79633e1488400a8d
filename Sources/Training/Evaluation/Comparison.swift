import ServingEnv

/// The same held-out workloads under several policies, with intervals for each figure and for its difference from one of the policies.
public struct Comparison: Sendable {
  /// One policy.
  public struct Row: Sendable {
    /// As it was asked for.
    public let name: String
    /// Figures over all requests.
    public let summary: EvaluationSummary
    /// Estimate, interval and difference of each of `Comparison.figures`.
    public let figures: [Figure]
  }

  /// One figure of one policy.
  public struct Figure: Sendable {
    /// Over all requests.
    public let value: Double
    /// Its interval; nil where there is none (throughput).
    public let interval: PairedBootstrap.Interval?
    /// value / value of the reference - 1.
    public let change: Double
    /// Paired interval of `change`.
    public let changeInterval: PairedBootstrap.Interval?
  }

  /// Keys and headings of the figures, in order.
  public static let figures: [(key: String, heading: String)] = [
    ("e2e_mean", "e2e mean"), ("e2e_p50", "e2e p50"), ("e2e_p95", "e2e p95"), ("e2e_p99", "e2e p99"), ("ttft_mean", "ttft mean"),
    ("ttft_p50", "ttft p50"), ("ttft_p95", "ttft p95"), ("ttft_p99", "ttft p99"), ("tbt_mean", "tbt mean"), ("tbt_p50", "tbt p50"),
    ("tbt_p95", "tbt p95"), ("tbt_p99", "tbt p99"), ("throughput", "req/s"), ("objective", "objective"),
  ]

  /// Blocks that the requests of a workload are resampled in.
  public static let blocksPerWorkload = 20

  /// In the order asked for.
  public let rows: [Row]
  /// Name of the policy that changes are against.
  public let reference: String

  /// - Parameters:
  ///   - results: of each policy, one result for each workload.
  ///   - reference: place of the policy that changes are against.
  ///   - baseline: `lor_full` on the same workloads, the unit of the objective.
  public init(
    names: [String], results: [[EvaluationResult]], reference: Int, baseline: [EvaluationResult], objective: LatencyObjective, seed: UInt64
  ) {
    precondition(names.count == results.count && names.indices.contains(reference), "a comparison of other policies")
    let requests = baseline.first?.requestCount ?? 1
    let blocks = min(Self.blocksPerWorkload, requests)
    let bootstrap = PairedBootstrap(seed: seed, blockCount: blocks * max(baseline.count, 1))
    let unit = EvaluationSummary(baseline).figures
    func series(_ results: [EvaluationResult], _ path: (EvaluationResult) -> [Double]) -> PairedBootstrap.Series {
      PairedBootstrap.Series(values: results.map(path), ids: results.map(\.ids), blocksPerWorkload: blocks, requests: requests)
    }
    let unitFirst = series(baseline, \.timeToFirstToken)
    let unitSamples = (
      endToEnd: bootstrap.means(series(baseline, \.endToEnd)), first: bootstrap.means(unitFirst),
      squared: bootstrap.means(unitFirst) { $0 * $0 }
    )
    /// Values of all figures and their resamples, in order.
    func sampled(_ results: [EvaluationResult], _ summary: EvaluationSummary) -> [(value: Double, samples: [Double]?)] {
      var all: [(value: Double, samples: [Double]?)] = []
      var means: [[Double]] = []
      for (times, path) in [
        (summary.endToEnd, \EvaluationResult.endToEnd), (summary.timeToFirstToken, \.timeToFirstToken),
        (summary.timeBetweenTokens, \.timeBetweenTokens),
      ] {
        let series = series(results) { $0[keyPath: path] }
        means.append(bootstrap.means(series))
        let quantiles = bootstrap.quantiles(series, [0.5, 0.95, 0.99])
        all.append((times.mean, means.last))
        all.append((times.p50, quantiles.map { $0[0] }))
        all.append((times.p95, quantiles.map { $0[1] }))
        all.append((times.p99, quantiles.map { $0[2] }))
      }
      all.append((summary.throughput, nil))
      let squares = bootstrap.means(series(results, \.timeToFirstToken)) { $0 * $0 }
      let objectives = squares.indices.map { i in
        objective.score(
          LatencyFigures(endToEnd: means[0][i], firstToken: means[1][i], firstTokenSquared: squares[i]),
          reference: LatencyFigures(
            endToEnd: unitSamples.endToEnd[i], firstToken: unitSamples.first[i], firstTokenSquared: unitSamples.squared[i]))
      }
      all.append((objective.score(summary.figures, reference: unit), objectives))
      return all
    }
    let summaries = results.map { EvaluationSummary($0) }
    let against = sampled(results[reference], summaries[reference])
    rows = names.indices.map { place in
      let own = sampled(results[place], summaries[place])
      let figures = zip(own, against).map { mine, theirs in
        Figure(
          value: mine.value, interval: mine.samples.map { bootstrap.interval($0) }, change: mine.value / theirs.value - 1,
          changeInterval: mine.samples.flatMap { samples in
            theirs.samples.map { other in bootstrap.interval(zip(samples, other).map { $0 / $1 - 1 }) }
          })
      }
      return Row(name: names[place], summary: summaries[place], figures: figures)
    }
    self.reference = names[reference]
  }
}

import Randomness
import Testing

@testable import ServingSim

@Suite struct WorkloadKindTests {
  func take(_ count: Int, _ source: WorkloadConfiguration.Source, seed: UInt64 = 1, maxTokens: Int = 4096) throws -> [RequestSpec] {
    var workload = try Workload(WorkloadConfiguration(source: source, maxTokens: maxTokens), seed: seed)
    return (0..<count).map { _ in workload.next() }
  }

  func parse(_ text: String, _ content: Trace.Content) throws(CSVError) -> Trace {
    try Trace.parse(bytes: Array(text.utf8), name: "t.csv", content: content)
  }

  @Test("a Poisson process capped at three mean intervals has the mean interval 0.9502 / qps")
  func cappedPoisson() throws {
    let source = WorkloadConfiguration.Source.poisson(
      .init(qps: 0.5, lengths: .fixed(prefillTokens: 1, decodeTokens: 1), intervals: .poisson(cap: 3)))
    var workload = try Workload(WorkloadConfiguration(source: source), seed: 42)
    var last = 0.0
    var longest = 0.0
    for _ in 0..<1_000_000 {
      let time = workload.next().arrivedAt
      longest = max(longest, time - last)
      last = time
    }
    #expect(abs(last / 1e6 / (0.950_213 / 0.5) - 1) < 0.01)
    #expect(longest <= 3 / 0.5 + 1e-9)
    #expect(abs(WorkloadConfiguration(source: source).meanRate - 0.5 * 1.0524) < 1e-4)
  }

  @Test("gamma intervals have their mean and their coefficient of variation", arguments: [0.5, 1.0, 2.5])
  func gamma(variation: Double) throws {
    let times = try take(200_000, .poisson(.init(qps: 4, intervals: .gamma(coefficientOfVariation: variation)))).map(\.arrivedAt)
    var (sum, squares, last) = (0.0, 0.0, 0.0)
    for time in times {
      sum += time - last
      squares += (time - last) * (time - last)
      last = time
    }
    let mean = sum / 200_000
    let found = (squares / 200_000 - mean * mean).squareRoot() / mean
    #expect(abs(mean * 4 - 1) < 0.02)
    #expect(abs(found / variation - 1) < 0.02)
  }

  @Test("static intervals bring everything at once")
  func simultaneous() throws {
    #expect(try take(100, .poisson(.init(qps: 4, intervals: .simultaneous))).allSatisfy { $0.arrivedAt == 0 })
  }

  @Test("Zipf lengths are those of the formula, short ones most often; scrambled ones are the same over the range")
  func zipf() throws {
    // theta 0.5, 4 items: the sum leaves out the last term, 1 + 2^-0.5 + 3^-0.5 = 2.284457.
    let small = try ZipfTotal(minTokens: 10, maxTokens: 13, theta: 0.5, prefillToDecodeRatio: 1)
    #expect(small.total(quantile: 0.43) == 10)
    #expect(small.total(quantile: 0.44) == 11)
    #expect(small.total(quantile: 0.74) == 11)
    // Above: 4 (eta u - eta + 1)^2 with eta = (1 - 0.5^0.5) / (1 - 1 / 2.284457) = 0.520896.
    #expect(small.total(quantile: 0.75) == 13)
    #expect(small.total(quantile: 0.999_999) == 13)
    let zipf = try ZipfTotal(minTokens: 1024, maxTokens: 4096, theta: 0.6, prefillToDecodeRatio: 20)
    let scrambled = try ZipfTotal(minTokens: 1024, maxTokens: 4096, theta: 0.6, prefillToDecodeRatio: 20, isScrambled: true)
    let drawn = try take(50_000, .poisson(.init(qps: 1, lengths: .zipf(zipf))))
    let totals = drawn.map(\.totalTokens)
    #expect(totals.allSatisfy { (1024...4096).contains($0) })
    #expect(drawn.allSatisfy { $0.decodeTokens == max(1, Int(Double($0.totalTokens) / 21)) })
    let low = totals.count { $0 < 1792 }
    let high = totals.count { $0 >= 3328 }
    #expect(low > 2 * high)
    let other = try take(50_000, .poisson(.init(qps: 1, lengths: .zipf(scrambled)))).map(\.totalTokens)
    #expect(other.allSatisfy { (1024...4096).contains($0) })
    #expect(abs(other.count { $0 < 1792 } - other.count { $0 >= 3328 }) < low - high)
    for (low, high, theta) in [(1, 5, 0.5), (6, 5, 0.5), (2, 5, 1), (2, 5, -0.1), (2, 5, .nan)] {
      #expect(throws: ServingError.self) { try ZipfTotal(minTokens: low, maxTokens: high, theta: theta, prefillToDecodeRatio: 1) }
    }
    for items in 1...5 {
      let tiny = try ZipfTotal(minTokens: 2, maxTokens: 1 + items, theta: 0.9, prefillToDecodeRatio: 0)
      for share in 0..<100 { #expect((2...(1 + items)).contains(tiny.total(quantile: Double(share) / 100))) }
    }
  }

  @Test("recorded lengths come in random order, each row once a lap, shortened in proportion")
  func recordedLengths() throws {
    let rows = (0..<37).map { "\($0 + 10),\($0 + 1)" }.joined(separator: "\n")
    let trace = try parse("num_prefill_tokens,num_decode_tokens\n" + rows, .lengths)
    let source = WorkloadConfiguration.Source.poisson(.init(qps: 1, lengths: .recorded(RecordedLengths(trace: trace))))
    let drawn = try take(111, source)
    for lap in 0..<3 {
      #expect(Set(drawn[lap * 37..<lap * 37 + 37].map(\.prefillTokens)) == Set(10..<47))
    }
    #expect(drawn.map(\.prefillTokens) != drawn.map(\.prefillTokens).sorted())
    #expect(Array(drawn[0..<37]).map(\.prefillTokens) != Array(drawn[37..<74]).map(\.prefillTokens))
    #expect(try take(111, source) == drawn)
    #expect(try take(111, source, seed: 2).map(\.prefillTokens) != drawn.map(\.prefillTokens))
    // 46 + 37 = 83 tokens in 42: the excess of 41 takes ceil(41 * 46 / 83) = 23 and ceil(41 * 37 / 83) = 19.
    let short = try take(37, source, maxTokens: 42)
    #expect(short.allSatisfy { $0.totalTokens <= 42 && $0.decodeTokens >= 1 })
    #expect(short.contains { $0.prefillTokens == 23 && $0.decodeTokens == 18 })
    let scaled = try take(
      37, .poisson(.init(qps: 1, lengths: .recorded(RecordedLengths(trace: trace, scale: TraceScale(prefill: 2, decode: 0.1))))))
    #expect(Set(scaled.map(\.prefillTokens)) == Set((10..<47).map { $0 * 2 }))
    #expect(scaled.map(\.decodeTokens).max() == 3 && scaled.map(\.decodeTokens).min() == 1)
  }

  @Test("row orders are permutations")
  func rowOrder() {
    for count in [1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1000] {
      let order = RowOrder(count: count, seed: 3, chunk: 1, environment: 2)
      for lap in 0..<3 { #expect(Set((0..<count).map { order.row(at: lap * count + $0) }) == Set(0..<count), "\(count) rows, lap \(lap)") }
    }
  }

  @Test("recorded intervals keep their order and gaps, other lengths are drawn")
  func recordedIntervals() throws {
    let dates = try parse("id,arrival_time\n1,2023-11-16 18:17:03.5\n2,2023-11-16 18:17:04\n3,2023-11-16T18:18:03Z\n", .arrivals)
    #expect(dates.rows.map(\.arrivedAt) == [0, 0.5, 59.5])
    let leap = try parse("arrived_at\n2024-02-28 23:59:59\n2024-02-29 00:00:00\n2024-03-01 00:00:00\n2100-03-01 00:00:00", .arrivals)
    #expect(leap.rows.map(\.arrivedAt) == [0, 1, 86401, 86401 + 86400 * 27758])
    let seconds = try parse("arrived_at\n100\n101\n105\n", .arrivals)
    let source = WorkloadConfiguration.Source.poisson(
      .init(qps: 1, lengths: .fixed(prefillTokens: 7, decodeTokens: 3), intervals: .recorded(.init(trace: seconds))))
    let drawn = try take(7, source)
    #expect(drawn[0].arrivedAt == 0 && drawn.allSatisfy { $0.prefillTokens == 7 })
    // Gaps 1, 4 and the mean gap 2.5 in turn.
    let gaps = zip(drawn, drawn.dropFirst()).map { $1.arrivedAt - $0.arrivedAt }
    #expect(Set(gaps) == [1, 4, 2.5] && gaps[0] == gaps[3])
    for text in [
      "arrived_at\n2023-02-29 00:00:00\n", "arrived_at\n2023-01-01 24:00:00\n", "arrived_at\nyesterday\n",
      "arrived_at\n1\n2023-01-01 00:00:00\n",
      "arrived_at\n2023-01-01 00:00:01\n2023-01-01 00:00:00\n", "arrived_at\n2023-01-01 00:00:00.\n", "other\n1\n", "arrived_at\n-1\n",
    ] {
      #expect(throws: CSVError.self) { try parse(text, .arrivals) }
    }
  }

  @Test("classes come by share, with their lengths and priorities; one class alone draws as ever")
  func classes() throws {
    let mix = [
      RequestClass(share: 3, lengths: .fixed(prefillTokens: 100, decodeTokens: 10), priority: 1),
      RequestClass(share: 1, lengths: .uniform(prefillTokens: 200...300, decodeTokens: 5...6), priority: 5),
    ]
    let drawn = try take(40_000, .synthetic(.init(qps: 1, classes: mix)))
    let first = drawn.filter { $0.priority == 1 }
    #expect(abs(Double(first.count) / 40_000 - 0.75) < 0.01)
    #expect(first.allSatisfy { $0.prefillTokens == 100 && $0.decodeTokens == 10 })
    #expect(drawn.filter { $0.priority == 5 }.allSatisfy { (200...300).contains($0.prefillTokens) && (5...6).contains($0.decodeTokens) })
    #expect(drawn.allSatisfy { $0.priority == 1 || $0.priority == 5 })
    let alone = try take(100, .synthetic(.init(qps: 1, classes: [RequestClass(share: 9, lengths: .conversation)])))
    #expect(try take(100, .poisson(.init(qps: 1))) == alone)
    for classes in [[], [RequestClass(share: 0, lengths: .conversation)], [RequestClass(lengths: .conversation, priority: .nan)]] {
      #expect(throws: ServingError.self) { try take(1, .synthetic(.init(qps: 1, classes: classes))) }
    }
  }

  @Test("a trace is scaled, carries priorities, and can start with its first row at its own time")
  func scaledTrace() throws {
    let trace = try parse("arrived_at,num_prefill_tokens,num_decode_tokens,priority\n3,10,5,2\n4,20,1,-1\n8,30,9,0\n", .requests)
    let whole = WorkloadConfiguration.Replay(trace: trace, scale: TraceScale(prefill: 1.5, decode: 0.5, time: 0.5), begin: .firstRow)
    let drawn = try take(4, .trace(whole))
    #expect(drawn.map(\.arrivedAt) == [1.5, 2, 4, 1.5 + 0.5 * 7.5])
    #expect(drawn.map(\.prefillTokens) == [15, 30, 45, 15])
    #expect(drawn.map(\.decodeTokens) == [2, 1, 4, 2])
    #expect(drawn.map(\.priority) == [2, -1, 0, 2])
    let window = WorkloadConfiguration.Replay(trace: trace, from: 3.5, begin: .firstRow)
    let workload = try Workload(WorkloadConfiguration(source: .trace(window)))
    #expect(workload.rowCount == 2)
    #expect(try take(2, .trace(window)).map(\.arrivedAt) == [0.5, 4.5])
  }
}

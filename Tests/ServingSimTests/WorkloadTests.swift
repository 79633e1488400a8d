import ServingSim
import Testing

@Suite struct WorkloadTests {
  func take(_ count: Int, _ workload: Workload) -> [RequestSpec] {
    var workload = workload
    return (0..<count).map { _ in workload.next() }
  }

  func poisson(_ lengths: LengthDistribution = .conversation, qps: Double = 12, maxTokens: Int = 1 << 20) -> WorkloadConfiguration {
    WorkloadConfiguration(source: .poisson(.init(qps: qps, lengths: lengths)), maxTokens: maxTokens)
  }

  func trace(_ gaps: [Double], tokens: [Int]? = nil) throws -> Trace {
    var text = "arrived_at,num_prefill_tokens,num_decode_tokens\n"
    var time = 100.0
    for (index, gap) in gaps.enumerated() {
      time += gap
      text += "\(time),\(tokens?[index] ?? 10 + index),1\n"
    }
    return try Trace.parse(bytes: Array(text.utf8), name: "t.csv")
  }

  @Test("the same name gives the same requests, another seed, chunk or environment others")
  func determinism() throws {
    let first = take(50, try Workload(poisson(), seed: 7, chunk: 2, environment: 3))
    var reset = try Workload(poisson(), seed: 1)
    _ = take(9, reset)
    _ = reset.next()
    reset.reset(seed: 7, chunk: 2, environment: 3)
    #expect(take(50, reset) == first)
    #expect(take(50, try Workload(poisson(), seed: 8, chunk: 2, environment: 3)) != first)
    #expect(take(50, try Workload(poisson(), seed: 7, chunk: 1, environment: 3)) != first)
    #expect(take(50, try Workload(poisson(), seed: 7, chunk: 2, environment: 2)) != first)
    // Lengths are keyed apart from arrivals: other lengths, same times.
    let fixed = take(50, try Workload(poisson(.fixed(prefillTokens: 5, decodeTokens: 2)), seed: 7, chunk: 2, environment: 3))
    #expect(fixed.map(\.arrivedAt) == first.map(\.arrivedAt))
    #expect(fixed.allSatisfy { $0.prefillTokens == 5 && $0.decodeTokens == 2 })
  }

  @Test("intervals are exponential and not capped")
  func intervals() throws {
    var workload = try Workload(poisson(.fixed(prefillTokens: 1, decodeTokens: 1), qps: 4), seed: 3)
    let count = 200_000
    var last = 0.0
    var longest = 0.0
    var squares = 0.0
    for _ in 0..<count {
      let time = workload.next().arrivedAt
      longest = max(longest, time - last)
      squares += (time - last) * (time - last)
      last = time
    }
    #expect(abs(last / Double(count) * 4 - 1) < 0.01)
    #expect(abs(squares / Double(count) * 16 / 2 - 1) < 0.03)
    #expect(longest > 3.0 / 4 * 2)
  }

  @Test("uniform lengths reach both bounds")
  func uniform() throws {
    let drawn = take(2000, try Workload(poisson(.uniform(prefillTokens: 3...6, decodeTokens: 2...2)), seed: 1))
    #expect(drawn.map(\.prefillTokens).min() == 3)
    #expect(drawn.map(\.prefillTokens).max() == 6)
    #expect(drawn.allSatisfy { $0.decodeTokens == 2 })
  }

  @Test("conversation lengths have the figures of the data: means to 2 %, percentiles to 3 %")
  func conversation() throws {
    let drawn = take(200_000, try Workload(poisson(), seed: 11))
    let prefill = drawn.map(\.prefillTokens).sorted()
    let decode = drawn.map(\.decodeTokens).sorted()
    let count = Double(drawn.count)
    let meanPrefill = Double(prefill.reduce(0, +)) / count
    let meanDecode = Double(decode.reduce(0, +)) / count
    #expect(abs(meanPrefill / 1180.38 - 1) < 0.02)
    #expect(abs(meanDecode / 201.19 - 1) < 0.02)
    for (percent, p, d) in [(50, 1014.0, 115.0), (95, 4085, 448), (99, 4127, 598.4)] {
      #expect(abs(Double(prefill[prefill.count * percent / 100]) / p - 1) < 0.03)
      #expect(abs(Double(decode[decode.count * percent / 100]) / d - 1) < 0.03)
    }
    // Prompt and output hang together as in the data (correlation -0.126).
    var covariance = 0.0
    var squaresPrefill = 0.0
    var squaresDecode = 0.0
    for request in drawn {
      let x = Double(request.prefillTokens) - meanPrefill
      let y = Double(request.decodeTokens) - meanDecode
      covariance += x * y
      squaresPrefill += x * x
      squaresDecode += y * y
    }
    #expect(abs(covariance / (squaresPrefill * squaresDecode).squareRoot() + 0.126) < 0.02)
    #expect(prefill[0] >= 1)
    #expect(decode[0] >= 1)
  }

  @Test("long requests lose prompt tokens first, one stays")
  func clamp() throws {
    var workload = try Workload(poisson(.fixed(prefillTokens: 90, decodeTokens: 20), maxTokens: 100))
    let request = workload.next()
    #expect([request.prefillTokens, request.decodeTokens] == [80, 20])
    #expect(workload.clampedCount == 1)
    var outputOnly = try Workload(poisson(.fixed(prefillTokens: 3, decodeTokens: 200), maxTokens: 100))
    let long = outputOnly.next()
    #expect([long.prefillTokens, long.decodeTokens] == [1, 99])
    var exact = try Workload(poisson(.fixed(prefillTokens: 90, decodeTokens: 10), maxTokens: 100))
    #expect(exact.next().prefillTokens == 90)
    #expect(exact.clampedCount == 0)
  }

  @Test("long requests can be left out instead, without a loop when all are long")
  func reject() throws {
    var configuration = WorkloadConfiguration(
      source: .trace(.init(trace: try trace([1, 1, 1], tokens: [10, 500, 20]))), maxTokens: 100, lengthPolicy: .reject)
    var workload = try Workload(configuration, seed: 5)
    let taken = (0..<20).map { _ in workload.next().prefillTokens }
    #expect(Set(taken) == [10, 20])
    #expect(abs(workload.rejectedCount - 10) <= 1)
    configuration.maxTokens = 5
    #expect(throws: ServingError.self) { try Workload(configuration) }
    var fixed = poisson(.fixed(prefillTokens: 90, decodeTokens: 20), maxTokens: 100)
    fixed.lengthPolicy = .reject
    #expect(throws: ServingError.self) { try Workload(fixed) }
  }

  @Test("a replay starts at a drawn row at time 0 and wraps with the mean gap")
  func replay() throws {
    // Times 100, 101, 103, 106, 110: mean gap 2.5, period 12.5.
    let trace = try trace([0, 1, 2, 3, 4])
    let configuration = WorkloadConfiguration(source: .trace(.init(trace: trace)))
    var starts: Set<Int> = []
    for environment in 0..<60 {
      let taken = take(12, try Workload(configuration, seed: 9, chunk: 1, environment: environment))
      let start = taken[0].prefillTokens - 10
      starts.insert(start)
      #expect(taken[0].arrivedAt == 0)
      #expect(taken.map { $0.prefillTokens - 10 } == (0..<12).map { (start + $0) % 5 })
      for (left, right) in zip(taken, taken.dropFirst()) {
        let expected = right.prefillTokens == 10 ? 2.5 : Double(right.prefillTokens - 10)
        #expect(abs(right.arrivedAt - left.arrivedAt - expected) < 1e-9)
      }
    }
    #expect(starts == [0, 1, 2, 3, 4])
  }

  @Test("window bounds are [from, to); qps sets the mean rate of the window")
  func window() throws {
    let trace = try trace([0, 1, 2, 3, 4])
    let inside = take(20, try Workload(.init(source: .trace(.init(trace: trace, from: 101, to: 110)))))
    #expect(Set(inside.map { $0.prefillTokens - 10 }) == [1, 2, 3])
    let fast = take(1001, try Workload(.init(source: .trace(.init(trace: trace, qps: 8)))))
    #expect(abs(fast[1000].arrivedAt - 1000.0 / 8) < 1e-9)
    for (from, to) in [(111.0, 200.0), (110, 111), (0, 50), (105, 102)] {
      #expect(throws: ServingError.self) { try Workload(.init(source: .trace(.init(trace: trace, from: from, to: to)))) }
    }
    #expect(throws: ServingError.self) { try Workload(.init(source: .trace(.init(trace: trace, qps: 0)))) }
    #expect(throws: ServingError.self) { try Workload(poisson(qps: .infinity)) }
  }

  @Test("arrival times never decrease over many laps of an uneven trace")
  func monotone() throws {
    let trace = try trace([0, 0, 1e-9, 0.1, 1.0 / 3])
    var workload = try Workload(.init(source: .trace(.init(trace: trace, qps: 3.7))), seed: 4)
    var last = 0.0
    for _ in 0..<20000 {
      let time = workload.next().arrivedAt
      #expect(time >= last)
      last = time
    }
  }
}

import Testing

@testable import ServingSim

/// Times between single tokens, worked out from the golden runs of the reference: every stage takes 10 ms.
@Suite struct TokenMeterTests {
  func meter(_ driver: SimulationDriver, _ parity: SchedulerParity) -> TokenMeter {
    var meter = TokenMeter(parity: parity)
    if let log = driver.cluster.log { meter.add(log) }
    return meter
  }

  func milliseconds(_ meter: TokenMeter, _ shares: [Double]) -> [Int] {
    var meter = meter
    return meter.percentiles(shares).map { Int(($0 * 1000).rounded()) }
  }

  @Test("the worked example: tokens at 10, 30, 40 ms and at 20, 30 ms", arguments: SchedulerParity.allCases)
  func goldenTrace(parity: SchedulerParity) throws {
    var driver = try SimulationDriver(constantCluster(parity: parity))
    driver.run([spec(0, 8, 3), spec(0.005, 4, 2)])
    let meter = meter(driver, parity)
    #expect(meter.gaps.count == 3 && milliseconds(meter, [0, 0.5, 1]) == [10, 10, 20])
    let tokens = try #require(driver.cluster.log?.tokens)
    #expect(tokens.map { driver.milliseconds($0.time) } == [10, 20, 30, 40])
    #expect(tokens.map { $0.members.map(\.request) } == [[0], [1], [0, 1], [0]])
    #expect(tokens.map { $0.members.map(\.prefillTokens) } == [[8], [4], [0, 0], [0]])
    #expect(tokens.map { $0.members.map(\.isLast) } == [[false], [false], [false, true], [true]])
  }

  @Test("an eviction is a gap of its request; the reference leaves it out")
  func eviction() throws {
    // Tokens of the three requests at 10 30 40 50 60 70, at 20 30 40 50 60 80 and at 20 80 90 100 110 120 ms; those at 80 ms end a repeated prefill.
    for (parity, count, sum, greatest) in [(SchedulerParity.sane, 15, 220, 60), (.reference, 13, 140, 20)] {
      var driver = try SimulationDriver(constantCluster(blockSize: 4, blockCount: 7, parity: parity))
      driver.run([spec(0, 8, 6), spec(0.001, 8, 6), spec(0.002, 8, 6)])
      let meter = meter(driver, parity)
      #expect(meter.gaps.count == count)
      #expect(Int((meter.gaps.mean * Double(count) * 1000).rounded()) == sum)
      #expect(milliseconds(meter, [0, 1]) == [10, greatest])
    }
  }

  @Test("a prefill in pieces yields one token, at its end")
  func pieces() throws {
    // Sarathi with pieces of 6: first tokens at 20, 29 and 48 ms after the arrivals.
    var driver = try SimulationDriver(constantCluster(.sarathi(chunkTokens: 6)))
    driver.run([spec(0, 8, 6), spec(0.001, 8, 6), spec(0.002, 8, 6)])
    let firsts = (driver.cluster.log?.tokens ?? []).flatMap { record in
      record.members.filter { $0.prefillTokens == 8 }.map { [$0.request, driver.milliseconds(record.time)] }
    }
    #expect(firsts == [[0, 20], [1, 30], [2, 50]])
    #expect(meter(driver, .sane).gaps.count == 15)
  }

  @Test("every output token but the first ends one gap, over evictions and failures, whatever pieces the log comes in")
  func count() throws {
    for seed in 0..<40 {
      var configuration = constantCluster(
        seed % 2 == 0 ? .vllmV1(maxNumBatchedTokens: 64) : .sarathi(chunkTokens: 48), replicas: 2, stages: 1 + seed % 2, blockSize: 4,
        blockCount: 40, parity: .sane)
      configuration.maxTokens = 120
      configuration.availability = [
        AvailabilityChange(time: 0.2, replica: 1, kind: .fail), AvailabilityChange(time: 0.35, replica: 1, kind: .recover),
      ]
      var cluster = try ClusterSimulation(configuration)
      cluster.recordEvents(TokenMeter.parts)
      var whole = TokenMeter(parity: .sane)
      var decodes = 0
      for index in 0..<30 {
        let decode = 1 + (index * 7 + seed) % 40
        decodes += decode - 1
        #expect(cluster.enqueueArrival(spec(Double(index) * 0.01, 10 + (index * 13 + seed) % 60, decode)) != nil)
      }
      var turn = 0
      while cluster.runUntilDecision() != nil {
        turn += 1
        cluster.route(to: cluster.canRoute(to: turn % 2) ? turn % 2 : 1 - turn % 2)
        if turn % 5 == 0, let log = cluster.takeLog() { whole.add(log) }
      }
      if let log = cluster.takeLog() { whole.add(log) }
      #expect(cluster.completedCount == 30 && cluster.reroutedCount > 0, "seed \(seed)")
      #expect(whole.gaps.count == decodes && whole.gaps.least > 0, "seed \(seed)")
    }
  }
}

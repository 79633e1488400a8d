import Randomness
import Testing

@testable import ServingSim

@Suite struct RunMetricsTests {
  @Test("percentiles are those of the sorted list, in double precision and beyond the limit", arguments: [1, 2, 3, 10, 1000, 1001, 5000])
  func percentiles(count: Int) throws {
    let shares = [0, 0.1, 0.5, 0.9, 0.99, 1]
    for seed in 0..<3 {
      var stream = RandomStream(seed: UInt64(seed), purpose: .lengths)
      // Ascending, descending and random values with many ties.
      let values = (0..<count).map { [Double($0), Double(-$0), Double(stream.bounded(50)) / 8][seed] }
      var exact = Distribution()
      var rounded = Distribution(exactLimit: 100)
      var dropped = Distribution(overflow: .drop, exactLimit: 100)
      var limited = Distribution(exactLimit: 100, roundedLimit: 1000)
      for value in values {
        exact.add(value)
        rounded.add(value)
        dropped.add(value)
        limited.add(value)
      }
      let sorted = values.sorted()
      let expected = shares.map { share -> Double in
        let position = share * Double(count - 1)
        let index = min(Int(position), count - 1)
        let next = min(index + 1, count - 1)
        return sorted[index] + (position - Double(index)) * (sorted[next] - sorted[index])
      }
      #expect(exact.percentiles(shares) == expected)
      // These values are exact in single precision as well.
      #expect(rounded.percentiles(shares) == expected)
      #expect(exact.isExact && rounded.isExact == (count <= 100))
      if count > 100 { #expect(dropped.percentiles([0.5])[0].isNaN) }
      #expect(count > 1000 ? limited.percentiles([0.5])[0].isNaN : limited.percentiles(shares) == expected)
      #expect(limited.count == count && limited.greatest == sorted[count - 1])
      #expect(exact.least == sorted[0] && dropped.greatest == sorted[count - 1])
      #expect(abs(dropped.mean - values.reduce(0, +) / Double(count)) < 1e-9)
    }
    var empty = Distribution()
    #expect(empty.mean.isNaN && empty.percentiles([0.5])[0].isNaN)
  }

  @Test("the use of a replica by hand: the golden trace", arguments: [false, true])
  func usage(records: Bool) throws {
    // One replica of 100 blocks, every stage 10 ms: busy from 0 to 40 ms. R0 holds a block all the time, R1 one from 10 to 30 ms.
    var cluster = try ClusterSimulation(
      ClusterConfiguration(
        replicaCount: 1, scheduler: ReplicaSchedulerConfiguration(kind: .vllm()), timeModel: .constant(seconds: 0.01), blockCount: 100))
    if records { cluster.recordEvents() }
    cluster.enqueueArrival(spec(0, 8, 3))
    cluster.enqueueArrival(spec(0.005, 4, 2))
    while cluster.runUntilDecision() != nil { cluster.route(to: 0) }
    let use = try #require(cluster.usage(until: 0.05).first)
    #expect(abs(use.busy[0] - 80) < 1e-9)
    #expect(abs(use.memoryMean - (0.04 + 0.02) / 0.05) < 1e-9)
    #expect(use.memoryMax == 2)
    #expect(use.batches == 4 && use.batchSizeMean == 1.25 && use.batchTokensMean == 15.0 / 4)
    // Tokens 8, 4, 2, 1; pairs 64, 16, (1 + 9) + (1 + 5), 1 + 10; Llama-2-7b on an A100.
    let flops = 2 * 15 * 6_476_005_376.0 + 4 * 32 * 4096 * Double(64 + 16 + 16 + 11)
    #expect(abs(use.modelFlopsUtilization / (100 * flops / 0.05 / 312e12) - 1) < 1e-12)
  }

  @Test("requests by importance, replica numbers as they are")
  func totals() throws {
    var driver = try SimulationDriver(ClusterConfiguration(replicaCount: 3, timeModel: .constant(seconds: 0.5)), routing: .roundRobin)
    driver.run((0..<6).map { RequestSpec(arrivedAt: Double($0), prefillTokens: 10, decodeTokens: 1, priority: Double($0 % 2)) })
    var metrics = RunMetrics(replicaCount: 3)
    for request in driver.completed { metrics.add(request) }
    #expect(metrics.completedByReplica == [2, 2, 2])
    #expect(metrics.priorities.map(\.priority) == [1, 0] && metrics.priorities.map(\.completed) == [3, 3])
    #expect(metrics.makespan == 5.5 && abs(metrics.throughput - 6 / 5.5) < 1e-12)
    #expect(metrics.endToEnd.mean == 0.5 && metrics.decodeTokens == 6)
  }

  @Test("routes of an earlier run: any order, each request once, replicas of this cluster")
  func routes() throws {
    func parse(_ text: String) throws(CSVError) -> ReplayedRoutes {
      try ReplayedRoutes.parse(bytes: Array(text.utf8), name: "r.csv", replicaCount: 4)
    }
    let routes = try parse("replica,request_id\n3,1\n0,0\n,2\n2,3\n")
    #expect((0..<5).map { routes.replica(of: $0) } == [0, 3, nil, 2, nil])
    for (text, reason) in [
      ("replica,request_id\n3,1\n2,1\n", CSVError.Reason.duplicateRow), ("replica,request_id\n4,1\n", .noSuchReplica),
      ("replica,request_id\n1,2000000000\n", .tooLarge), ("replica,request_id\n1,0.5\n", .notWhole), ("replica\n1\n", .missingColumn),
    ] {
      let error = #expect(throws: CSVError.self) { try parse(text) }
      #expect(error?.reason == reason)
    }
  }
}

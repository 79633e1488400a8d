import Testing

@testable import ServingSim

@Suite struct UtilizationTests {
  @Test("a series of steps by hand")
  func steps() {
    var series = StepSeries(0, from: 10)
    func figures(_ end: Double) -> [Double] {
      let (mean, least, greatest) = series.summary(until: end)
      return [mean, least, greatest]
    }
    #expect(figures(10) == [0, 0, 0])
    series.change(to: 5, at: 10)  // nothing lasted before it
    series.change(to: 50, at: 12)
    series.change(to: 1, at: 12)  // 50 lasts for no time
    series.change(to: 3, at: 14)
    // 5 for two seconds, 1 for two, 3 for two.
    #expect(figures(16) == [3, 1, 5] && figures(14) == [3, 1, 5])
  }

  @Test("batches by hand: the golden trace")
  func batches() throws {
    var driver = try SimulationDriver(constantCluster(parity: .sane))
    driver.run([spec(0, 8, 3), spec(0.005, 4, 2)])
    var metrics = BatchMetrics()
    metrics.add(try #require(driver.cluster.log))
    let named = metrics.named([0, 0.5, 1])
    #expect(
      named.map(\.name) == [
        "batch_execution_time", "batch_num_tokens", "batch_num_prefill_tokens", "batch_num_decode_tokens", "batch_size",
      ])
    // Batches of 8 and 4 prompt tokens, then of two and of one token.
    #expect(named.dropFirst().map(\.percentiles) == [[1, 3, 8], [0, 2, 8], [0, 0.5, 2], [1, 1, 2]])
    #expect(abs(named[0].values.mean - 0.01) < 1e-12)
  }

  @Test("the series have the means of the usage, by replica and stage, and the extremes of the log")
  func agreement() throws {
    var configuration = ClusterConfiguration(
      replicaCount: 3, pipelineStages: 2, scheduler: ReplicaSchedulerConfiguration(kind: .vllmV1(maxNumBatchedTokens: 256)))
    configuration.replicas[1].device = .h100
    configuration.replicas[2].speedFactor = 0.5
    var driver = try SimulationDriver(configuration, routing: .roundRobin)
    driver.run((0..<60).map { spec(Double($0) * 0.03, 20 + ($0 * 97) % 600, 1 + ($0 * 31) % 60) })
    let log = try #require(driver.cluster.log)
    var series = UtilizationMeter(driver.cluster)
    series.add(log)
    let end = driver.cluster.now + 1
    for (index, expected) in driver.cluster.usage(until: end).enumerated() {
      let replica = series.replicas[index]
      let memory = replica.memory.summary(until: end)
      #expect(abs(memory.mean - expected.memoryMean) < 1e-9 && memory.greatest == expected.memoryMax && memory.least == 0)
      #expect(replica.stages.count == 2)
      for (number, stage) in replica.stages.enumerated() {
        let busy = stage.busy.summary(until: end)
        #expect(abs(busy.mean - expected.busy[number]) < 1e-9 && busy.greatest == 100 && busy.least == 0)
        let flops = stage.modelFlopsUtilization.summary(until: end)
        #expect(abs(flops.mean / expected.modelFlopsUtilization - 1) < 1e-9 && flops.greatest > flops.mean && flops.greatest < 100)
      }
    }
  }
}

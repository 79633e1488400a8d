import ServingSim
import Testing

/// Short runs recorded from the reference simulator; every stage takes 10 ms.
@Suite struct GoldenRunTests {
  let specs = [spec(0, 8, 6), spec(0.001, 8, 6), spec(0.002, 8, 6)]

  /// End to end, execution, preempted, delay, time to first token (ms), restarts.
  func tuples(_ driver: SimulationDriver) -> [[Int]] {
    driver.completed.sorted { $0.id < $1.id }.map {
      [
        driver.milliseconds($0.endToEndSeconds), driver.milliseconds($0.executionSeconds), driver.milliseconds($0.preemptedSeconds),
        driver.milliseconds($0.schedulingDelaySeconds), driver.milliseconds($0.timeToFirstTokenSeconds), $0.restarts,
      ]
    }
  }

  @Test("vllm with seven blocks evicts the youngest requests", arguments: SchedulerParity.allCases)
  func vllmEviction(parity: SchedulerParity) throws {
    var driver = try SimulationDriver(constantCluster(blockSize: 4, blockCount: 7, parity: parity))
    driver.run(specs)
    #expect(driver.cluster.handledEvents == 81)
    #expect(
      driver.batchNotation == [
        "0[0:8]", "10[1:8 2:8]", "20[0:1 1:1]", "30[0:1 1:1]", "40[0:1 1:1]", "50[0:1 1:1]", "60[0:1]", "70[1:13 2:9]", "80[2:1]",
        "90[2:1]", "100[2:1]", "110[2:1]",
      ])
    #expect(tuples(driver) == [[70, 60, 10, 0, 10, 0], [79, 60, 10, 9, 19, 1], [118, 60, 50, 8, 18, 1]])
  }

  @Test("sarathi with seven blocks, the reference's eviction of half-done prefills included")
  func sarathiEvictionReference() throws {
    var driver = try SimulationDriver(constantCluster(.sarathi(chunkTokens: 6), blockSize: 4, blockCount: 7))
    driver.run(specs)
    #expect(driver.cluster.handledEvents == 117)
    #expect(
      driver.batchNotation == [
        "0[0:6]", "10[0:2 1:4]", "20[0:1 1:4 2:1]", "30[0:1 1:1 2:1]", "40[0:1 1:1 2:2]", "50[0:1 1:1 2:3]", "60[0:1 1:5]", "70[1:6]",
        "80[1:1 2:4]", "90[1:1 2:1]", "100[2:1]", "110[2:1]", "120[2:1]", "130[2:1]", "140[2:1]", "150[2:1]", "160[2:1]", "170[2:1]",
      ])
    #expect(tuples(driver) == [[70, 70, 0, 0, 20, 0], [99, 90, 0, 9, 29, 1], [178, 140, 20, 18, 38, 4]])
  }

  @Test("the sane restart keeps the whole prompt: no prompt token is decoded")
  func sarathiEvictionSane() throws {
    var driver = try SimulationDriver(constantCluster(.sarathi(chunkTokens: 6), blockSize: 4, blockCount: 7, parity: .sane))
    driver.run(specs)
    #expect(driver.completed.count == 3)
    // The last attempt of each request runs at most decodeTokens - 1 single-token steps after its prefill.
    for request in 0..<3 {
      let steps = (driver.cluster.log?.batches ?? []).filter { batch in
        guard let place = batch.requests.firstIndex(of: request) else { return false }
        return batch.tokens[place] == 1 && batch.prefillTokens == 0
      }
      #expect(steps.count <= 6 - 1)
    }
    let end = try #require(driver.completed.last?.completedAt)
    #expect(end < 0.180)
  }

  @Test("sarathi splits prompts into chunks of six")
  func sarathiChunks() throws {
    var driver = try SimulationDriver(constantCluster(.sarathi(chunkTokens: 6)))
    driver.run(specs)
    #expect(driver.cluster.handledEvents == 69)
    #expect(
      driver.batchNotation == [
        "0[0:6]", "10[0:2 1:4]", "20[0:1 1:4 2:1]", "30[0:1 1:1 2:4]", "40[0:1 1:1 2:3]", "50[0:1 1:1 2:1]", "60[0:1 1:1 2:1]",
        "70[1:1 2:1]", "80[2:1]", "90[2:1]",
      ])
    #expect(tuples(driver).map { $0[0] } == [70, 79, 98])
    #expect(tuples(driver).map { $0[4] } == [20, 29, 48])
  }

  @Test("two pipeline stages keep two batches in flight")
  func vllmTwoStages() throws {
    var driver = try SimulationDriver(constantCluster(stages: 2))
    driver.run(specs)
    #expect(driver.cluster.handledEvents == 139)
    #expect(
      Array(driver.batchNotation.prefix(7)) == [
        "0[0:8]", "1[1:8]", "20[2:8]", "30[0:1 1:1]", "40[2:1]", "50[0:1 1:1]", "60[2:1]",
      ])
    #expect(driver.batchNotation.last == "120[2:1]")
    #expect(tuples(driver) == [[130, 120, 10, 0, 20, 0], [129, 120, 0, 0, 29, 0], [138, 120, 0, 18, 38, 0]])
  }

  @Test("orca: two longest sequences fit into 512 blocks", arguments: SchedulerParity.allCases)
  func orca(parity: SchedulerParity) throws {
    var driver = try SimulationDriver(constantCluster(.orca, blockCount: 512, parity: parity))
    driver.run(specs)
    #expect(driver.cluster.handledEvents == 81)
    #expect(
      driver.batchNotation == [
        "0[0:8]", "10[0:1 1:8]", "20[0:1 1:1]", "30[0:1 1:1]", "40[0:1 1:1]", "50[0:1 1:1]", "60[1:1 2:8]", "70[2:1]", "80[2:1]",
        "90[2:1]", "100[2:1]", "110[2:1]",
      ])
    #expect(tuples(driver).map { $0[0] } == [60, 69, 118])
    #expect(tuples(driver).map { $0[3] } == [0, 9, 58])
  }

  @Test("lightllm admits two prompts once the first request is done", arguments: SchedulerParity.allCases)
  func lightllm(parity: SchedulerParity) throws {
    var driver = try SimulationDriver(constantCluster(.lightllm(), blockSize: 1, blockCount: 40, parity: parity))
    driver.run(specs)
    #expect(driver.cluster.handledEvents == 81)
    #expect(
      driver.batchNotation == [
        "0[0:8]", "10[0:1]", "20[0:1]", "30[0:1]", "40[0:1]", "50[0:1]", "60[1:8 2:8]", "70[1:1 2:1]", "80[1:1 2:1]", "90[1:1 2:1]",
        "100[1:1 2:1]", "110[1:1 2:1]",
      ])
    #expect(tuples(driver).map { $0[0] } == [60, 119, 118])
  }

  @Test("faster_transformer runs a batch to its end; the reference never frees the blocks of those who finish early")
  func fasterTransformer() throws {
    for parity in SchedulerParity.allCases {
      var driver = try SimulationDriver(constantCluster(.fasterTransformer, blockCount: 512, parity: parity))
      driver.run([spec(0, 8, 3), spec(0, 8, 5), spec(0.002, 8, 2)])
      #expect(driver.cluster.handledEvents == 50)
      #expect(
        driver.batchNotation == ["0[0:8 1:8]", "10[0:1 1:1]", "20[0:1 1:1]", "30[1:1]", "40[1:1]", "50[2:8]", "60[2:1]"])
      #expect(driver.cluster.replica(0).allocatedBlocks == (parity == .reference ? 256 : 0))
      #expect(driver.cluster.invariantViolations().isEmpty)
    }
  }

  @Test("fewest waiting with idle replicas sends everything to the first")
  func fewestWaitingIdle() throws {
    var driver = try SimulationDriver(constantCluster(replicas: 4))
    driver.run([0, 0.1, 0.2, 0.3].map { spec($0, 8, 1) })
    #expect(driver.placements == [0, 0, 0, 0])
    var busy = try SimulationDriver(constantCluster(replicas: 3))
    busy.run((0..<6).map { spec(Double($0) * 0.001, 8, 4) })
    #expect(busy.placements == [0, 0, 1, 1, 2, 2])
  }
}

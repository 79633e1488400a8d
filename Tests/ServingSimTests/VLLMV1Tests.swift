import ServingSim
import Testing

/// The scheduler of vLLM since version 1, timelines worked out by hand from its documentation; every step takes 10 ms.
@Suite struct VLLMV1Tests {
  func driver(
    budget: Int = 2048, threshold: Int = 0, isChunked: Bool = true, maxNumSeqs: Int = 128, blockSize: Int = 4, blockCount: Int = 4096,
    stages: Int = 1
  ) throws -> SimulationDriver {
    let kind = ReplicaSchedulerConfiguration.Kind.vllmV1(
      maxNumBatchedTokens: budget, longPrefillTokenThreshold: threshold, enableChunkedPrefill: isChunked)
    var configuration = constantCluster(kind, stages: stages, blockSize: blockSize, blockCount: blockCount, parity: .sane)
    configuration.replicas[0].scheduler.batchSizeCap = maxNumSeqs
    if !isChunked { configuration.maxTokens = budget }
    return try SimulationDriver(configuration)
  }

  @Test("decodes and prompts share the budget, running requests first")
  func budget() throws {
    var driver = try driver(budget: 10)
    driver.run([spec(0, 8, 4), spec(0.001, 12, 2), spec(0.002, 3, 2)])
    // 0: R0's prompt. 10: one decode, nine of R1's twelve. 20: decode, the other three, R2's prompt. Then decodes.
    #expect(driver.batchNotation == ["0[0:8]", "10[0:1 1:9]", "20[0:1 1:3 2:3]", "30[0:1 1:1 2:1]"])
  }

  @Test("long_prefill_token_threshold leaves room for the next prompt")
  func threshold() throws {
    var driver = try driver(budget: 10, threshold: 4)
    driver.run([spec(0, 12, 1), spec(0, 3, 1), spec(0, 5, 1)])
    #expect(driver.batchNotation == ["0[0:4 1:3 2:3]", "10[0:4 2:2]", "20[0:4]"])
  }

  @Test("without chunked prefill a prompt waits until the budget holds it whole")
  func notChunked() throws {
    var driver = try driver(budget: 20, isChunked: false)
    driver.run([spec(0, 8, 3), spec(0, 13, 1)])
    #expect(driver.batchNotation == ["0[0:8]", "10[0:1 1:13]", "20[0:1]"])
  }

  @Test("max_num_seqs bounds the running requests")
  func maxNumSeqs() throws {
    var driver = try driver(maxNumSeqs: 2)
    driver.run([spec(0, 4, 2), spec(0, 4, 3), spec(0, 4, 2)])
    #expect(driver.batchNotation == ["0[0:4 1:4]", "10[0:1 1:1]", "20[1:1 2:4]", "30[2:1]"])
  }

  /// Six blocks of four tokens. R0 and R1 hold two each for their prompts of 8, a third at 9 tokens. At 13 tokens R0 needs a fourth:
  /// R1, the last running one, is recomputed: it waits, at the front, until its 13 tokens (four blocks) fit again.
  @Test("a request without blocks recomputes the last running one, which comes back first and generates no token twice")
  func preemption() throws {
    var driver = try driver(blockCount: 6)
    driver.run([spec(0, 8, 7), spec(0, 8, 7), spec(0.045, 4, 1)])
    #expect(
      driver.batchNotation == [
        "0[0:8 1:8]", "10[0:1 1:1]", "20[0:1 1:1]", "30[0:1 1:1]", "40[0:1 1:1]", "50[0:1]", "60[0:1]", "70[1:13 2:4]", "80[1:1]",
      ])
    #expect(driver.completed.sorted { $0.id < $1.id }.map(\.restarts) == [0, 1, 0])
    #expect(driver.cluster.replica(0).allocatedBlocks == 0)
  }

  @Test("a step that evicted somebody admits nobody")
  func noAdmissionAfterEviction() throws {
    var driver = try driver(blockCount: 6)
    // R2 would fit beside R0 at 50 ms, in the blocks that R1 lost.
    driver.run([spec(0, 8, 7), spec(0, 8, 7), spec(0.045, 4, 1)])
    #expect(driver.batchNotation.contains("50[0:1]"))
  }

  @Test("in a pipeline a request is in one batch at a time, and later arrivals fill the other stages")
  func pipeline() throws {
    var driver = try driver(stages: 2)
    driver.run([spec(0, 8, 3), spec(0.001, 8, 3)])
    #expect(driver.batchNotation == ["0[0:8]", "1[1:8]", "20[0:1]", "30[1:1]", "40[0:1]", "50[1:1]"])
  }

  @Test("parameters out of range are refused with their name")
  func refusals() {
    func field(_ kind: ReplicaSchedulerConfiguration.Kind) -> String? {
      do {
        _ = try ClusterSimulation(constantCluster(kind, parity: .sane))
        return nil
      } catch {
        return error.field
      }
    }
    #expect(field(.vllmV1()) == nil)
    #expect(field(.vllmV1(maxNumBatchedTokens: 0)) == "maxNumBatchedTokens")
    #expect(field(.vllmV1(longPrefillTokenThreshold: -1)) == "longPrefillTokenThreshold")
    #expect(field(.vllmV1(enableChunkedPrefill: false)) == "maxNumBatchedTokens")
    #expect(field(.lightllm()) == "blockSize")
  }
}

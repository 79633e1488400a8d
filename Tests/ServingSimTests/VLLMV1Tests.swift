import ServingSim
import Testing

/// The scheduler of vLLM since version 1, timelines worked out by hand from its documentation; every step takes 10 ms.
@Suite struct VLLMV1Tests {
  func driver(
    budget: Int = 2048, threshold: Int = 0, isChunked: Bool = true, maxNumSeqs: Int = 128, blockSize: Int = 4, blockCount: Int = 4096,
    stages: Int = 1, policy: SchedulingPolicy = .fcfs
  ) throws -> SimulationDriver {
    let kind = ReplicaSchedulerConfiguration.Kind.vllmV1(
      maxNumBatchedTokens: budget, longPrefillTokenThreshold: threshold, enableChunkedPrefill: isChunked)
    var configuration = constantCluster(kind, stages: stages, blockSize: blockSize, blockCount: blockCount, parity: .sane)
    configuration.replicas[0].scheduler.batchSizeCap = maxNumSeqs
    configuration.replicas[0].scheduler.schedulingPolicy = policy
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

  private func important(_ time: Double, _ prefill: Int, _ decode: Int, _ priority: Double) -> RequestSpec {
    RequestSpec(arrivedAt: time, prefillTokens: prefill, decodeTokens: decode, priority: priority)
  }

  @Test("by priority the more important are admitted first, equal ones as they came", arguments: SchedulingPolicy.allCases)
  func priority(policy: SchedulingPolicy) throws {
    var driver = try driver(maxNumSeqs: 1, policy: policy)
    driver.run([important(0, 4, 1, 0), important(0.001, 4, 1, 1), important(0.002, 4, 1, 3), important(0.003, 4, 1, 1)])
    #expect(
      driver.batchNotation == ["0[0:4]"] + (policy == .fcfs ? ["10[1:4]", "20[2:4]", "30[3:4]"] : ["10[2:4]", "20[1:4]", "30[3:4]"]))
  }

  /// As `preemption`, but R1 is the more important: it is admitted first, and when it needs a fourth block at 13 tokens R0, which came first, is recomputed.
  @Test("by priority the less important request loses its blocks, whoever came first")
  func lessImportant() throws {
    var driver = try driver(blockCount: 6, policy: .priority)
    driver.run([important(0, 8, 7, 1), important(0, 8, 7, 2)])
    #expect(
      driver.batchNotation == [
        "0[1:8 0:8]", "10[1:1 0:1]", "20[1:1 0:1]", "30[1:1 0:1]", "40[1:1 0:1]", "50[1:1]", "60[1:1]", "70[0:13]", "80[0:1]",
      ])
    #expect(driver.completed.sorted { $0.id < $1.id }.map(\.restarts) == [1, 0])
  }

  @Test("by priority a request that needs blocks gives way itself if it is the least important")
  func givesWay() throws {
    var driver = try driver(blockCount: 7, policy: .priority)
    driver.run([important(0, 8, 12, 1), important(0.001, 12, 7, 2)])
    // From 20 on R0 holds three blocks and R1 four of the seven. At 50 R0 has 13 tokens.
    #expect(
      driver.batchNotation.prefix(7) == ["0[0:8]", "10[0:1 1:12]", "20[0:1 1:1]", "30[0:1 1:1]", "40[0:1 1:1]", "50[1:1]", "60[1:1]"])
    #expect(driver.completed.sorted { $0.id < $1.id }.map(\.restarts) == [1, 0])
  }

  @Test("by priority a request leaves the batch again for a more important one")
  func leavesBatch() throws {
    var driver = try driver(blockCount: 6, policy: .priority)
    driver.run([important(0, 8, 12, 1), important(0.001, 11, 7, 2)])
    // Each holds three blocks. At 30 R0 has its token of the step when R1 needs a fourth block for its 13th: R0 is recomputed after R1.
    #expect(
      driver.batchNotation.prefix(10) == [
        "0[0:8]", "10[0:1 1:11]", "20[0:1 1:1]", "30[1:1]", "40[1:1]", "50[1:1]", "60[1:1]", "70[1:1]", "80[0:11]", "90[0:1]",
      ])
    #expect(driver.completed.sorted { $0.id < $1.id }.map(\.restarts) == [1, 0])
    #expect(driver.cluster.replica(0).allocatedBlocks == 0)
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

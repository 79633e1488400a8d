import ServingSim
import Testing

@Suite struct AdmissionTests {
  @Test("a request of the longest length is admitted, one token more is turned away")
  func tokenLimit() throws {
    var cluster = try ClusterSimulation(constantCluster())
    #expect(cluster.enqueueArrival(spec(0, 4000, 97)) == nil)
    #expect(cluster.enqueueArrival(spec(0, 4000, 96)) == 0)
    #expect(cluster.takeRejections().map(\.reason) == [.tooManyTokens(limit: 4096)])
    #expect(cluster.takeRejections().isEmpty)
    #expect(cluster.rejectedCount == 1)
    #expect(cluster.runUntilDecision() == 0)
    cluster.route(to: 0)
    #expect(cluster.runUntilDecision() == nil)
    #expect(cluster.completedCount == 1)
    #expect(cluster.handledEvents > 500)
  }

  @Test("a request of all blocks but the watermark is admitted and ends, one block more is turned away")
  func blockLimit() throws {
    // 20 blocks of 4 tokens, 2 kept free: 18 blocks are 72 tokens.
    var configuration = constantCluster(blockSize: 4, blockCount: 20, parity: .sane)
    configuration.replicas[0].scheduler.watermarkFraction = 0.1
    var cluster = try ClusterSimulation(configuration)
    #expect(cluster.enqueueArrival(spec(0, 60, 13)) == nil)
    #expect(cluster.enqueueArrival(spec(0, 60, 12)) == 0)
    #expect(cluster.takeRejections().map(\.reason) == [.tooManyBlocks(needed: 19, available: 18)])
    #expect(cluster.runUntilDecision() == 0)
    cluster.route(to: 0)
    #expect(cluster.runUntilDecision() == nil)
    #expect(cluster.completedCount == 1)
  }

  @Test("a lone request that fills the memory restarts itself and still ends; the reference lets it wait for ever")
  func loneRequestFillsMemory() throws {
    for parity in SchedulerParity.allCases {
      var cluster = try ClusterSimulation(constantCluster(blockSize: 4, blockCount: 4, parity: parity))
      #expect(cluster.enqueueArrival(spec(0, 12, 4)) == 0)
      _ = cluster.runUntilDecision()
      cluster.route(to: 0)
      #expect(cluster.runUntilDecision() == nil)
      #expect(cluster.completedCount == (parity == .sane ? 1 : 0))
    }
  }

  @Test("a rejected arrival makes no event and no decision")
  func rejectionIsSilent() throws {
    var cluster = try ClusterSimulation(constantCluster())
    #expect(cluster.enqueueArrival(spec(0, 5000, 1)) == nil)
    #expect(cluster.runUntilDecision() == nil)
    #expect(cluster.handledEvents == 0)
    #expect(cluster.pendingArrivalCount == 0)
  }

  @Test("views follow a request through queue, batch and end")
  func views() throws {
    var cluster = try ClusterSimulation(constantCluster())
    for (time, prefill) in [(0.0, 20), (0.001, 8), (0.002, 9)] { cluster.enqueueArrival(spec(time, prefill, 3)) }
    #expect(cluster.pendingArrivalCount == 3)
    #expect(cluster.runUntilDecision() == 0)
    #expect(cluster.request(0).replica == nil)
    cluster.route(to: 0)
    #expect(cluster.runUntilDecision() == 1)
    #expect(cluster.request(0).heldBlocks == 2)
    #expect(cluster.request(0).scheduledAt == 0)
    cluster.route(to: 0)
    #expect(cluster.runUntilDecision() == 2)
    let view = cluster.replica(0)
    #expect(Array(cluster.waitingQueue(0)) == [1])
    #expect(cluster.waitingQueue(0).request(at: 0).prefillTokens == 8)
    #expect([view.waitingCount, view.residentCount, view.runningCount, view.runningBatches] == [1, 1, 0, 1])
    #expect([view.outstandingRequests, view.outstandingTokens] == [2, 23 + 11])
    #expect([view.allocatedBlocks, view.blockCount, view.blockSize, view.batchCapacity, view.stageCount] == [2, 4096, 16, 128, 1])
    cluster.route(to: 0)
    #expect(cluster.run(until: 0.0101) == nil)
    // The first prefill is done: 21 of 23 tokens; both others are in the prefill batch that followed.
    #expect(cluster.now == 0.010)
    #expect(cluster.request(0).processedTokens == 21)
    #expect(cluster.request(0).prefillCompletedAt == 0.010)
    #expect(cluster.replica(0).outstandingTokens == 2 + 11 + 12)
    #expect(cluster.inFlightCount == 3)
    #expect(cluster.runUntilDecision() == nil)
    #expect(!cluster.isLive(0))
    #expect(cluster.inFlightCount == 0)
  }

  @Test("settings out of range are refused with their name")
  func invalidSettings() {
    func field(_ change: (inout ClusterConfiguration) -> Void) -> String? {
      var configuration = constantCluster()
      change(&configuration)
      do {
        _ = try ClusterSimulation(configuration)
        return nil
      } catch {
        return error.field
      }
    }
    #expect(field { _ in } == nil)
    #expect(field { $0.replicas = [] } == "replicas")
    #expect(field { $0.replicas[0].pipelineStages = 3 } == "pipelineStages")
    #expect(field { $0.replicas[0].tensorParallel = 0 } == "tensorParallel")
    #expect(field { $0.maxTokens = 1 } == "maxTokens")
    #expect(field { $0.maxTokens = 4097 } == "maxTokensInBatch")
    #expect(field { $0.replicas[0].blockCount = 0 } == "blockCount")
    #expect(field { $0.replicas[0].scheduler.blockSize = 0 } == "blockSize")
    #expect(field { $0.replicas[0].scheduler.batchSizeCap = 0 } == "batchSizeCap")
    #expect(field { $0.replicas[0].scheduler.watermarkFraction = 1 } == "watermarkFraction")
    #expect(field { $0.replicas[0].scheduler.kind = .sarathi(chunkTokens: 0) } == "chunkTokens")
    #expect(field { $0.replicas[0].timeModel = .constant(seconds: 0) } == "timeModel.constant")
    #expect(field { $0.replicas[0].timeModel = .linear(a: 1, b: .nan, c: 0, d: 0) } == "timeModel.linear.b")
    #expect(
      field {
        $0.replicas[0].pipelineStages = 4
        $0.replicas[0].scheduler.batchSizeCap = 3
      } == "batchSizeCap")
    #expect(
      field {
        $0.model = .qwen72B
        $0.replicas[0].blockCount = nil
      } == "model")
  }

  @Test("arrivals in the past, out of order or without tokens stop the program")
  func arrivalPreconditions() async {
    await #expect(processExitsWith: .failure) {
      var cluster = try ClusterSimulation(constantCluster())
      cluster.enqueueArrival(spec(1, 8, 1))
      cluster.enqueueArrival(spec(0.5, 8, 1))
    }
    await #expect(processExitsWith: .failure) {
      var cluster = try ClusterSimulation(constantCluster())
      cluster.enqueueArrival(spec(0, 0, 1))
    }
    await #expect(processExitsWith: .failure) {
      var cluster = try ClusterSimulation(constantCluster())
      cluster.route(to: 0)
    }
  }
}

import RunConfig
import ServingEnv
import ServingSim
import Testing

@testable import Training

/// What is wrong with a cluster or workload is said in the words of the configuration.
@Suite("Errors about clusters and workloads")
struct ServingErrorTests {
  /// What a simulation of these overrides is refused with.
  func message(_ overrides: [String]) throws -> String {
    let error = #expect(throws: TrainingError.self, "\(overrides)") {
      let routing = try RoutingConfiguration(Configuration(overrides: overrides), files: [])
      do throws(ServingError) { _ = try RoutingEnvironment(routing) } catch { throw TrainingError(error) }
    }
    #expect(error?.code == .usage)
    return error?.message ?? ""
  }

  @Test("keys, values and limits stand in the message")
  func keys() throws {
    let cases: [(overrides: [String], parts: [String])] = [
      (["cluster.pipeline_stages=3"], ["cluster.pipeline_stages: 3", "32 layers"]),
      (["cluster.model=Qwen/Qwen-72B"], ["cluster.model: Qwen/Qwen-72B on a100", "cluster.tensor_parallel 1", "cannot hold"]),
      (["cluster.device=a40", "cluster.tensor_parallel=2"], ["cluster.network: ", "a40_pairwise_nvlink"]),
      (
        ["cluster.availability=[{\"at_seconds\":1,\"replica\":4,\"change\":\"fail\"}]"],
        ["cluster.availability[0]: replica 4, allowed 0...3"]
      ),
      (
        ["cluster.num_replicas=2", "cluster.replicas=[{\"count\":1},{\"replica_scheduler\":\"vllm\",\"max_tokens_in_batch\":100}]"],
        ["cluster.replicas, replica 1: max_tokens_in_batch: 100 is below cluster.max_tokens 4096"]
      ),
      (
        ["cluster.num_replicas=2", "cluster.replicas=[{\"count\":1},{\"tensor_parallel\":3}]"],
        ["cluster.replicas, replica 1: tensor_parallel: 3"]
      ),
      (["workload.rate_schedule=[{\"at_seconds\":0,\"factor\":0}]"], ["workload.rate_schedule and workload.bursts: "]),
    ]
    for (overrides, parts) in cases {
      let text = try message(overrides)
      for part in parts { #expect(text.contains(part), "\(overrides): \(text)") }
    }
  }

  @Test("no name of the simulator's own reaches a person")
  func names() {
    let fields = [
      "availability[3]", "batchSizeCap", "blockCount", "blockSize", "chunkTokens", "from/to", "intervals.cap", "longPrefillTokenThreshold",
      "maxNumBatchedTokens", "maxTokens", "maxTokensInBatch", "maxWaitingIterations", "memoryMarginFraction", "model", "network",
      "pipelineStages", "qps", "rateProfile.steps[1]", "replicas", "replicas[7].blockSize", "scale.prefill", "speedFactor",
      "tensorParallel",
      "timeModel.constant", "timeModel.linear.b", "trace", "watermarkFraction",
    ]
    for field in fields {
      let text = TrainingError(ServingError(.outOfRange, field: field, reason: "1 is not maxTokensInBatch 2")).message
      let isKey = ["cluster.", "workload.", "timing."].contains { text.hasPrefix($0) }
      #expect(isKey && !text.contains(where: \.isUppercase), "\(field): \(text)")
      #expect(text.hasSuffix("1 is not cluster.max_tokens_in_batch 2"))
    }
    #expect(TrainingError(ServingError(.outOfRange, field: "timeModel.linear.b", reason: "x")).message == "timing.linear_b: x")
    #expect(
      TrainingError(ServingError(.outOfRange, field: "replicas[7].blockSize", reason: "x")).message
        == "cluster.replicas, replica 7: block_size: x")
  }

  @Test("replicas have schedulers and parameters of their own")
  func schedulers() throws {
    let groups = [
      "{\"replica_scheduler\":\"vllm\",\"max_tokens_in_batch\":8192,\"watermark_blocks_fraction\":0.05,\"block_size\":32}",
      "{\"replica_scheduler\":\"sarathi\",\"prefill_chunk_size\":256,\"batch_size_cap\":7}",
      "{\"replica_scheduler\":\"lightllm\",\"block_size\":1,\"max_waiting_iters\":3,\"max_tokens_in_batch\":5000}",
      "{\"max_num_batched_tokens\":777,\"long_prefill_token_threshold\":99,\"enable_chunked_prefill\":true,\"scheduling_policy\":\"priority\"}",
      "{\"replica_scheduler\":\"orca\"}", "{\"replica_scheduler\":\"faster_transformer\"}",
    ]
    let routing = try RoutingConfiguration(
      Configuration(overrides: [
        "cluster.num_replicas=6", "cluster.replicas=[\(groups.joined(separator: ","))]", "cluster.enable_chunked_prefill=true",
      ]), files: [])
    let schedulers = routing.cluster.replicas.map(\.scheduler)
    #expect(
      schedulers.map(\.kind) == [
        .vllm(maxTokensInBatch: 8192), .sarathi(chunkTokens: 256), .lightllm(maxTokensInBatch: 5000, maxWaitingIterations: 3),
        .vllmV1(maxNumBatchedTokens: 777, longPrefillTokenThreshold: 99, enableChunkedPrefill: true), .orca, .fasterTransformer,
      ])
    #expect(schedulers.map(\.blockSize) == [32, 16, 1, 16, 16, 16] && schedulers.map(\.batchSizeCap) == [128, 7, 128, 128, 128, 128])
    #expect(schedulers.map(\.watermarkFraction) == [0.05, 0.01, 0.01, 0.01, 0.01, 0.01])
    #expect(schedulers.map(\.schedulingPolicy) == [.fcfs, .fcfs, .fcfs, .priority, .fcfs, .fcfs])
    // Such a cluster serves requests.
    var environment = try RoutingEnvironment(routing)
    for step in 0..<300 { _ = environment.step(step % 6) }
    #expect(environment.cluster.completedCount > 100)
  }
}

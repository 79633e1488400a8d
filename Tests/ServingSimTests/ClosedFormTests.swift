import ServingSim
import Testing

@Suite struct ClosedFormTests {
  func model(
    _ facts: ModelFacts, _ device: DeviceFacts, tensorParallel: Int = 1, stages: Int = 1, node: NodeFacts = .a100DGX,
    rounding: FeatureRounding = .exact
  ) throws -> ClosedFormTimeModel {
    try ClosedFormTimeModel(
      model: facts, device: device, node: node, tensorParallel: tensorParallel, pipelineStages: stages, rounding: rounding, tableTokens: 64)
  }

  @Test("linear layer of Llama-2-7b on A100, ms per token count")
  func llama2OnA100() throws {
    let times = try model(.llama2_7B, .a100)
    let points = [(1, 0.302), (32, 0.307), (128, 0.389), (512, 1.070), (1024, 2.057), (4096, 8.059)]
    for (tokens, expected) in points { #expect(abs(times.linearMilliseconds(tokens: tokens) - expected) <= 1e-3, "\(tokens) tokens") }
  }

  @Test("linear layer of Llama-3-8B on A100, ms per token count")
  func llama3OnA100() throws {
    let times = try model(.llama3_8B, .a100)
    let points = [(1, 0.323), (128, 0.417), (512, 1.147), (4096, 8.654)]
    for (tokens, expected) in points { #expect(abs(times.linearMilliseconds(tokens: tokens) - expected) <= 1e-3, "\(tokens) tokens") }
  }

  @Test("linear layer of Llama-2-7b on H100, ms per token count")
  func llama2OnH100() throws {
    let times = try model(.llama2_7B, .h100)
    let points = [(1, 0.186), (128, 0.197), (512, 0.400), (4096, 2.730)]
    for (tokens, expected) in points { #expect(abs(times.linearMilliseconds(tokens: tokens) - expected) <= 1e-3, "\(tokens) tokens") }
  }

  @Test("all-reduce and send-receive by hand")
  func communication() throws {
    // 64 tokens x 4096 x 2 bytes = 524288 bytes. Two workers send all of it once: 0.524288 MB / 171 GB/s = 0.003066 ms.
    let two = try model(.llama2_7B, .a100, tensorParallel: 2)
    #expect(abs(two.allReduceMilliseconds(tokens: 64) - 2 * (0.0448 + 524_288 / 171e6 + 0.02)) < 1e-12)
    #expect(two.allReduceMilliseconds(tokens: 57) == two.allReduceMilliseconds(tokens: 64))
    #expect(try model(.llama2_7B, .a100).allReduceMilliseconds(tokens: 64) == 0)
    let staged = try model(.llama2_7B, .a100, stages: 2)
    let wire = 524_288 / 240e6
    #expect(abs(staged.sendReceiveMilliseconds(tokens: 64) - (0.0172 * 0.0172 + wire * wire).squareRoot()) < 1e-12)
    // Sixteen devices are two nodes.
    let across = try model(.llama2_7B, .a100, tensorParallel: 8, stages: 2)
    #expect(abs(across.sendReceiveMilliseconds(tokens: 64) - (0.0311 + 524_288 / 7.8e6)) < 1e-12)
  }

  @Test("attention by hand")
  func attention() throws {
    let times = try model(.llama2_7B, .a100)
    // 10 decodes over 5000 tokens: keys and values of 4096 wide heads, 2 bytes each, queries and outputs beside them.
    let bytes = 2.0 * (2 * 5000 * 4096 + 10 * 2 * 4096)
    #expect(abs(times.decodeAttentionMilliseconds(requests: 10, contextTokens: 5000) - (0.012 + 1e3 * bytes / (2.039e12 * 0.7))) < 1e-12)
    #expect(times.decodeAttentionMilliseconds(requests: 0, contextTokens: 0) == 0)
    let flops = 4.0 * 4096 * 1000 * (500 + 1001 / 2.0)
    let memory = 2.0 * (2 * 1000 * 4096 + 2 * 1500 * 4096)
    let (compute, traffic) = (1e3 * flops / (312e12 * 0.5), 1e3 * memory / (2.039e12 * 0.7))
    let expected = (compute * compute + traffic * traffic).squareRoot()
    #expect(abs(times.prefillAttentionMilliseconds(context: 500, tokens: 1000) - expected) < 1e-12)
  }

  @Test("a stage adds up layers, attention and cache writes")
  func stageTotal() throws {
    // One request of 100 + 2 tokens alone on a cluster: prefill batch, then one decode over 101 tokens.
    var driver = try SimulationDriver(ClusterConfiguration(replicaCount: 1))
    driver.run([spec(0, 100, 2)])
    let times = try model(.llama2_7B, .a100)
    let save = { (tokens: Double) in 0.004 + 1e3 * tokens * 8 * 4096 / (2.039e12 * 0.35) }
    let prefill = times.linearMilliseconds(tokens: 100) + save(100) + 0.012 + times.prefillAttentionMilliseconds(context: 0, tokens: 100)
    let decode = times.linearMilliseconds(tokens: 1) + save(1) + times.decodeAttentionMilliseconds(requests: 1, contextTokens: 101)
    let request = try #require(driver.completed.first)
    #expect(abs(request.timeToFirstTokenSeconds - 32e-3 * prefill) < 1e-12)
    #expect(abs(request.endToEndSeconds - 32e-3 * (prefill + decode)) < 1e-12)
  }

  @Test("the reference's rounding charges eight tokens for one and grouped queries ten percent")
  func referenceRounding() throws {
    let exact = try model(.llama3_8B, .a100)
    let rounded = try model(.llama3_8B, .a100, rounding: .reference)
    let one = rounded.decodeAttentionMilliseconds(requests: 1, contextTokens: 1)
    #expect(abs(one - exact.decodeAttentionMilliseconds(requests: 1, contextTokens: 64)) < 1e-12)
    let two = rounded.decodeAttentionMilliseconds(requests: 2, contextTokens: 129)
    #expect(abs(two - 1.1 * exact.decodeAttentionMilliseconds(requests: 2, contextTokens: 128)) < 1e-12)
  }

  @Test("combinations without coefficients are refused")
  func unsupported() {
    let cases: [(ModelFacts, DeviceFacts, Int, NodeFacts, ServingError.Code)] = [
      (.llama2_7B, .a40, 2, .a40Pairwise, .unsupported), (.llama2_7B, .a100, 8, .a100Pairwise, .unsupported),
      (.phi2, .a100, 2, .a100DGX, .unsupported), (.llama2_7B, .a100, 16, .a100DGX, .unsupported),
    ]
    for (facts, device, tensorParallel, node, code) in cases {
      let error = #expect(throws: ServingError.self) { try model(facts, device, tensorParallel: tensorParallel, node: node) }
      #expect(error?.code == code)
    }
  }
}

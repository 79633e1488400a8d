import Testing

@testable import ServingSim

/// The tables of models, devices and nodes, typed a second time.
@Suite struct FactsTests {
  @Test("models: layers, heads, widths, vocabulary, positions and kinds of parts")
  func models() throws {
    // Name, layers, query heads, key and value heads, width, inner width, vocabulary, positions, theta of the rotary embedding.
    let rows: [(String, [Int], Double)] = [
      ("meta-llama/Llama-2-7b-hf", [32, 32, 32, 4096, 11008, 32768, 4096], 1e4),
      ("meta-llama/Llama-2-70b-hf", [80, 64, 8, 8192, 28672, 32768, 4096], 1e4),
      ("meta-llama/Meta-Llama-3-8B", [32, 32, 8, 4096, 14336, 128_256, 4096], 5e5),
      ("meta-llama/Meta-Llama-3-70B", [80, 64, 8, 8192, 28672, 128_256, 8192], 5e5),
      ("codellama/CodeLlama-34b-Instruct-hf", [48, 64, 8, 8192, 22016, 32768, 16384], 1e6),
      ("internlm/internlm-20b", [60, 40, 40, 5120, 13824, 103_168, 4096], 1e4),
      ("internlm/internlm2-20b", [48, 48, 8, 6144, 16384, 92544, 32768], 1e6),
      ("microsoft/phi-2", [32, 32, 32, 2560, 10240, 51200, 2048], 1e4),
      ("Qwen/Qwen-72B", [80, 64, 64, 8192, 24576, 152_064, 32768], 1e6),
    ]
    #expect(ModelFacts.all.map(\.name) == rows.map(\.0))
    for (name, numbers, theta) in rows {
      let m = try #require(ModelFacts.named(name))
      #expect([m.layers, m.queryHeads, m.keyValueHeads, m.embedding, m.feedForward, m.vocabulary, m.positionsMax] == numbers, "\(name)")
      let isPhi = name == "microsoft/phi-2"
      #expect(m.isGated == !isPhi && m.hasPostAttentionNorm == !isPhi && m.supportsTensorParallel == !isPhi, "\(name)")
      let details = m.details
      #expect(details.ropeTheta == theta && details.rotaryShare == (isPhi ? 0.4 : 1), "\(name)")
      #expect(details.norm == (isPhi ? .layer : .rms) && details.activation == (isPhi ? .gelu : .silu), "\(name)")
      #expect(details.hasBias == isPhi && details.hasQueryKeyValueBias == (isPhi || name == "Qwen/Qwen-72B"), "\(name)")
    }
  }

  @Test("devices: memory and rates")
  func devices() {
    #expect(DeviceFacts.all.map(\.name) == ["a100", "h100", "a40"])
    #expect(DeviceFacts.all.map(\.memoryGigabytes) == [80, 80, 45])
    #expect(DeviceFacts.all.map(\.peakFlops) == [312e12, 989e12, 149.7e12])
    #expect(DeviceFacts.all.map(\.bandwidth) == [2.039e12, 3.35e12, 0.696e12])
  }

  @Test("nodes: devices, all-reduces and transfers")
  func nodes() throws {
    typealias Link = NodeFacts.Link
    let rows: [(String, Int, [Link?], Link, Link)] = [
      (
        "a100_dgx", 8, [Link(0.0448, 171, .sum), Link(0.0389, 161, .sum), Link(0.0436, 152, .sum)], Link(0.0172, 240, .root),
        Link(0.0311, 7.8, .sum)
      ),
      (
        "a100_pairwise_nvlink", 4, [Link(0.0434, 199, .sum), Link(0.0582, 24, .sum), nil], Link(0.0101, 313, .root), Link(0.0169, 2.8, .sum)
      ),
      (
        "h100_dgx", 8, [Link(0.0337, 261, .root), Link(0.0401, 304, .root), Link(0.0298, 342, .sum)], Link(0.0077, 358, .sum),
        Link(0.0198, 35.9, .sum)
      ),
      (
        "h100_pairwise_nvlink", 4, [Link(0.0175, 200, .sum), Link(0.0292, 47, .sum), nil], Link(0.0101, 313, .root), Link(0.0169, 2.8, .sum)
      ),
      ("a40_pairwise_nvlink", 8, [nil, nil, nil], Link(0.0038, 4.1, .root), Link(0.0576, 2.6, .sum)),
    ]
    #expect(NodeFacts.all.map(\.name) == rows.map(\.0))
    for (name, devices, allReduces, inside, across) in rows {
      let node = try #require(NodeFacts.named(name))
      #expect(node.devicesPerNode == devices, "\(name)")
      #expect([2, 4, 8].map { node.allReduce(workers: $0) } == allReduces, "\(name)")
      #expect(node.sendReceiveInside == inside && node.sendReceiveAcross == across, "\(name)")
    }
  }
}

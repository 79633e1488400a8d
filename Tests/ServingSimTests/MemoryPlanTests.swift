import ServingSim
import Testing

@Suite struct MemoryPlanTests {
  /// Longest requests and blocks per tensor-parallel degree; nil: does not fit.
  struct Row: CustomTestStringConvertible {
    let model: ModelFacts
    let device: DeviceFacts
    let plans: [Int: (Int, Int)?]
    var testDescription: String { "\(model.name) on \(device.name)" }

    init(_ model: ModelFacts, _ device: DeviceFacts, _ plans: [Int: (Int, Int)?]) {
      self.model = model
      self.device = device
      self.plans = plans
    }
  }

  static let rows: [Row] = [
    Row(.llama2_7B, .a100, [1: (29, 7424), 2: (65, 16640), 4: (137, 35072), 8: (281, 71936)]),
    Row(.llama2_7B, .a40, [1: (14, 3584), 2: (34, 8704)]),
    Row(.llama3_8B, .a100, [1: (118, 30208), 2: (262, 67072), 4: (550, 140_800), 8: (1126, 288_256)]),
    Row(.llama3_8B, .a40, [1: (55, 14080), 2: (136, 34816)]),
    Row(.llama2_70B, .a100, [1: nil, 2: (13, 3328), 4: (128, 32768), 8: (358, 91648)]),
    Row(.llama3_70B, .h100, [1: nil, 2: (13, 3328), 4: (128, 32768), 8: (358, 91648)]),
    Row(.llama2_70B, .a40, [1: nil, 2: nil]),
    Row(.codeLlama34B, .a100, [1: (13, 3328), 2: (109, 27904), 4: (301, 77056), 8: (685, 175_360)]),
    Row(.codeLlama34B, .a40, [1: nil, 2: (25, 6400)]),
    Row(.internLM20B, .a100, [1: (7, 1792), 2: (23, 5888), 4: (53, 13568), 8: (115, 29440)]),
    Row(.internLM20B, .a40, [1: (1, 256), 2: (9, 2304)]),
    Row(.internLM2_20B, .a100, [1: (49, 12544), 2: (145, 37120), 4: (337, 86272), 8: (721, 184_576)]),
    Row(.internLM2_20B, .a40, [1: (7, 1792), 2: (61, 15616)]),
    Row(.phi2, .a100, [1: (53, 13568), 2: (111, 28416), 4: (226, 57856), 8: (457, 116_992)]),
    Row(.phi2, .a40, [1: (28, 7168), 2: (61, 15616)]),
    Row(.qwen72B, .a100, [1: nil, 2: (1, 256), 4: (15, 3840), 8: (44, 11264)]),
    Row(.qwen72B, .a40, [1: nil, 2: nil]),
  ]

  func plan(_ model: ModelFacts, _ device: DeviceFacts, _ tensorParallel: Int, stages: Int = 1) throws -> MemoryPlan {
    try MemoryPlan(
      model: model, device: device, tensorParallel: tensorParallel, pipelineStages: stages, memoryMarginFraction: 0.1, maxTokens: 4096,
      blockSize: 16)
  }

  @Test("requests and blocks of known models and devices", arguments: rows)
  func knownPlans(row: Row) throws {
    for (tensorParallel, expected) in row.plans {
      if let (batchMax, blocks) = expected {
        let found = try plan(row.model, row.device, tensorParallel)
        #expect(found.batchMax == batchMax, "tensorParallel \(tensorParallel)")
        #expect(found.blockCount == blocks, "tensorParallel \(tensorParallel)")
      } else {
        let error = #expect(throws: ServingError.self) { try plan(row.model, row.device, tensorParallel) }
        #expect(error?.code == .doesNotFit)
      }
    }
  }

  @Test("weights per device")
  func weights() throws {
    #expect(try plan(.llama2_7B, .a100, 1).parametersPerDevice == 6_476_005_376)
    #expect(try plan(.llama3_8B, .a100, 1).parametersPerDevice == 6_979_321_856)
    #expect(try plan(.phi2, .a100, 1).parametersPerDevice == 2_516_582_400)
    #expect(try plan(.llama2_7B, .a100, 1, stages: 2).parametersPerDevice == 6_476_005_376 / 2)
  }

  @Test("layers and heads that do not divide are refused")
  func indivisible() {
    #expect(throws: ServingError.self) { try plan(.llama2_7B, .a100, 3) }
    #expect(throws: ServingError.self) { try plan(.llama2_7B, .a100, 1, stages: 5) }
  }
}

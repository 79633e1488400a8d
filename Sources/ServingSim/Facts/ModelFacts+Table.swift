extension ModelFacts {
  /// Models with known dimensions.
  public static let all: [ModelFacts] = [
    llama2_7B, llama2_70B, llama3_8B, llama3_70B, codeLlama34B, internLM20B, internLM2_20B, phi2, qwen72B,
  ]

  /// meta-llama/Llama-2-7b-hf
  public static let llama2_7B = ModelFacts(
    name: "meta-llama/Llama-2-7b-hf", layers: 32, queryHeads: 32, keyValueHeads: 32, embedding: 4096, feedForward: 11008,
    vocabulary: 32768, positionsMax: 4096)
  /// meta-llama/Llama-2-70b-hf
  public static let llama2_70B = ModelFacts(
    name: "meta-llama/Llama-2-70b-hf", layers: 80, queryHeads: 64, keyValueHeads: 8, embedding: 8192, feedForward: 28672,
    vocabulary: 32768, positionsMax: 4096)
  /// meta-llama/Meta-Llama-3-8B
  public static let llama3_8B = ModelFacts(
    name: "meta-llama/Meta-Llama-3-8B", layers: 32, queryHeads: 32, keyValueHeads: 8, embedding: 4096, feedForward: 14336,
    vocabulary: 128_256, positionsMax: 4096, details: .with { $0.ropeTheta = 5e5 })
  /// meta-llama/Meta-Llama-3-70B
  public static let llama3_70B = ModelFacts(
    name: "meta-llama/Meta-Llama-3-70B", layers: 80, queryHeads: 64, keyValueHeads: 8, embedding: 8192, feedForward: 28672,
    vocabulary: 128_256, positionsMax: 8192, details: .with { $0.ropeTheta = 5e5 })
  /// codellama/CodeLlama-34b-Instruct-hf
  public static let codeLlama34B = ModelFacts(
    name: "codellama/CodeLlama-34b-Instruct-hf", layers: 48, queryHeads: 64, keyValueHeads: 8, embedding: 8192, feedForward: 22016,
    vocabulary: 32768, positionsMax: 16384, details: .with { $0.ropeTheta = 1e6 })
  /// internlm/internlm-20b
  public static let internLM20B = ModelFacts(
    name: "internlm/internlm-20b", layers: 60, queryHeads: 40, keyValueHeads: 40, embedding: 5120, feedForward: 13824,
    vocabulary: 103_168, positionsMax: 4096)
  /// internlm/internlm2-20b
  public static let internLM2_20B = ModelFacts(
    name: "internlm/internlm2-20b", layers: 48, queryHeads: 48, keyValueHeads: 8, embedding: 6144, feedForward: 16384,
    vocabulary: 92544, positionsMax: 32768, details: .with { $0.ropeTheta = 1e6 })
  /// microsoft/phi-2
  public static let phi2 = ModelFacts(
    name: "microsoft/phi-2", layers: 32, queryHeads: 32, keyValueHeads: 32, embedding: 2560, feedForward: 10240, vocabulary: 51200,
    positionsMax: 2048, isGated: false, hasPostAttentionNorm: false, supportsTensorParallel: false,
    details: .with {
      $0.norm = .layer
      $0.activation = .gelu
      $0.hasBias = true
      $0.hasQueryKeyValueBias = true
      $0.rotaryShare = 0.4
    })
  /// Qwen/Qwen-72B
  public static let qwen72B = ModelFacts(
    name: "Qwen/Qwen-72B", layers: 80, queryHeads: 64, keyValueHeads: 64, embedding: 8192, feedForward: 24576, vocabulary: 152_064,
    positionsMax: 32768,
    details: .with {
      $0.ropeTheta = 1e6
      $0.hasQueryKeyValueBias = true
    })
}

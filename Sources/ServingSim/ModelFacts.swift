/// Dimensions of a transformer model: what the memory planner and the closed-form time model need.
public struct ModelFacts: Equatable, Sendable {
  /// Hub name, such as "meta-llama/Llama-2-7b-hf".
  public var name: String
  /// Transformer layers.
  public var layers: Int
  /// Query heads.
  public var queryHeads: Int
  /// Key and value heads; fewer than query heads in grouped-query models.
  public var keyValueHeads: Int
  /// Width of the residual stream.
  public var embedding: Int
  /// Inner width of the feed-forward block.
  public var feedForward: Int
  /// Rows of the embedding table, as padded in serving.
  public var vocabulary: Int
  /// Longest sequence the model was trained for.
  public var positionsMax: Int
  /// Whether the feed-forward block has a gate (three matrices instead of two).
  public var isGated: Bool
  /// Whether a norm stands between attention and feed-forward block.
  public var hasPostAttentionNorm: Bool
  /// Whether the model may be split over tensor-parallel workers.
  public var supportsTensorParallel: Bool

  /// A model by its dimensions.
  public init(
    name: String, layers: Int, queryHeads: Int, keyValueHeads: Int, embedding: Int, feedForward: Int, vocabulary: Int, positionsMax: Int,
    isGated: Bool = true, hasPostAttentionNorm: Bool = true, supportsTensorParallel: Bool = true
  ) {
    self.name = name
    self.layers = layers
    self.queryHeads = queryHeads
    self.keyValueHeads = keyValueHeads
    self.embedding = embedding
    self.feedForward = feedForward
    self.vocabulary = vocabulary
    self.positionsMax = positionsMax
    self.isGated = isGated
    self.hasPostAttentionNorm = hasPostAttentionNorm
    self.supportsTensorParallel = supportsTensorParallel
  }

  /// Width of one attention head.
  public var headDimension: Int { embedding / queryHeads }

  /// The model called `name` in the built-in table.
  public static func named(_ name: String) -> ModelFacts? {
    all.first { $0.name == name }
  }
}

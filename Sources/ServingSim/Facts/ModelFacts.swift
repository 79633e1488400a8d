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
  /// What neither memory nor time depends on.
  public var details: Details

  /// Facts that identify a model and have no effect on a simulation.
  public struct Details: Equatable, Sendable {
    /// Kinds of norms.
    public enum Norm: String, Equatable, Sendable { case rms, layer }
    /// Kinds of activations.
    public enum Activation: String, Equatable, Sendable { case silu, gelu }

    /// Norm in front of attention and feed-forward block.
    public var norm = Norm.rms
    /// Activation of the feed-forward block.
    public var activation = Activation.silu
    /// Whether its matrices have biases.
    public var hasBias = false
    /// Whether queries, keys and values have biases.
    public var hasQueryKeyValueBias = false
    /// Base of the rotary embedding.
    public var ropeTheta = 1e4
    /// Share of a head that the rotary embedding turns.
    public var rotaryShare = 1.0

    /// The most frequent ones.
    public init() {}

    /// Others in these.
    static func with(_ change: (inout Details) -> Void) -> Details {
      var details = Details()
      change(&details)
      return details
    }
  }

  /// A model by its dimensions.
  public init(
    name: String, layers: Int, queryHeads: Int, keyValueHeads: Int, embedding: Int, feedForward: Int, vocabulary: Int, positionsMax: Int,
    isGated: Bool = true, hasPostAttentionNorm: Bool = true, supportsTensorParallel: Bool = true,
    details: Details = Details()
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
    self.details = details
  }

  /// Width of one attention head.
  public var headDimension: Int { embedding / queryHeads }

  /// The model called `name` in the built-in table.
  public static func named(_ name: String) -> ModelFacts? {
    all.first { $0.name == name }
  }
}

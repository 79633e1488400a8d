/// Which network is trained.
public enum NetworkArchitecture: String, CaseIterable, Sendable {
  /// Shared GRU trunk with a policy and a value branch.
  case recurrent
  /// Separate feed-forward networks.
  case mlp
  /// One encoder for all replicas and pooling over them.
  case setEncoder = "set_encoder"
}

/// Kind of recurrent cell.
public enum RecurrentCellKind: String, CaseIterable, Sendable {
  /// PyTorch's GRU.
  case plain
  /// A GRU with LayerNorm at its gates.
  case layerNorm = "layer_norm"
}

/// The policy and value network.
public struct NetworkSection: Equatable, Sendable {
  /// Architecture.
  public var architecture = NetworkArchitecture.recurrent
  /// Width of the recurrent network.
  public var hidden = 128
  /// GRU layers of the recurrent trunk.
  public var gruLayers = 2
  /// Width of its input projection.
  public var projection = 256
  /// Whether the input passes a LayerNorm.
  public var inputLayerNorm = false
  /// Whether logits pass LayerNorm and tanh.
  public var boundedLogits = false
  /// Whether actor and critic share everything but their heads.
  public var coupled = false
  /// Further shared layers of that form.
  public var coupledLayers = 2
  /// Kind of GRU.
  public var gruCell = RecurrentCellKind.plain
  /// Width of the set encoder.
  public var setWidth = 32
  /// Layers of its encoder.
  public var setLayers = 2
  /// Whether its tokens attend to each other.
  public var setAttention = false
  /// Whether it has a memory.
  public var setMemory = true
  /// Widths of the layers of the mlp.
  public var mlpHidden = [64, 64]

  static let fields: [Field] = [
    .choice(
      "network.architecture", \.network.architecture, .frozen,
      "Recurrent actor and critic with a shared GRU trunk, two separate feed-forward networks, or one encoder for all replicas whose "
        + "results serve any number of them (environment routing)."),
    .integer(
      "network.hidden", \.network.hidden, 16...4096, multipleOf: 16, unit: "units", .frozen,
      "Width of the recurrent layers (architecture recurrent)."),
    .integer(
      "network.gru_layers", \.network.gruLayers, 1...8, unit: "layers", .frozen, "GRU layers of the trunk (architecture recurrent)."),
    .integer(
      "network.projection", \.network.projection, 16...4096, multipleOf: 16, unit: "units", .frozen,
      "Width of the input projection (architecture recurrent)."),
    .boolean(
      "network.input_layer_norm", \.network.inputLayerNorm, .frozen,
      "Applies LayerNorm to the observation, which removes its overall level (architecture recurrent)."),
    .boolean(
      "network.bounded_logits", \.network.boundedLogits, .frozen,
      "Bounds the logits by LayerNorm and tanh, which caps the confidence (architecture recurrent, not coupled)."),
    .boolean(
      "network.coupled", \.network.coupled, .frozen,
      "Actor and critic are two linear heads on the shared core, instead of branches of their own (architecture recurrent)."),
    .integer(
      "network.coupled_layers", \.network.coupledLayers, 0...8, unit: "layers", .frozen,
      "Further shared layers in front of the GRU of the coupled form (architecture recurrent)."),
    .choice(
      "network.gru_cell", \.network.gruCell, .frozen,
      "A plain GRU, or one with LayerNorm over the argument of each gate (architecture recurrent)."),
    .integer(
      "network.set_width", \.network.setWidth, 16...1024, multipleOf: 16, unit: "units", .frozen,
      "Width of tokens, memory and heads (architecture set_encoder)."),
    .integer(
      "network.set_layers", \.network.setLayers, 1...8, unit: "layers", .frozen,
      "Layers of the encoder that all replicas share (architecture set_encoder)."),
    .boolean(
      "network.set_attention", \.network.setAttention, .frozen,
      "Adds a layer of self-attention over the replicas, with heads of 16 units (architecture set_encoder)."),
    .boolean(
      "network.set_memory", \.network.setMemory, .frozen,
      "Adds a GRU over the pooled replicas, the network's memory (architecture set_encoder)."),
    .integers(
      "network.mlp_hidden", \.network.mlpHidden, count: 1...8, each: 1...4096, unit: "units", .frozen,
      "Widths of the hidden layers (architecture mlp)."),
  ]
}

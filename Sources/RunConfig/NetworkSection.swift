/// Which network is trained.
public enum NetworkArchitecture: String, CaseIterable, Sendable {
  /// Shared GRU trunk with a policy and a value branch.
  case recurrent
  /// Separate feed-forward networks.
  case mlp
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
  /// Whether the logits pass a LayerNorm and tanh.
  public var boundedLogits = false
  /// Widths of the layers of the mlp.
  public var mlpHidden = [64, 64]

  static let fields: [Field] = [
    .choice(
      "network.architecture", \.network.architecture, .frozen,
      "Recurrent actor and critic with a shared GRU trunk, or two separate feed-forward networks."),
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
      "Passes the logits through LayerNorm and tanh, which caps the policy's confidence (architecture recurrent)."),
    .integers(
      "network.mlp_hidden", \.network.mlpHidden, count: 1...8, each: 1...4096, unit: "units", .frozen,
      "Widths of the hidden layers (architecture mlp)."),
  ]
}

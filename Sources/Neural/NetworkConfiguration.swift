/// What shapes a network. Together with the observation size and the number of actions it fixes every tensor.
public enum NetworkConfiguration: Sendable, Equatable {
  /// Feature projection, shared layer, shared GRU, then an actor branch and a critic branch with a GRU of its own.
  case recurrent(RecurrentConfiguration)
  /// Separate actor and critic towers of tanh layers of these widths, each with its own head.
  case mlp(hidden: [Int])

  /// The recurrent network with these sizes.
  public static func recurrent(
    hidden: Int = 128, layers: Int = 2, projection: Int = 256, inputLayerNorm: Bool = false, boundedLogits: Bool = false
  ) -> NetworkConfiguration {
    .recurrent(
      RecurrentConfiguration(
        hidden: hidden, layers: layers, projection: projection, inputLayerNorm: inputLayerNorm, boundedLogits: boundedLogits))
  }
}

/// Sizes and switches of the recurrent network.
public struct RecurrentConfiguration: Sendable, Equatable {
  /// Width H of the trunk, the branches and every GRU layer; a multiple of 16.
  public var hidden: Int
  /// Layers L of the shared GRU.
  public var layers: Int
  /// Width F of the feature projection.
  public var projection: Int
  /// A LayerNorm over the observation. It removes the absolute level, which tells the load: off unless a file needs it.
  public var inputLayerNorm: Bool
  /// LayerNorm and tanh on the logits. It caps the confidence (0.711 for four actions): only for importing networks that have it.
  public var boundedLogits: Bool

  /// - Precondition: sizes positive, `hidden` a multiple of 16.
  public init(hidden: Int = 128, layers: Int = 2, projection: Int = 256, inputLayerNorm: Bool = false, boundedLogits: Bool = false) {
    precondition(hidden > 0 && hidden % ParameterTensor.panelWidth == 0, "hidden must be a positive multiple of 16")
    precondition(layers > 0, "layers must be positive")
    precondition(projection > 0, "projection must be positive")
    self.hidden = hidden
    self.layers = layers
    self.projection = projection
    self.inputLayerNorm = inputLayerNorm
    self.boundedLogits = boundedLogits
  }
}

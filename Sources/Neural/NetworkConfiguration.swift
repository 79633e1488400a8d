/// What shapes a network. Together with the observation size and the number of actions it fixes every tensor.
public enum NetworkConfiguration: Sendable, Equatable {
  /// Feature projection, shared layers, shared GRU, then two heads or two branches.
  case recurrent(RecurrentConfiguration)
  /// Separate actor and critic towers of tanh layers of these widths, each with its own head.
  case mlp(hidden: [Int])
  /// One encoder for all replicas, pooling over them, one score per replica.
  case setEncoder(SetEncoderConfiguration)

  /// The recurrent network with these sizes.
  public static func recurrent(
    hidden: Int = 128, layers: Int = 2, projection: Int = 256, inputLayerNorm: Bool = false, boundedLogits: Bool = false,
    form: RecurrentConfiguration.Form = .decoupled, cell: RecurrentConfiguration.Cell = .plain
  ) -> NetworkConfiguration {
    .recurrent(
      RecurrentConfiguration(
        hidden: hidden, layers: layers, projection: projection, inputLayerNorm: inputLayerNorm, boundedLogits: boundedLogits, form: form,
        cell: cell))
  }

  /// The set encoder with these sizes.
  public static func setEncoder(
    width: Int = 32, layers: Int = 2, attention: Bool = false, memory: Bool = true, replicaBlockSize: Int
  ) -> NetworkConfiguration {
    .setEncoder(
      SetEncoderConfiguration(width: width, layers: layers, attention: attention, memory: memory, replicaBlockSize: replicaBlockSize))
  }
}

/// Sizes and switches of the recurrent network.
public struct RecurrentConfiguration: Sendable, Equatable {
  /// What follows the shared core.
  public enum Form: Sendable, Equatable {
    /// An actor branch, and a critic branch with a GRU of its own.
    case decoupled
    /// Two linear heads on the core, which has so many more shared layers before its GRU.
    case coupled(sharedLayers: Int)
  }

  /// The recurrent cell of the shared core and of the critic.
  public enum Cell: Sendable, Equatable {
    /// PyTorch's GRU.
    case plain
    /// A GRU with a LayerNorm over the pre-activation of each gate.
    case layerNorm
  }

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
  /// What follows the core.
  public var form: Form
  /// Kind of cell.
  public var cell: Cell

  /// - Precondition: sizes positive, `hidden` a multiple of 16, logits bounded in the decoupled form only.
  public init(
    hidden: Int = 128, layers: Int = 2, projection: Int = 256, inputLayerNorm: Bool = false, boundedLogits: Bool = false,
    form: Form = .decoupled, cell: Cell = .plain
  ) {
    precondition(hidden > 0 && hidden % ParameterTensor.panelWidth == 0, "hidden must be a positive multiple of 16")
    precondition(layers > 0, "layers must be positive")
    precondition(projection > 0, "projection must be positive")
    if case .coupled(let sharedLayers) = form {
      precondition(sharedLayers >= 0, "sharedLayers must not be negative")
      precondition(!boundedLogits, "the coupled form has plain heads")
    }
    self.hidden = hidden
    self.layers = layers
    self.projection = projection
    self.inputLayerNorm = inputLayerNorm
    self.boundedLogits = boundedLogits
    self.form = form
    self.cell = cell
  }

  /// Whether actor and critic have branches of their own.
  var isDecoupled: Bool { form == .decoupled }

  /// Shared layers behind the first.
  var sharedLayers: Int {
    if case .coupled(let count) = form { return count }
    return 0
  }
}

/// Sizes and switches of the set encoder.
///
/// The observation begins with one block of `replicaBlockSize` values for each action; what is left is the cluster's. No tensor depends on
/// the number of actions, so parameters serve any number of replicas.
public struct SetEncoderConfiguration: Sendable, Equatable {
  /// Width W of tokens, memory and heads; a multiple of 16.
  public var width: Int
  /// Layers of the encoder.
  public var layers: Int
  /// A self-attention layer over the tokens, with heads of 16 columns.
  public var attention: Bool
  /// A GRU over the pooled tokens.
  public var memory: Bool
  /// b, observed values of a replica.
  public var replicaBlockSize: Int

  /// - Precondition: sizes positive, `width` a multiple of 16.
  public init(width: Int = 32, layers: Int = 2, attention: Bool = false, memory: Bool = true, replicaBlockSize: Int) {
    precondition(width > 0 && width % ParameterTensor.panelWidth == 0, "width must be a positive multiple of 16")
    precondition(layers > 0, "layers must be positive")
    precondition(replicaBlockSize > 0, "replicaBlockSize must be positive")
    self.width = width
    self.layers = layers
    self.attention = attention
    self.memory = memory
    self.replicaBlockSize = replicaBlockSize
  }
}

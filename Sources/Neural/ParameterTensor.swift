/// How a tensor gets its first values.
public enum Initialisation: Sendable, Equatable {
  /// All 0: biases and shifts.
  case zeros
  /// All 1: gains of normalisation layers.
  case ones
  /// `blocks` stacked matrices of equal height, each with orthonormal rows or columns times `gain`. A GRU has one block a gate.
  case orthogonal(gain: Double, blocks: Int)
}

/// One named tensor inside a flat parameter buffer.
///
/// A matrix `[O, I]` is stored in panels of 16 outputs: element (o, i) at `((o / 16) * I + i) * 16 + o % 16`. A vector is stored
/// in order. Both are padded to a multiple of 16 outputs; padding is 0 and stays 0 under every update.
public struct ParameterTensor: Sendable, Equatable {
  /// Outputs in a panel, and the multiple to which vectors are padded.
  public static let panelWidth = 16

  /// Name as a PyTorch module would give it, for example `gru.weight_ih_l0`.
  public let name: String
  /// Position in the layout; names the random stream of the initial values.
  public let index: Int
  /// `[O, I]` or `[N]`.
  public let shape: [Int]
  /// First float in the flat buffer.
  public let offset: Int
  /// How the first values are drawn.
  public let initialisation: Initialisation

  /// Outputs of a matrix, length of a vector.
  public var outputs: Int { shape[0] }
  /// Inputs of a matrix, 1 for a vector.
  public var inputs: Int { shape.count == 2 ? shape[1] : 1 }
  /// Numbers the tensor has, without padding.
  public var count: Int { outputs * inputs }
  /// Floats the tensor takes in the flat buffer, padding included.
  public var storedCount: Int { ParameterTensor.padded(outputs) * inputs }
  /// Whether weight decay applies: matrices only, never biases and gains.
  public var decays: Bool { shape.count == 2 }

  /// `count` rounded up to whole panels.
  public static func padded(_ count: Int) -> Int { (count + panelWidth - 1) / panelWidth * panelWidth }

  /// Place of element (output, input) in the flat buffer.
  func place(_ output: Int, _ input: Int) -> Int {
    let width = ParameterTensor.panelWidth
    return offset + ((output / width) * inputs + input) * width + output % width
  }
}

/// The tensors of a network over one flat `[Float]`.
///
/// Gradients and both moments of the optimizer share the layout, so that broadcasting, clipping and saving each work on one buffer.
/// The order of the tensors is fixed at construction and is the order of a checkpoint.
///
/// Invariants: offsets ascend without gaps, each is a multiple of 16, names are distinct.
public struct ParameterLayout: Sendable, Equatable {
  /// In order of their offsets.
  public private(set) var tensors: [ParameterTensor] = []
  /// Floats in a flat buffer, padding included.
  public private(set) var storedCount = 0

  /// An empty layout.
  public init() {}

  /// Learnable numbers, without padding.
  public var parameterCount: Int { tensors.reduce(0) { $0 + $1.count } }

  /// The tensor of that name, if any.
  public func tensor(named name: String) -> ParameterTensor? { tensors.first { $0.name == name } }

  /// Adds a matrix `[outputs, inputs]`.
  @discardableResult
  public mutating func append(_ name: String, outputs: Int, inputs: Int, gain: Double, blocks: Int = 1) -> ParameterTensor {
    precondition(inputs > 0, "a matrix needs inputs")
    precondition(blocks > 0 && outputs % blocks == 0, "blocks do not divide the outputs")
    return append(name, shape: [outputs, inputs], initialisation: .orthogonal(gain: gain, blocks: blocks))
  }

  /// Adds a vector `[count]`.
  @discardableResult
  public mutating func append(_ name: String, count: Int, initialisation: Initialisation = .zeros) -> ParameterTensor {
    append(name, shape: [count], initialisation: initialisation)
  }

  private mutating func append(_ name: String, shape: [Int], initialisation: Initialisation) -> ParameterTensor {
    precondition(shape[0] > 0, "a tensor needs outputs")
    precondition(tensor(named: name) == nil, "two tensors of one name")
    let tensor = ParameterTensor(
      name: name, index: tensors.count, shape: shape, offset: storedCount, initialisation: initialisation)
    tensors.append(tensor)
    storedCount += tensor.storedCount
    return tensor
  }

  /// The values of `tensor` in `buffer`, row-major `[O, I]` without padding (PyTorch's order).
  public func logical(of tensor: ParameterTensor, from buffer: [Float]) -> [Float] {
    precondition(buffer.count == storedCount, "buffer does not have this layout")
    var values: [Float] = []
    values.reserveCapacity(tensor.count)
    for output in 0..<tensor.outputs {
      for input in 0..<tensor.inputs { values.append(buffer[tensor.place(output, input)]) }
    }
    return values
  }

  /// Writes row-major `values` `[O, I]` into the place of `tensor`; the inverse of `logical(of:from:)`.
  public func store(_ values: [Float], of tensor: ParameterTensor, into buffer: inout [Float]) {
    precondition(buffer.count == storedCount, "buffer does not have this layout")
    precondition(values.count == tensor.count, "values do not fill the tensor")
    var next = 0
    for output in 0..<tensor.outputs {
      for input in 0..<tensor.inputs {
        buffer[tensor.place(output, input)] = values[next]
        next += 1
      }
    }
  }

  /// Whether every padding element of `buffer` is 0.
  public func paddingIsZero(in buffer: [Float]) -> Bool {
    precondition(buffer.count == storedCount, "buffer does not have this layout")
    for tensor in tensors {
      for output in tensor.outputs..<ParameterTensor.padded(tensor.outputs) {
        for input in 0..<tensor.inputs where buffer[tensor.place(output, input)] != 0 { return false }
      }
    }
    return true
  }
}

import TorchFormat

/// Typed look-ups for those who load: each fails with the path, what is there and what was expected.
extension CheckpointContents {
  /// The value at a path.
  public func required(_ path: String...) throws(CheckpointError) -> TorchValue { try require(path, "a value") { $0 } }

  /// A whole number.
  public func int(_ path: String...) throws(CheckpointError) -> Int {
    try require(path, "a whole number") { if case .int(let value) = $0 { Int(value) } else { nil } }
  }

  /// A number: whole ones are taken too.
  public func double(_ path: String...) throws(CheckpointError) -> Double {
    try require(path, "a number") {
      switch $0 {
      case .float(let value): value
      case .int(let value): Double(exactly: value)
      default: nil
      }
    }
  }

  /// A truth value.
  public func bool(_ path: String...) throws(CheckpointError) -> Bool {
    try require(path, "a truth value") { if case .bool(let value) = $0 { value } else { nil } }
  }

  /// A text.
  public func string(_ path: String...) throws(CheckpointError) -> String {
    try require(path, "a text") { if case .string(let value) = $0 { value } else { nil } }
  }

  /// A tensor of a type and, unless nil, a shape.
  public func tensor(
    _ path: String..., type: TorchTensor.ElementType, shape: [Int]? = nil
  ) throws(CheckpointError) -> TorchTensor {
    try require(path, "\(type.name)" + (shape.map { "\($0)" } ?? " tensor")) {
      guard let tensor = $0.tensor, tensor.dtype == type, shape == nil || tensor.shape == shape else { return nil }
      return tensor
    }
  }

  private func require<Result>(_ path: [String], _ expected: String, _ take: (TorchValue) -> Result?) throws(CheckpointError) -> Result {
    let file = "checkpoint of step \(step)"
    let section = path.joined(separator: ".")
    guard let value = path == [CheckpointContents.stepName] ? TorchValue.int(step) : value(at: path) else {
      throw CheckpointError(.content, file: file, section: section, "is missing; expected \(expected)")
    }
    guard let result = take(value) else {
      throw CheckpointError(.content, file: file, section: section, "is \(value.kind); expected \(expected)")
    }
    return result
  }
}

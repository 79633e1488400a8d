import Checkpoint
import Testing
import TorchFormat

extension TorchValue {
  /// The members of a list.
  var elements: [TorchValue]? {
    if case .list(let elements) = self { elements } else { nil }
  }

  /// A number in double precision.
  var number: Double? {
    if case .float(let number) = self { number } else { nil }
  }

  /// The value with the part at `path` (keys, and positions of lists) replaced.
  func replacing(_ path: ArraySlice<String>, _ change: (TorchValue) -> TorchValue) -> TorchValue {
    guard let first = path.first else { return change(self) }
    let rest = path.dropFirst()
    func inside(_ entries: [(String, TorchValue)]) -> [(String, TorchValue)] {
      entries.map { $0.0 == first ? ($0.0, $0.1.replacing(rest, change)) : $0 }
    }
    switch self {
    case .dictionary(let entries): return .dictionary(inside(entries))
    case .orderedDictionary(let entries): return .orderedDictionary(inside(entries))
    case .indexedDictionary(let entries):
      return .indexedDictionary(entries.map { String($0.0) == first ? ($0.0, $0.1.replacing(rest, change)) : $0 })
    case .list(let elements): return .list(elements.enumerated().map { String($0) == first ? $1.replacing(rest, change) : $1 })
    default: return self
    }
  }

  /// The smallest change that this kind of value allows: one bit, one more, one member less or more.
  var perturbed: TorchValue {
    switch self {
    case .none: .bool(true)
    case .bool(let flag): .bool(!flag)
    case .int(let number): .int(number + 1)
    case .float(let number): .float(number + 0.5)
    case .string(let text): .string(text + "x")
    case .list(let elements): .list(Array(elements.dropLast()))
    case .dictionary(let entries): entries.isEmpty ? .dictionary([("more", .string("x"))]) : .dictionary(Self.perturbed(entries))
    case .orderedDictionary(let entries): .orderedDictionary(Self.perturbed(entries))
    case .indexedDictionary(let entries): .indexedDictionary(entries.enumerated().map { $0 == 0 ? ($1.0, $1.1.perturbed) : $1 })
    case .tensor(let tensor): .tensor(tensor.perturbed)
    }
  }

  private static func perturbed(_ entries: [(String, TorchValue)]) -> [(String, TorchValue)] {
    entries.enumerated().map { $0 == 0 ? ($1.0, $1.1.perturbed) : $1 }
  }
}

extension TorchTensor {
  /// The first element changed by a little: numbers grow, bytes flip their lowest bit.
  var perturbed: TorchTensor {
    if var values = floats {
      values[0] += 0.25
      return TorchTensor(values, shape: shape)
    }
    if var values = doubles {
      values[0] += 0.25
      return TorchTensor(values, shape: shape)
    }
    if var values = int64s {
      values[0] += 1
      return TorchTensor(values, shape: shape)
    }
    var values = bytes
    values[0] ^= 1
    return TorchTensor(dtype: dtype, shape: shape, bytes: values)
  }
}

extension CheckpointContents {
  /// The same contents with the value at a path replaced.
  func replacing(_ path: String..., change: (TorchValue) -> TorchValue) -> CheckpointContents { replacing(path, change) }

  private func replacing(_ path: [String], _ change: (TorchValue) -> TorchValue) -> CheckpointContents {
    CheckpointContents(
      step: step, runID: runID,
      groups: groups.map { $0.0 == path[0] ? ($0.0, $0.1.replacing(path.dropFirst(), change)) : $0 }, provenance: provenance)
  }

  /// The same contents with the value at a path changed as little as it can be.
  func perturbing(_ path: [String]) -> CheckpointContents {
    if path == ["step"] { return CheckpointContents(step: step + 1, runID: runID, groups: groups, provenance: provenance) }
    return replacing(path) { $0.perturbed }
  }

  /// The same contents with the first recorded action of environment 0 replaced by another one.
  func changingFirstAction() -> CheckpointContents { replacing(["environments", "0", "actions"]) { $0.perturbed } }
}

import TorchFormat

/// Reads members of a decoded checkpoint by name; what is missing or of another kind is an error that names file and path.
struct TorchReader {
  private let value: TorchValue
  private let file: String
  private let path: String

  /// The root of `file`.
  init(_ value: TorchValue, file: String) {
    self.init(value, file: file, path: "")
  }

  private init(_ value: TorchValue, file: String, path: String) {
    self.value = value
    self.file = file
    self.path = path
  }

  /// Names of the members in order.
  var names: [String] { (value.entries ?? []).map(\.0) }

  /// An error about member `name`.
  func error(_ name: String, _ problem: String) -> TrainingError {
    TrainingError(.badData, "\(file): \(qualified(name)) \(problem)")
  }

  /// A nested dictionary.
  func group(_ name: String) throws(TrainingError) -> TorchReader {
    let member = try member(name)
    guard member.entries != nil else { throw error(name, "is \(member.kind), expected a dictionary") }
    return TorchReader(member, file: file, path: qualified(name))
  }

  /// A list of dictionaries.
  func list(_ name: String) throws(TrainingError) -> [TorchReader] {
    let member = try member(name)
    guard case .list(let elements) = member else { throw error(name, "is \(member.kind), expected a list") }
    return elements.enumerated().map { TorchReader($1, file: file, path: "\(qualified(name))[\($0)]") }
  }

  /// A whole number.
  func int(_ name: String) throws(TrainingError) -> Int {
    let member = try member(name)
    guard case .int(let number) = member else { throw error(name, "is \(member.kind), expected int") }
    return Int(number)
  }

  /// A truth value.
  func bool(_ name: String) throws(TrainingError) -> Bool {
    let member = try member(name)
    guard case .bool(let flag) = member else { throw error(name, "is \(member.kind), expected bool") }
    return flag
  }

  /// A number.
  func float(_ name: String) throws(TrainingError) -> Double {
    let member = try member(name)
    guard case .float(let number) = member else { throw error(name, "is \(member.kind), expected float") }
    return number
  }

  /// A text.
  func string(_ name: String) throws(TrainingError) -> String {
    let member = try member(name)
    guard case .string(let text) = member else { throw error(name, "is \(member.kind), expected string") }
    return text
  }

  /// A list of texts.
  func strings(_ name: String) throws(TrainingError) -> [String] {
    try elements(name, "texts") { if case .string(let text) = $0 { text } else { nil } }
  }

  /// A list of whole numbers.
  func ints(_ name: String) throws(TrainingError) -> [Int] {
    try elements(name, "whole numbers") { if case .int(let number) = $0 { Int(number) } else { nil } }
  }

  /// A list of numbers.
  func numbers(_ name: String) throws(TrainingError) -> [Double] {
    try elements(name, "numbers") { if case .float(let number) = $0 { number } else { nil } }
  }

  private func elements<Element>(
    _ name: String, _ kind: String, _ convert: (TorchValue) -> Element?
  ) throws(TrainingError) -> [Element] {
    let member = try member(name)
    guard case .list(let elements) = member else { throw error(name, "is \(member.kind), expected a list of \(kind)") }
    var converted: [Element] = []
    for element in elements {
      guard let value = convert(element) else { throw error(name, "holds \(element.kind), expected \(kind)") }
      converted.append(value)
    }
    return converted
  }

  /// A vector of double precision.
  func doubles(_ name: String) throws(TrainingError) -> [Double] {
    guard let values = try tensor(name).doubles else { throw error(name, "is \(try tensor(name)), expected float64") }
    return values
  }

  /// A vector of 64-bit integers.
  func integers(_ name: String) throws(TrainingError) -> [Int] {
    guard let values = try tensor(name).int64s else { throw error(name, "is \(try tensor(name)), expected int64") }
    return values.map { Int($0) }
  }

  /// A vector of 32-bit integers.
  func int32s(_ name: String) throws(TrainingError) -> [Int32] {
    guard let values = try tensor(name).int32s else { throw error(name, "is \(try tensor(name)), expected int32") }
    return values
  }

  /// Refuses a file of another kind or layout.
  func expect(kind: String, formatVersion: Int) throws(TrainingError) {
    let found = names.contains("kind") ? try string("kind") : "a checkpoint"
    guard found == kind else { throw error("kind", "is \(found), expected \(kind)") }
    let version = try int("format_version")
    guard version == formatVersion else { throw error("format_version", "is \(version), this program reads \(formatVersion)") }
  }

  /// Raw bytes.
  func bytes(_ name: String) throws(TrainingError) -> [UInt8] {
    guard let values = try tensor(name).uint8s else { throw error(name, "is \(try tensor(name)), expected uint8") }
    return values
  }

  /// A tensor of single precision with this shape.
  func floats(_ name: String, shape: [Int]) throws(TrainingError) -> [Float] {
    let tensor = try tensor(name)
    guard let values = tensor.floats, tensor.shape == shape else { throw error(name, "is \(tensor), expected float32\(shape)") }
    return values
  }

  /// Extents of a tensor.
  func shape(_ name: String) throws(TrainingError) -> [Int] { try tensor(name).shape }

  private func tensor(_ name: String) throws(TrainingError) -> TorchTensor {
    let member = try member(name)
    guard let tensor = member.tensor else { throw error(name, "is \(member.kind), expected a tensor") }
    return tensor
  }

  private func member(_ name: String) throws(TrainingError) -> TorchValue {
    guard let member = value[name] else { throw error(name, "is missing") }
    return member
  }

  private func qualified(_ name: String) -> String { path.isEmpty ? name : path + "." + name }
}

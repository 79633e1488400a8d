/// A value of the small world that files hold: what a plain PyTorch program can load without running code.
///
/// Dictionaries keep their order; their keys are texts, or in an indexed one whole numbers, each at most once. When foreign files are
/// read, tuples become lists, and whole-number keys beside texts become their decimal text. Two values are equal if they are the same
/// bits: NaN equals itself, 0.0 is not -0.0.
public indirect enum TorchValue: Sendable {
  /// Python's `None`.
  case none
  case bool(Bool)
  case int(Int64)
  case float(Double)
  case string(String)
  case list([TorchValue])
  /// A plain `dict`.
  case dictionary([(String, TorchValue)])
  /// A `collections.OrderedDict`, as state dictionaries of modules are.
  case orderedDictionary([(String, TorchValue)])
  /// A plain `dict` whose keys are whole numbers, as the `state` of an optimizer is; not empty.
  case indexedDictionary([(Int64, TorchValue)])
  case tensor(TorchTensor)

  /// A whole number.
  public static func int(_ value: Int) -> TorchValue { .int(Int64(value)) }

  /// The entries of any kind of dictionary; whole-number keys as their decimal text.
  public var entries: [(String, TorchValue)]? {
    switch self {
    case .dictionary(let entries), .orderedDictionary(let entries): entries
    case .indexedDictionary(let entries): entries.map { (String($0.0), $0.1) }
    default: nil
    }
  }

  /// The value of a key of any kind of dictionary.
  public subscript(_ key: String) -> TorchValue? {
    if case .indexedDictionary(let entries) = self { return entries.first { String($0.0) == key }?.1 }
    return entries?.first { $0.0 == key }?.1
  }

  /// The tensor, if it is one.
  public var tensor: TorchTensor? {
    guard case .tensor(let tensor) = self else { return nil }
    return tensor
  }

  /// Word for messages.
  public var kind: String {
    switch self {
    case .none: "none"
    case .bool: "bool"
    case .int: "int"
    case .float: "float"
    case .string: "string"
    case .list: "list"
    case .dictionary, .orderedDictionary, .indexedDictionary: "dictionary"
    case .tensor(let tensor): tensor.description
    }
  }
}

extension TorchValue: Equatable {
  /// Same kind, same bits; dictionaries in the same order.
  public static func == (left: TorchValue, right: TorchValue) -> Bool {
    switch (left, right) {
    case (.none, .none): true
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.float(let a), .float(let b)): a.bitPattern == b.bitPattern
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    case (.list(let a), .list(let b)): a == b
    case (.dictionary(let a), .dictionary(let b)), (.orderedDictionary(let a), .orderedDictionary(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.0.utf8.elementsEqual($1.0.utf8) && $0.1 == $1.1 }
    case (.indexedDictionary(let a), .indexedDictionary(let b)): a.count == b.count && zip(a, b).allSatisfy { $0 == $1 }
    case (.tensor(let a), .tensor(let b)): a == b
    default: false
    }
  }
}

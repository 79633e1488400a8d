import TorchFormat

/// Two values at one place of a state, at least one of them there; neither holds others.
struct ValueComparison {
  /// Elements of the larger side; 1 for a value that is no tensor.
  let elements: Int
  private(set) var differing = 0
  private(set) var largest: Double?
  /// Of the first difference.
  private(set) var element: Int?
  private(set) var left: String?
  private(set) var right: String?

  init(_ left: TorchValue?, _ right: TorchValue?) {
    elements = max(Self.count(left), Self.count(right))
    switch (left, right) {
    case (.tensor(let a)?, .tensor(let b)?) where a.dtype == b.dtype && a.shape == b.shape: compare(a, b)
    case (.string(let a)?, .string(let b)?): compare(Array(a.utf8), Array(b.utf8))
    case (let a?, let b?) where Self.isSame(a, b): break
    default:
      // A tensor without elements that the other side lacks is a difference too.
      differing = max(elements, 1)
      self.left = left.map(Self.text)
      self.right = right.map(Self.text)
      if let a = Self.number(left), let b = Self.number(right) { largest = abs(a - b) }
    }
  }

  private mutating func compare(_ a: TorchTensor, _ b: TorchTensor) {
    guard a.bytes != b.bytes else { return }
    switch a.dtype {
    case .float32: compare(a, b, as: Float.self) { Double($0) }
    case .float64: compare(a, b, as: Double.self) { $0 }
    case .int64: compare(a, b, as: Int64.self) { Double($0) }
    case .int32: compare(a, b, as: Int32.self) { Double($0) }
    case .uint8: compare(a, b, as: UInt8.self) { Double($0) }
    }
  }

  /// Elements are equal if their bits are.
  private mutating func compare<Element: LittleEndianElement>(
    _ a: TorchTensor, _ b: TorchTensor, as type: Element.Type, number: (Element) -> Double
  ) {
    let (a, b) = (Bytes.elements(a.bytes, as: type), Bytes.elements(b.bytes, as: type))
    for index in a.indices where a[index].word != b[index].word {
      if element == nil { (element, left, right) = (index, "\(a[index])", "\(b[index])") }
      differing += 1
      largest = larger(largest, abs(number(a[index]) - number(b[index])))
    }
  }

  /// Texts, which may be whole configurations: shown from the first differing byte on.
  private mutating func compare(_ a: [UInt8], _ b: [UInt8]) {
    guard a != b else { return }
    let common = zip(a, b).prefix { $0 == $1 }.count
    func excerpt(_ bytes: [UInt8]) -> String {
      String(decoding: bytes.dropFirst(common).prefix { $0 != UInt8(ascii: "\n") }.prefix(60), as: UTF8.self)
    }
    (differing, element, left, right) = (1, common, excerpt(a), excerpt(b))
  }

  private static func isSame(_ a: TorchValue, _ b: TorchValue) -> Bool {
    a == b || (a.entries != nil && b.entries != nil)
  }

  private static func count(_ value: TorchValue?) -> Int {
    guard let value else { return 0 }
    return value.tensor?.count ?? 1
  }

  private static func number(_ value: TorchValue?) -> Double? {
    switch value {
    case .int(let number): Double(number)
    case .float(let number): number
    default: nil
    }
  }

  private static func text(_ value: TorchValue) -> String {
    switch value {
    case .bool(let flag): String(flag)
    case .int(let number): String(number)
    case .float(let number): number.description
    case .string(let text): text.utf8.count > 60 || text.contains("\n") ? "text of \(text.utf8.count) bytes" : text
    case .list, .dictionary, .orderedDictionary, .indexedDictionary: "empty " + value.kind
    case .none, .tensor: value.kind
    }
  }
}

/// The larger of two differences; NaN wins.
func larger(_ current: Double?, _ value: Double) -> Double {
  guard let current, !value.isNaN else { return value }
  return current.isNaN || current > value ? current : value
}

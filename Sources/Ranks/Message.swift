/// Values to bytes for a message between ranks of one program on one kind of machine: native byte order, no tags; the reader asks for
/// what the writer put, in the same order.
public struct MessageWriter: Sendable {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []

  /// An empty message.
  public init() {}

  /// Forgets the content and keeps the storage.
  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// One integer.
  public mutating func write(_ value: Int) { write([Int64(value)]) }

  /// One number.
  public mutating func write(_ value: Double) { write([value]) }

  /// A length and the elements' bits. `Element` is a plain number type.
  public mutating func write<Element: BitwiseCopyable>(_ elements: [Element]) {
    append(Int64(elements.count))
    // Raw view of plain numbers for the duration of the copy.
    unsafe elements.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
  }

  private mutating func append(_ value: Int64) {
    unsafe withUnsafeBytes(of: value) { unsafe bytes.append(contentsOf: $0) }
  }
}

/// Reads what a `MessageWriter` wrote. A message that is too short or disagrees is a defect of the program, not an input error.
public struct MessageReader: Sendable {
  private let bytes: [UInt8]
  private var position = 0

  /// - Parameter bytes: one whole message.
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether everything was read.
  public var isAtEnd: Bool { position == bytes.count }

  /// One integer.
  public mutating func readInt() -> Int { Int(readArray(of: Int64.self)[0]) }

  /// One number.
  public mutating func readDouble() -> Double { readArray(of: Double.self)[0] }

  /// The elements of one `write`.
  public mutating func readArray<Element: BitwiseCopyable>(of type: Element.Type) -> [Element] {
    let count = Int(load(Int64.self))
    let size = count * MemoryLayout<Element>.stride
    precondition(count >= 0 && position + size <= bytes.count, "message shorter than its content")
    let start = position
    position += size
    return unsafe [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      // Raw copy of plain numbers; the source may be unaligned.
      unsafe bytes.withUnsafeBytes { source in
        unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<(start + size)]))
      }
      initialized = count
    }
  }

  private mutating func load<Value: BitwiseCopyable>(_ type: Value.Type) -> Value {
    precondition(position + MemoryLayout<Value>.size <= bytes.count, "message shorter than its content")
    let start = position
    position += MemoryLayout<Value>.size
    return unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: start, as: Value.self) }
  }
}

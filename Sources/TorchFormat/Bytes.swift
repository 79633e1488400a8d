/// Numbers to little-endian bytes and back. The one file of this target that touches raw memory.
public enum Bytes {
  /// Little-endian bytes of the elements, in order.
  public static func little<Element: LittleEndianElement>(_ values: Span<Element>) -> [UInt8] {
    let size = MemoryLayout<Element>.size
    #if _endian(little)
      return values.withUnsafeBytes { source in  // a plain copy: memory order is file order
        [UInt8](unsafeUninitializedCapacity: source.count) { buffer, count in
          if !source.isEmpty { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: source) }
          count = source.count
        }
      }
    #else
      var bytes: [UInt8] = []
      bytes.reserveCapacity(values.count * size)
      for index in values.indices {
        let word = values[index].word
        for shift in 0..<size { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) }
      }
      return bytes
    #endif
  }

  /// The elements whose little-endian bytes these are; the count of bytes must be a multiple of the element's size.
  public static func elements<Element: LittleEndianElement>(_ bytes: [UInt8], as type: Element.Type) -> [Element] {
    let size = MemoryLayout<Element>.size
    precondition(bytes.count % size == 0, "bytes of whole elements")
    #if _endian(little)
      return [Element](unsafeUninitializedCapacity: bytes.count / size) { buffer, count in  // a plain copy, alignment is that of the array
        if !bytes.isEmpty { bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) } }
        count = bytes.count / size
      }
    #else
      return (0..<bytes.count / size).map { index in
        var word: UInt64 = 0
        for shift in 0..<size { word |= UInt64(bytes[index * size + shift]) << UInt64(8 * shift) }
        return Element(word: word)
      }
    #endif
  }

  /// The eight bytes at `offset` as a little-endian word; the caller has checked the bounds.
  @inline(__always)
  static func word(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}

extension Bytes {
  /// The byte at `offset`.
  @inline(__always)
  static func byte(_ bytes: RawSpan, _ offset: Int) -> UInt8 {
    bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }
}

/// An element of a tensor with a fixed little-endian form.
public protocol LittleEndianElement: BitwiseCopyable {
  /// The bit pattern, in the low bits.
  var word: UInt64 { get }
  /// From the low bits.
  init(word: UInt64)
}

extension Float: LittleEndianElement {
  /// The bit pattern.
  public var word: UInt64 { UInt64(bitPattern) }
  /// From a bit pattern.
  public init(word: UInt64) { self.init(bitPattern: UInt32(truncatingIfNeeded: word)) }
}

extension Double: LittleEndianElement {
  /// The bit pattern.
  public var word: UInt64 { bitPattern }
  /// From a bit pattern.
  public init(word: UInt64) { self.init(bitPattern: word) }
}

extension Int64: LittleEndianElement {
  /// The two's complement.
  public var word: UInt64 { UInt64(bitPattern: self) }
  /// From a two's complement.
  public init(word: UInt64) { self.init(bitPattern: word) }
}

extension Int32: LittleEndianElement {
  /// The two's complement.
  public var word: UInt64 { UInt64(UInt32(bitPattern: self)) }
  /// From a two's complement.
  public init(word: UInt64) { self.init(bitPattern: UInt32(truncatingIfNeeded: word)) }
}

extension UInt8: LittleEndianElement {
  /// The value.
  public var word: UInt64 { UInt64(self) }
  /// The low byte.
  public init(word: UInt64) { self.init(truncatingIfNeeded: word) }
}

extension SHA256 {
  /// Appends bytes.
  public func update(_ bytes: [UInt8]) { update(bytes.span.bytes) }

  /// Appends bytes.
  public func update(_ bytes: Span<UInt8>) { update(bytes.bytes) }

  /// Appends the little-endian bytes of an integer.
  public func update(_ value: some FixedWidthInteger & BitwiseCopyable) {
    let word = CollectionOfOne(value.littleEndian)
    update(word.span.bytes)
  }

  /// Appends the little-endian bytes of a bit pattern.
  public func update(_ value: Float) { update(value.bitPattern) }

  /// Appends the little-endian bytes of a bit pattern.
  public func update(_ value: Double) { update(value.bitPattern) }

  /// Appends the little-endian bytes of the bit patterns, in order.
  public func update(_ values: Span<Float>) {
    #if _endian(little)
      update(values.bytes)
    #else
      for index in values.indices { update(values[index]) }
    #endif
  }

  /// Appends the little-endian bytes of the bit patterns, in order.
  public func update(_ values: Span<Double>) {
    #if _endian(little)
      update(values.bytes)
    #else
      for index in values.indices { update(values[index]) }
    #endif
  }

  /// Appends the UTF-8 bytes preceded by their count as a little-endian 64-bit word, so that two strings never run together.
  public func update(_ text: String) {
    let bytes = Array(text.utf8)
    update(UInt64(bytes.count))
    update(bytes)
  }
}

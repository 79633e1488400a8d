/// Writes a value tree as a pickle stream of protocol 2; tensors go to numbered storages beside it.
struct PickleWriter {
  private(set) var stream: [UInt8] = []
  /// `data/0`, `data/1`, ... in the order of the tree, one a tensor.
  private(set) var storages: [[UInt8]] = []
  /// What stands in the memo, by its number.
  private var memo: [Memo] = []
  private var values = 0

  private enum Memo: Equatable {
    case global(PickleGlobal)
    case text(String)
  }

  /// Writes a whole stream.
  init(_ value: TorchValue) throws(TorchFormatError) {
    put(.proto)
    stream.append(2)
    try write(value, depth: 0)
    put(.stop)
  }

  private mutating func write(_ value: TorchValue, depth: Int) throws(TorchFormatError) {
    guard depth <= TorchLimits.depth else { throw TorchFormatError(.limit, "values nest at most \(TorchLimits.depth) deep") }
    values += 1
    guard values <= TorchLimits.values else { throw TorchFormatError(.limit, "a tree has at most \(TorchLimits.values) values") }
    switch value {
    case .none: put(.none)
    case .bool(let value): put(value ? .newTrue : .newFalse)
    case .int(let value): write(value)
    case .float(let value):
      put(.binFloat)
      for shift in stride(from: 56, through: 0, by: -8) { stream.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(shift))) }
    case .string(let text): try write(text)
    case .list(let values):
      put(.emptyList)
      guard !values.isEmpty else { return }
      put(.mark)
      for value in values { try write(value, depth: depth + 1) }
      put(.appends)
    case .dictionary(let entries):
      put(.emptyDictionary)
      try write(entries, depth: depth)
    case .orderedDictionary(let entries):
      writeEmptyOrderedDictionary()
      try write(entries, depth: depth)
    case .indexedDictionary(let entries):
      put(.emptyDictionary)
      try write(indexed: entries, depth: depth)
    case .tensor(let tensor): try write(tensor)
    }
  }

  private mutating func write(_ entries: [(String, TorchValue)], depth: Int) throws(TorchFormatError) {
    guard !entries.isEmpty else { return }
    try checkDistinct(entries.map(\.0).sorted())
    put(.mark)
    for (key, value) in entries {
      guard key.utf8.count <= TorchLimits.keyBytes else {
        throw TorchFormatError(.limit, "a key has at most \(TorchLimits.keyBytes) bytes, this one \(key.utf8.count)")
      }
      try write(key)
      try write(value, depth: depth + 1)
    }
    put(.setItems)
  }

  private mutating func write(indexed entries: [(Int64, TorchValue)], depth: Int) throws(TorchFormatError) {
    guard !entries.isEmpty else { throw TorchFormatError(.value, "an indexed dictionary is not empty") }
    try checkDistinct(entries.map(\.0).sorted())
    put(.mark)
    for (key, value) in entries {
      write(key)
      try write(value, depth: depth + 1)
    }
    put(.setItems)
  }

  private func checkDistinct<Key: Equatable>(_ sorted: [Key]) throws(TorchFormatError) {
    for (first, second) in zip(sorted, sorted.dropFirst()) where first == second {
      throw TorchFormatError(.value, "a dictionary has the key \(first) twice")
    }
  }

  private mutating func write(_ value: Int64) {
    if let small = UInt8(exactly: value) {
      put(.binInt1)
      stream.append(small)
    } else if let small = UInt16(exactly: value) {
      put(.binInt2)
      stream.appendLittle(small)
    } else if let small = Int32(exactly: value) {
      put(.binInt)
      stream.appendLittle(UInt32(bitPattern: small))
    } else {
      // The shortest two's complement, as Python writes it.
      let bits = value < 0 ? 65 - (~value).leadingZeroBitCount : 65 - value.leadingZeroBitCount
      let count = (bits + 7) / 8
      put(.long1)
      stream.append(UInt8(count))
      for index in 0..<count { stream.append(UInt8(truncatingIfNeeded: value >> Int64(8 * index))) }
    }
  }

  private mutating func write(_ text: String) throws(TorchFormatError) {
    let bytes = Array(text.utf8)
    guard bytes.count <= TorchLimits.stringBytes else {
      throw TorchFormatError(.limit, "a string has at most \(TorchLimits.stringBytes) bytes, this one \(bytes.count)")
    }
    put(.binUnicode)
    stream.appendLittle(UInt32(bytes.count))
    stream.append(contentsOf: bytes)
  }

  /// `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)`.
  private mutating func write(_ tensor: TorchTensor) throws(TorchFormatError) {
    guard tensor.shape.count <= TorchLimits.rank else { throw TorchFormatError(.limit, "a tensor has at most \(TorchLimits.rank) extents") }
    write(.rebuildTensor)
    put(.mark)

    put(.mark)
    remembered("storage")
    write(.storage(tensor.dtype))
    try write(String(storages.count))
    remembered("cpu")
    write(Int64(tensor.count))
    put(.tuple)
    put(.binPersistentID)
    storages.append(tensor.bytes)

    write(Int64(0))
    write(tuple: tensor.shape)
    write(tuple: TorchTensor.contiguousStrides(tensor.shape))
    put(.newFalse)
    writeEmptyOrderedDictionary()
    put(.tuple)
    put(.reduce)
  }

  private mutating func write(tuple values: [Int]) {
    guard !values.isEmpty else { return put(.emptyTuple) }
    if values.count > 3 { put(.mark) }
    for value in values { write(Int64(value)) }
    put([.tuple1, .tuple2, .tuple3, .tuple][min(values.count, 4) - 1])
  }

  private mutating func writeEmptyOrderedDictionary() {
    write(.orderedDictionary)
    put(.emptyTuple)
    put(.reduce)
  }

  /// A name outside the stream: spelled out once, then taken from the memo.
  private mutating func write(_ global: PickleGlobal) {
    if recall(.global(global)) { return }
    put(.global)
    stream.append(contentsOf: "\(global.names.module)\n\(global.names.name)\n".utf8)
    remember(.global(global))
  }

  /// A short fixed text: spelled out once, then taken from the memo.
  private mutating func remembered(_ text: String) {
    if recall(.text(text)) { return }
    put(.binUnicode)
    stream.appendLittle(UInt32(text.utf8.count))
    stream.append(contentsOf: text.utf8)
    remember(.text(text))
  }

  private mutating func recall(_ item: Memo) -> Bool {
    guard let number = memo.firstIndex(of: item) else { return false }
    put(.binGet)
    stream.append(UInt8(number))
    return true
  }

  /// The memo holds at most the ten names and texts above, so its numbers fit a byte.
  private mutating func remember(_ item: Memo) {
    put(.binPut)
    stream.append(UInt8(memo.count))
    memo.append(item)
  }

  private mutating func put(_ opcode: PickleOpcode) { stream.append(opcode.rawValue) }
}

extension TorchTensor {
  /// Row-major strides in elements; PyTorch gives extents of 0 the stride of extents of 1.
  static func contiguousStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * max(1, shape[axis + 1]) }
    return strides
  }
}

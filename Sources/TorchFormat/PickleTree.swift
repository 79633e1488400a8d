/// Builds a value tree from what a pickle stream left, fetching tensors from their storages.
struct PickleTree {
  private let containers: [PickleMachine.Container]
  private let fetch: ((String) throws(TorchFormatError) -> [UInt8]?)?
  /// Where the value that is built stands, outermost first; spelled out for tensors and messages only.
  private var place: [Step] = []
  private var values = 0
  private var tensorBytes = 0
  /// Storage key of each tensor, in tree order, with its path.
  private(set) var storagePaths: [(key: String, path: String)] = []

  private enum Step {
    case key(String)
    case index(Int)
  }

  /// - Parameter fetch: bytes of the storage with a key, nil if there is none. Without it tensors come out empty: for the paths alone.
  init(_ containers: [PickleMachine.Container], fetch: ((String) throws(TorchFormatError) -> [UInt8]?)?) {
    self.containers = containers
    self.fetch = fetch
  }

  /// The tree below an item.
  mutating func value(_ item: PickleMachine.Item) throws(TorchFormatError) -> TorchValue {
    // A container that contains itself ends here too.
    guard place.count <= TorchLimits.depth else { throw failure(.limit, "values nest more than \(TorchLimits.depth) deep") }
    values += 1
    guard values <= TorchLimits.values else { throw failure(.limit, "more than \(TorchLimits.values) values") }
    switch item {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .float(let value): return .float(value)
    case .string(let value): return .string(value)
    case .tensor(let reference): return .tensor(try tensor(reference, path))
    case .storage: throw failure(.pickle, "a storage outside of a tensor")
    case .global(let global): throw failure(.pickle, "the name \(global.names.name) as a value")
    case .container(let number):
      switch containers[number] {
      case .list(let items), .tuple(let items):
        var list: [TorchValue] = []
        list.reserveCapacity(items.count)
        for (index, item) in items.enumerated() { list.append(try value(item, at: .index(index))) }
        return .list(list)
      case .dictionary(let items, let isOrdered): return try dictionary(items, isOrdered: isOrdered)
      }
    }
  }

  private mutating func value(_ item: PickleMachine.Item, at step: Step) throws(TorchFormatError) -> TorchValue {
    place.append(step)
    defer { place.removeLast() }
    return try value(item)
  }

  private mutating func dictionary(
    _ items: [(PickleMachine.Key, PickleMachine.Item)], isOrdered: Bool
  ) throws(TorchFormatError) -> TorchValue {
    var entries: [(String, TorchValue)] = []
    entries.reserveCapacity(items.count)
    var numbers: [Int64] = []
    for (key, item) in items {
      entries.append((key.text, try value(item, at: .key(key.text))))
      if case .number(let number) = key { numbers.append(number) }
    }
    let keys = entries.map(\.0).sorted()
    for (first, second) in zip(keys, keys.dropFirst()) where first == second {
      throw failure(.pickle, "the key \(first) twice in \(path)")
    }
    if isOrdered { return .orderedDictionary(entries) }
    if numbers.count < entries.count || entries.isEmpty { return .dictionary(entries) }
    return .indexedDictionary(zip(numbers, entries).map { ($0, $1.1) })
  }

  /// Keys joined by dots and `[n]` for elements of lists; long keys are cut.
  private var path: String {
    var text = ""
    for step in place {
      switch step {
      case .key(let key):
        if !text.isEmpty { text += "." }
        text += key.utf8.count > 128 ? key.prefix(32) + "..." : key
      case .index(let index): text += "[\(index)]"
      }
    }
    return text
  }

  /// Copies the window out of the storage, row-major.
  private mutating func tensor(_ reference: PickleMachine.TensorReference, _ path: String) throws(TorchFormatError) -> TorchTensor {
    let storage = reference.storage
    guard storagePaths.count < TorchLimits.tensors else { throw failure(.limit, "more than \(TorchLimits.tensors) tensors") }
    storagePaths.append((storage.key, path))
    guard let fetch else { return TorchTensor(dtype: storage.dtype, shape: [0], bytes: []) }
    let record = "data/\(storage.key)"
    guard let bytes = try fetch(storage.key) else {
      throw TorchFormatError(.missingRecord, record: record, "the record of tensor \(path) is missing")
    }
    let size = storage.dtype.size
    guard bytes.count == storage.count * size else {
      throw TorchFormatError(
        .tensor, record: record, "tensor \(path) needs a storage of \(storage.count * size) bytes, the record has \(bytes.count)")
    }
    var count = 1
    var last = reference.offset
    for (extent, stride) in zip(reference.shape, reference.strides) {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= TorchLimits.archiveBytes else { throw failure(.limit, "tensor \(path) has too many elements") }
      count = product
      // Extents and strides are below 2^31, so neither product nor sum overflows.
      last += max(0, extent - 1) * stride
      guard extent == 0 || last < TorchLimits.archiveBytes else { throw failure(.tensor, "tensor \(path) reaches beyond its storage") }
    }
    guard count == 0 || last < storage.count else { throw failure(.tensor, "tensor \(path) reaches beyond its storage") }
    tensorBytes += count * size
    guard tensorBytes <= TorchLimits.archiveBytes else {
      throw failure(.limit, "the tensors have more than \(TorchLimits.archiveBytes) bytes")
    }
    guard count > 0 else { return TorchTensor(dtype: storage.dtype, shape: reference.shape, bytes: []) }
    if isContiguous(reference) {
      if count == storage.count { return TorchTensor(dtype: storage.dtype, shape: reference.shape, bytes: bytes) }
      let start = reference.offset * size
      return TorchTensor(dtype: storage.dtype, shape: reference.shape, bytes: Array(bytes[start..<(start + count * size)]))
    }
    return TorchTensor(dtype: storage.dtype, shape: reference.shape, bytes: gather(reference, bytes, count))
  }

  private func isContiguous(_ reference: PickleMachine.TensorReference) -> Bool {
    let expected = TorchTensor.contiguousStrides(reference.shape)
    return reference.shape.indices.allSatisfy { reference.shape[$0] == 1 || reference.strides[$0] == expected[$0] }
  }

  /// Element by element; bounds were checked.
  private func gather(_ reference: PickleMachine.TensorReference, _ bytes: [UInt8], _ count: Int) -> [UInt8] {
    let size = reference.storage.dtype.size
    var result: [UInt8] = []
    result.reserveCapacity(count * size)
    var index = [Int](repeating: 0, count: reference.shape.count)
    for _ in 0..<count {
      var element = reference.offset
      for axis in index.indices { element += index[axis] * reference.strides[axis] }
      result.append(contentsOf: bytes[(element * size)..<((element + 1) * size)])
      for axis in index.indices.reversed() {
        index[axis] += 1
        if index[axis] < reference.shape[axis] { break }
        index[axis] = 0
      }
    }
    return result
  }

  private func failure(_ code: TorchFormatError.Code, _ reason: String) -> TorchFormatError {
    TorchFormatError(code, record: TorchFile.pickleRecord, reason)
  }
}

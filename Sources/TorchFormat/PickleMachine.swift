/// Reads a pickle stream without executing anything: a stack machine that knows the operations in `PickleOpcode` and the names in
/// `PickleGlobal` and refuses everything else.
///
/// Lists, dictionaries and tuples live in an arena, since a stream may fill one after it was remembered and may use it twice, and so
/// that a deeply nested one is no deep structure here. The tree is built at the end, with limits on depth and size: a small hostile
/// stream cannot expand without bound.
struct PickleMachine {
  /// A value on the stack.
  enum Item {
    case none
    case bool(Bool)
    case int(Int64)
    case float(Double)
    case string(String)
    case container(Int)
    case global(PickleGlobal)
    case storage(StorageReference)
    case tensor(TensorReference)
  }

  /// A list or dictionary under construction, or a tuple.
  enum Container {
    case tuple([Item])
    case list([Item])
    case dictionary([(Key, Item)], isOrdered: Bool)
  }

  /// A dictionary's key.
  enum Key: Equatable {
    case text(String)
    case number(Int64)

    /// The key as text.
    var text: String {
      switch self {
      case .text(let text): text
      case .number(let number): String(number)
      }
    }
  }

  /// A typed array of bytes beside the stream.
  struct StorageReference {
    let dtype: TorchTensor.ElementType
    let key: String
    let count: Int
  }

  /// A window into a storage.
  struct TensorReference {
    let storage: StorageReference
    let offset: Int
    let shape: [Int]
    let strides: [Int]
    /// Where the stream says so, for messages.
    let position: Int
  }

  private(set) var containers: [Container] = []
  private let stream: [UInt8]
  private var cursor = 0
  private var stack: [Item] = []
  private var marks: [Int] = []
  private var memo: [Item?] = []
  private var memoised = 0

  init(_ stream: [UInt8]) { self.stream = stream }

  /// Runs to the end of the stream and returns what is left on the stack.
  mutating func run() throws(TorchFormatError) -> Item {
    guard try byte() == PickleOpcode.proto.rawValue, try byte() == 2 else { throw failure(at: 0, "not a pickle of protocol 2") }
    while true {
      let position = cursor
      let code = try byte()
      guard let opcode = PickleOpcode(rawValue: code) else { throw failure(at: position, "operation \(code) is not read") }
      if opcode == .stop {
        guard stack.count == 1, marks.isEmpty, cursor == stream.count else {
          throw failure(at: position, "the stream does not end with one value")
        }
        return stack[0]
      }
      try execute(opcode, position)
    }
  }

  private mutating func execute(_ opcode: PickleOpcode, _ position: Int) throws(TorchFormatError) {
    switch opcode {
    case .proto, .stop: throw failure(at: position, "operation \(opcode) in the middle of the stream")
    case .mark: marks.append(stack.count)
    case .none: stack.append(.none)
    case .newTrue: stack.append(.bool(true))
    case .newFalse: stack.append(.bool(false))
    case .binInt: stack.append(.int(Int64(Int32(truncatingIfNeeded: try little(4)))))
    case .binInt1: stack.append(.int(Int64(try little(1))))
    case .binInt2: stack.append(.int(Int64(try little(2))))
    case .long1: stack.append(.int(try long(position)))
    case .binFloat: stack.append(.float(Double(bitPattern: UInt64(try little(8)).byteSwapped)))
    case .binUnicode: stack.append(.string(try text(position)))
    case .emptyList: push(.list([]))
    case .emptyDictionary: push(.dictionary([], isOrdered: false))
    case .append:
      let value = try pop(position)
      try extend([value], position)
    case .appends: try extend(popToMark(position), position)
    case .setItem:
      let value = try pop(position)
      let key = try pop(position)
      try assign([key, value], position)
    case .setItems: try assign(popToMark(position), position)
    case .emptyTuple: push(.tuple([]))
    case .tuple: push(.tuple(try popToMark(position)))
    case .tuple1: try tuple(1, position)
    case .tuple2: try tuple(2, position)
    case .tuple3: try tuple(3, position)
    case .binPut: try remember(Int(try little(1)), position)
    case .longBinPut: try remember(Int(try little(4)), position)
    case .binGet: try recall(Int(try little(1)), position)
    case .longBinGet: try recall(Int(try little(4)), position)
    case .global: try global(position)
    case .reduce: try reduce(position)
    case .build: try build(position)
    case .binPersistentID: try persistent(position)
    }
  }

  // MARK: Arguments in the stream

  private mutating func byte() throws(TorchFormatError) -> UInt8 {
    guard cursor < stream.count else { throw failure(at: cursor, "the stream ends too early") }
    defer { cursor += 1 }
    return stream[cursor]
  }

  private mutating func little(_ count: Int) throws(TorchFormatError) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(try byte()) << UInt64(8 * index) }
    return value
  }

  private mutating func long(_ position: Int) throws(TorchFormatError) -> Int64 {
    let count = Int(try byte())
    guard count <= 8 else { throw failure(at: position, "a whole number of \(count) bytes: at most 8 are read") }
    guard count > 0 else { return 0 }
    let unused = UInt64(64 - 8 * count)
    return Int64(bitPattern: try little(count) << unused) >> Int64(unused)
  }

  private mutating func text(_ position: Int) throws(TorchFormatError) -> String {
    let count = Int(try little(4))
    guard count <= TorchLimits.stringBytes, count <= stream.count - cursor else {
      throw failure(at: position, "a string of \(count) bytes")
    }
    defer { cursor += count }
    guard let text = String(validating: stream[cursor..<(cursor + count)], as: UTF8.self) else {
      throw failure(at: position, "a string that is not UTF-8")
    }
    return text
  }

  private mutating func line(_ position: Int) throws(TorchFormatError) -> String {
    let start = cursor
    while try byte() != UInt8(ascii: "\n") {
      guard cursor - start <= 256 else { throw failure(at: position, "a name of more than 256 bytes") }
    }
    guard let text = String(validating: stream[start..<(cursor - 1)], as: UTF8.self) else {
      throw failure(at: position, "a name that is not UTF-8")
    }
    return text
  }

  // MARK: Stack and memo

  private mutating func pop(_ position: Int) throws(TorchFormatError) -> Item {
    guard stack.count > (marks.last ?? 0), let item = stack.popLast() else { throw failure(at: position, "the stack is empty") }
    return item
  }

  private mutating func popToMark(_ position: Int) throws(TorchFormatError) -> [Item] {
    guard let mark = marks.popLast() else { throw failure(at: position, "no mark on the stack") }
    let items = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return items
  }

  private mutating func tuple(_ count: Int, _ position: Int) throws(TorchFormatError) {
    guard stack.count - (marks.last ?? 0) >= count else { throw failure(at: position, "the stack is empty") }
    let items = Array(stack.suffix(count))
    stack.removeLast(count)
    push(.tuple(items))
  }

  /// The elements, if the item is a tuple.
  private func elements(_ item: Item) -> [Item]? {
    guard case .container(let number) = item, case .tuple(let items) = containers[number] else { return nil }
    return items
  }

  private mutating func push(_ container: Container) {
    containers.append(container)
    stack.append(.container(containers.count - 1))
  }

  /// Memo numbers are given one after another, so one far beyond their count is nonsense (and would cost memory).
  private mutating func remember(_ number: Int, _ position: Int) throws(TorchFormatError) {
    memoised += 1
    guard number <= 256 + 2 * memoised, let item = stack.last else { throw failure(at: position, "memo number \(number)") }
    while memo.count <= number { memo.append(nil) }
    memo[number] = item
  }

  private mutating func recall(_ number: Int, _ position: Int) throws(TorchFormatError) {
    guard number < memo.count, let item = memo[number] else { throw failure(at: position, "memo number \(number) was not given") }
    stack.append(item)
  }

  private mutating func extend(_ items: [Item], _ position: Int) throws(TorchFormatError) {
    guard case .container(let number)? = stack.last, case .list(var list) = containers[number] else {
      throw failure(at: position, "no list to append to")
    }
    containers[number] = .list([])  // so that the array below is the only owner and grows in place
    list.append(contentsOf: items)
    containers[number] = .list(list)
  }

  private mutating func assign(_ items: [Item], _ position: Int) throws(TorchFormatError) {
    guard case .container(let number)? = stack.last, case .dictionary(var entries, let isOrdered) = containers[number] else {
      throw failure(at: position, "no dictionary to enter into")
    }
    guard items.count % 2 == 0 else { throw failure(at: position, "a key without a value") }
    containers[number] = .dictionary([], isOrdered: isOrdered)
    for index in stride(from: 0, to: items.count, by: 2) {
      switch items[index] {
      case .string(let key) where key.utf8.count <= TorchLimits.keyBytes: entries.append((.text(key), items[index + 1]))
      case .string: throw failure(at: position, "a dictionary key of more than \(TorchLimits.keyBytes) bytes")
      case .int(let key): entries.append((.number(key), items[index + 1]))
      default: throw failure(at: position, "a dictionary key that is neither text nor a whole number")
      }
    }
    containers[number] = .dictionary(entries, isOrdered: isOrdered)
  }

  // MARK: Names and what they make

  private mutating func global(_ position: Int) throws(TorchFormatError) {
    let module = try line(position)
    let name = try line(position)
    guard let global = PickleGlobal(module: module, name: name) else {
      let spelled = "\(module).\(name)".unicodeScalars.map { $0.isASCII && $0.value >= 32 ? String($0) : "?" }.joined()
      throw TorchFormatError(
        .refusedGlobal, record: TorchFile.pickleRecord, offset: position, "\(spelled) is not on the list of names that are read")
    }
    stack.append(.global(global))
  }

  private mutating func reduce(_ position: Int) throws(TorchFormatError) {
    let last = try pop(position)
    guard let arguments = elements(last), case .global(let global) = try pop(position) else {
      throw failure(at: position, "nothing to call")
    }
    switch global {
    case .orderedDictionary where arguments.isEmpty: push(.dictionary([], isOrdered: true))
    case .rebuildTensor: stack.append(.tensor(try tensor(arguments, position)))
    default: throw failure(at: position, "\(global.names.name) is not called so")
    }
  }

  /// State of an ordered dictionary (PyTorch's `_metadata`) is dropped; nothing else has state.
  private mutating func build(_ position: Int) throws(TorchFormatError) {
    _ = try pop(position)
    guard case .container(let number)? = stack.last, case .dictionary(_, true) = containers[number] else {
      throw failure(at: position, "state for something that has none")
    }
  }

  private mutating func persistent(_ position: Int) throws(TorchFormatError) {
    let reference = try pop(position)
    guard let parts = elements(reference), parts.count == 5, case .string("storage") = parts[0],
      case .global(.storage(let dtype)) = parts[1], case .string(let key) = parts[2], case .string = parts[3],
      case .int(let count) = parts[4], count >= 0, count <= Int64(TorchLimits.archiveBytes)
    else { throw failure(at: position, "not a reference to a storage") }
    stack.append(.storage(StorageReference(dtype: dtype, key: key, count: Int(count))))
  }

  /// Arguments: storage, offset, shape, strides, requires_grad, hooks, and in newer files metadata.
  private func tensor(_ arguments: [Item], _ position: Int) throws(TorchFormatError) -> TensorReference {
    guard arguments.count == 6 || arguments.count == 7, case .storage(let storage) = arguments[0], case .int(let offset) = arguments[1],
      let shape = extents(arguments[2]), let strides = extents(arguments[3]), shape.count == strides.count,
      shape.count <= TorchLimits.rank, offset >= 0, offset <= Int64(TorchLimits.archiveBytes)
    else { throw failure(at: position, "not the description of a tensor") }
    return TensorReference(storage: storage, offset: Int(offset), shape: shape, strides: strides, position: position)
  }

  /// A tuple of whole numbers from 0 to the archive's size limit.
  private func extents(_ item: Item) -> [Int]? {
    guard let items = elements(item) else { return nil }
    var values: [Int] = []
    for item in items {
      guard case .int(let value) = item, value >= 0, value <= Int64(TorchLimits.archiveBytes) else { return nil }
      values.append(Int(value))
    }
    return values
  }

  private func failure(at offset: Int, _ reason: String) -> TorchFormatError {
    TorchFormatError(.pickle, record: TorchFile.pickleRecord, offset: offset, reason)
  }
}

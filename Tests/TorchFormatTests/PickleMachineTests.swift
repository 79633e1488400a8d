import Testing
import TorchFormat

/// An archive with a given pickle stream and storages.
private func archive(_ stream: [UInt8], storages: [[UInt8]] = []) throws -> [UInt8] {
  var writer = ArchiveWriter(root: "t")
  try writer.append(ArchiveRecord(name: "data.pkl", bytes: stream))
  for (index, bytes) in storages.enumerated() { try writer.append(ArchiveRecord(name: "data/\(index)", bytes: bytes)) }
  return writer.finish()
}

private func text(_ string: String) -> [UInt8] { [0x58, UInt8(string.utf8.count), 0, 0, 0] + Array(string.utf8) }

/// The stream of one float tensor over storage 0, all numbers below 256.
private func tensorStream(count: UInt8, offset: UInt8, shape: [UInt8], strides: [UInt8]) -> [UInt8] {
  func tuple(_ values: [UInt8]) -> [UInt8] { [0x28] + values.flatMap { [0x4B, $0] } + [0x74] }
  return [0x80, 2] + Array("ctorch._utils\n_rebuild_tensor_v2\n".utf8) + [0x28, 0x28] + text("storage")
    + Array("ctorch\nFloatStorage\n".utf8)
    + text("0") + text("cpu") + [0x4B, count, 0x74, 0x51, 0x4B, offset] + tuple(shape) + tuple(strides) + [0x89]
    + Array("ccollections\nOrderedDict\n".utf8) + [0x29, 0x52, 0x74, 0x52, 0x2E]
}

@Suite("Restricted pickle machine")
struct PickleMachineTests {
  @Test(
    "every name that is not on the list is refused, with that name",
    arguments: [
      "os\nsystem", "builtins\neval", "torch\nload", "torch._utils\n_rebuild_parameter", "numpy.core.multiarray\n_reconstruct",
      "torch\nHalfStorage",
    ])
  func refusedGlobal(name: String) throws {
    let bytes = try archive([0x80, 2, 0x63] + Array("\(name)\n".utf8) + [0x29, 0x52, 0x2E])
    #expect {
      try TorchFile.decode(bytes)
    } throws: { error in
      let error = error as? TorchFormatError
      return error?.code == .refusedGlobal && error?.offset == 2
        && error?.reason.contains(String(name.map { $0 == "\n" ? "." : $0 })) == true
    }
  }

  @Test("a transposed tensor, an overlapping window and a repeated row come out row-major")
  func strides() throws {
    let storage = TorchTensor((0..<6).map { Float($0) })
    func load(_ stream: [UInt8]) throws -> [Float]? {
      try TorchFile.decode(archive(stream, storages: [storage.bytes])).tensor?.floats
    }
    #expect(try load(tensorStream(count: 6, offset: 0, shape: [3, 2], strides: [1, 3])) == [0, 3, 1, 4, 2, 5])
    #expect(try load(tensorStream(count: 6, offset: 2, shape: [3], strides: [1])) == [2, 3, 4])
    #expect(try load(tensorStream(count: 6, offset: 1, shape: [2, 3], strides: [0, 1])) == [1, 2, 3, 1, 2, 3])
    #expect(try load(tensorStream(count: 6, offset: 5, shape: [], strides: [])) == [5])
    #expect(try load(tensorStream(count: 6, offset: 0, shape: [1, 6], strides: [9, 1])) == [0, 1, 2, 3, 4, 5])
  }

  @Test("windows that leave their storage and storages of another size are refused")
  func bounds() throws {
    let storage = [UInt8](repeating: 0, count: 24)
    for stream in [
      tensorStream(count: 6, offset: 1, shape: [6], strides: [1]), tensorStream(count: 6, offset: 6, shape: [], strides: []),
      tensorStream(count: 6, offset: 0, shape: [2, 3], strides: [4, 1]), tensorStream(count: 5, offset: 0, shape: [5], strides: [1]),
      tensorStream(count: 6, offset: 0, shape: [255, 255, 255, 255, 255, 255, 255, 255], strides: [0, 0, 0, 0, 0, 0, 0, 0]),
    ] {
      #expect(throws: TorchFormatError.self) { try TorchFile.decode(archive(stream, storages: [storage])) }
    }
    #expect(throws: TorchFormatError.self) { try TorchFile.decode(archive(tensorStream(count: 6, offset: 0, shape: [6], strides: [1]))) }
  }

  @Test("a list that contains itself and one that doubles at each level end with an error")
  func hostileShapes() throws {
    // ] q0 h0 a .
    #expect(throws: TorchFormatError.self) { try TorchFile.decode(archive([0x80, 2, 0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E])) }
    var doubling: [UInt8] = [0x80, 2, 0x5D, 0x71, 0]
    // Each list holds the one before twice.
    for level in 0..<UInt8(60) { doubling += [0x5D, 0x68, level, 0x61, 0x68, level, 0x61, 0x71, level + 1, 0x86] }
    #expect(throws: TorchFormatError.self) { try TorchFile.decode(archive(doubling + [0x2E])) }
    // A tuple in a tuple, a hundred thousand times.
    let nested = [UInt8](repeating: 0x85, count: 100_000)
    #expect(throws: TorchFormatError.self) { try TorchFile.decode(archive([0x80, 2, 0x29] + nested + [0x2E])) }
  }

  @Test("whole-number keys stay numbers, beside texts they become text, tuples lists, state of ordered dictionaries is dropped")
  func foreignForms() throws {
    // {0: (True, None)}
    #expect(
      try TorchFile.decode(archive([0x80, 2, 0x7D, 0x4B, 0, 0x88, 0x4E, 0x86, 0x73, 0x2E]))
        == .indexedDictionary([(0, .list([.bool(true), .none]))]))
    // {"a": None, 7: None}
    #expect(
      try TorchFile.decode(archive([0x80, 2, 0x7D, 0x28] + text("a") + [0x4E, 0x4B, 7, 0x4E, 0x75, 0x2E]))
        == .dictionary([("a", .none), ("7", .none)]))
    // OrderedDict() with state {}
    #expect(
      try TorchFile.decode(archive([0x80, 2] + Array("ccollections\nOrderedDict\n".utf8) + [0x29, 0x52, 0x7D, 0x62, 0x2E]))
        == .orderedDictionary([]))
  }

  @Test("compressed, foreign and empty archives are refused with a reason")
  func notArchives() {
    for bytes in [[], Array("hello".utf8), [UInt8](repeating: 0, count: 100)] {
      #expect {
        try TorchFile.decode(bytes)
      } throws: {
        ($0 as? TorchFormatError)?.code == .container
      }
    }
  }
}

import Testing
import TorchFormat

/// A value of every kind.
func sampleTree() -> TorchValue {
  .dictionary([
    ("step", .int(3427)),
    ("none", .none),
    ("flags", .list([.bool(true), .bool(false), .none])),
    (
      "ints",
      .list([0, 1, 255, 256, 65535, 65536, -1, -128, -129, 1 << 31, -(1 << 31), 1 << 40, -(1 << 40), 128, 32768].map { .int(Int64($0)) })
    ),
    ("extremes", .list([.int(Int64.max), .int(Int64.min)])),
    ("floats", .list([0.0, -0.0, 1.5, .infinity, -.infinity, .nan, .leastNonzeroMagnitude].map { .float($0) })),
    ("text", .string("Gr\u{FC}\u{DF}e \u{1F40D}")),
    ("empty", .list([.list([]), .dictionary([]), .orderedDictionary([]), .string("")])),
    (
      "model_state_dict",
      .orderedDictionary([
        ("trunk.0.weight", .tensor(TorchTensor((0..<6).map { Float($0) / 4 }, shape: [2, 3]))),
        ("trunk.0.bias", .tensor(TorchTensor([Float(-0.0), .nan, .infinity]))),
      ])
    ),
    ("double", .tensor(TorchTensor([1.0 / 3, -2], shape: [1, 2, 1]))),
    ("long", .tensor(TorchTensor([Int64.min, -1, 7]))),
    ("integer", .tensor(TorchTensor([Int32.min, 5]))),
    ("bytes", .tensor(TorchTensor([UInt8(1), 2, 255]))),
    ("scalar", .tensor(TorchTensor([Float(2.5)], shape: []))),
    ("nothing", .tensor(TorchTensor([Float](), shape: [3, 0]))),
    ("five", .tensor(TorchTensor((0..<32).map { Double($0) }, shape: [2, 2, 2, 2, 2]))),
  ])
}

@Suite("Own archives")
struct TorchRoundTripTests {
  @Test("every kind of value comes back bit by bit")
  func roundTrip() throws {
    let bytes = try TorchFile.encode(sampleTree(), archiveName: "sample")
    #expect(try TorchFile.decode(bytes) == sampleTree())
    #expect(try ArchiveReader(bytes).isCanonical)
    #expect(try TorchFile.encode(sampleTree(), archiveName: "sample") == bytes)
  }

  @Test("records are those of PyTorch's writer, data starts at multiples of 64 bytes")
  func layout() throws {
    let archive = try ArchiveReader(TorchFile.encode(sampleTree(), archiveName: "sample"))
    #expect(archive.root == "sample")
    #expect(
      archive.entries.map(\.name)
        == ["data.pkl", ".format_version", ".storage_alignment", "byteorder"] + (0..<9).map { "data/\($0)" }
        + ["version", ".data/serialization_id"])
    #expect(archive.entries.allSatisfy { $0.range.lowerBound % 64 == 0 })
    #expect(try archive.record("version") == Array("3\n".utf8))
    try archive.verifyChecksums()
  }

  @Test("a key twice, a nesting too deep and too many extents are refused when writing")
  func refusals() {
    var deep = TorchValue.none
    for _ in 0...TorchLimits.depth { deep = .list([deep]) }
    let wide = TorchValue.tensor(TorchTensor([Float(1)], shape: [Int](repeating: 1, count: TorchLimits.rank + 1)))
    for value in [.dictionary([("a", .none), ("b", .none), ("a", .none)]), deep, wide] {
      #expect(throws: TorchFormatError.self) { try TorchFile.encode(value, archiveName: "x") }
    }
  }

  @Test("no damage makes the reader trap: every bit flipped, every length")
  func damage() throws {
    let tree = TorchValue.dictionary([
      ("a", .tensor(TorchTensor([Float(1), 2], shape: [2, 1]))), ("b", .list([.int(-5), .float(1), .string("x")])),
      ("c", .orderedDictionary([("d", .bool(true))])),
    ])
    let bytes = try TorchFile.encode(tree, archiveName: "s")
    for length in 0..<bytes.count { #expect(throws: TorchFormatError.self) { try TorchFile.decode(Array(bytes[..<length])) } }
    for position in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[position] ^= 1 << UInt8(bit)
        _ = try? TorchFile.decode(changed)
      }
    }
  }

  @Test("no damaged pickle stream makes the machine trap, although its CRC-32 is right")
  func damagedPickle() throws {
    let records = try TorchFile.records(sampleTree())
    let stream = records[0].bytes
    var accepted = 0
    for position in stream.indices {
      for value in [
        UInt8(0), 1, 0x28, 0x2E, 0x52, 0x51, 0x62, 0x65, 0x71, 0x74, 0x75, 0x80, 0x87, 255, stream[position] ^ 1, stream[position] &+ 1,
      ] {
        var changed = stream
        changed[position] = value
        var writer = ArchiveWriter(root: "s")
        try writer.append(ArchiveRecord(name: "data.pkl", bytes: changed))
        for record in records.dropFirst() { try writer.append(record) }
        if (try? TorchFile.decode(writer.finish())) != nil { accepted += 1 }
      }
    }
    // Most changes hit strings and numbers and give another whole value: what a checksum is for.
    #expect(accepted > 0)
  }
}

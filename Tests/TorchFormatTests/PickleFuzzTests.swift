import Foundation
import Testing

@testable import TorchFormat

/// Hostile and damaged pickle streams: the machine ends, with a value or an error, within its limits. Nothing is ever executed.
///
/// `PPO_CHUNKED_FUZZ_CASES` sets the number of streams of each kind (20 000 by default; `scripts/test-damage.sh` takes more).
@Suite("Fuzzed pickle streams", .timeLimit(.minutes(10)))
struct PickleFuzzTests {
  static let cases = ProcessInfo.processInfo.environment["PPO_CHUNKED_FUZZ_CASES"].flatMap(Int.init) ?? 20_000
  static let seed: UInt64 = 20_261_128

  /// SplitMix64 (Steele, Lea and Flood, 2014).
  struct Generator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }
  }

  /// Runs a stream to its tree; nil if it was refused. Any error but a `TorchFormatError` does not type-check.
  private func load(_ stream: [UInt8], storages: [[UInt8]]) -> TorchValue? {
    do throws(TorchFormatError) {
      var machine = PickleMachine(stream)
      let item = try machine.run()
      var tree = PickleTree(machine.containers) { (key) throws(TorchFormatError) in
        Int(key).flatMap { storages.indices.contains($0) ? storages[$0] : nil }
      }
      return try tree.value(item)
    } catch {
      return nil
    }
  }

  @Test("mutated streams of a tree with every kind of value: changed, inserted, removed, repeated and spliced bytes")
  func mutated() throws {
    let pickle = try PickleWriter(sampleTree())
    var generator = Generator(Self.seed)
    var accepted = 0
    for _ in 0..<Self.cases {
      var stream = pickle.stream
      for _ in 0...generator.below(4) {
        let position = generator.below(stream.count)
        switch generator.below(6) {
        case 0: stream[position] = generator.byte()
        case 1: stream[position] ^= 1 << UInt8(generator.below(8))
        case 2: stream.insert(generator.byte(), at: position)
        case 3: stream.removeSubrange(position..<min(stream.count, position + 1 + generator.below(8)))
        case 4:
          let length = min(stream.count - position, 1 + generator.below(40))
          stream.insert(contentsOf: stream[position..<(position + length)], at: generator.below(stream.count))
        default: stream[position] = PickleOpcode.allCases[generator.below(PickleOpcode.allCases.count)].rawValue
        }
        if stream.isEmpty { stream = pickle.stream }
      }
      if load(stream, storages: pickle.storages) != nil { accepted += 1 }
    }
    print("fuzz: seed \(Self.seed), \(Self.cases) mutated streams, \(accepted) of them still a value")
    #expect(accepted > 0 && accepted < Self.cases)
  }

  @Test("random programs of known operations with plausible arguments")
  func generated() {
    let names = [
      "torch._utils\n_rebuild_tensor_v2\n", "collections\nOrderedDict\n", "torch\nFloatStorage\n", "torch\nByteStorage\n", "os\nsystem\n",
      "builtins\neval\n",
    ]
    var generator = Generator(Self.seed ^ 1)
    var accepted = 0
    for _ in 0..<Self.cases {
      var stream: [UInt8] = [0x80, 2]
      for _ in 0..<generator.below(60) {
        let code = PickleOpcode.allCases[generator.below(PickleOpcode.allCases.count)]
        if code == .proto || code == .stop { continue }
        stream.append(code.rawValue)
        switch code {
        case .binInt, .longBinPut, .longBinGet: stream += [UInt8(generator.below(6)), 0, 0, generator.below(9) == 0 ? 0x7F : 0]
        case .binInt1, .binPut, .binGet: stream.append(UInt8(generator.below(6)))
        case .binInt2: stream += [generator.byte(), generator.byte()]
        case .long1:
          let count = generator.below(10)
          stream.append(UInt8(count))
          for _ in 0..<count { stream.append(generator.byte()) }
        case .binFloat: for _ in 0..<8 { stream.append(generator.byte()) }
        case .binUnicode:
          let text = ["storage", "0", "cpu", "a", ""][generator.below(5)]
          stream += [UInt8(text.utf8.count), 0, 0, generator.below(20) == 0 ? 0xFF : 0] + Array(text.utf8)
        case .global: stream += Array(names[generator.below(8) < 7 ? generator.below(4) : 4 + generator.below(2)].utf8)
        default: break
        }
      }
      if load(stream + [0x2E], storages: [[UInt8](repeating: 1, count: 24)]) != nil { accepted += 1 }
    }
    print("fuzz: seed \(Self.seed ^ 1), \(Self.cases) random programs, \(accepted) of them a value")
    #expect(accepted > 0)
  }

  @Test("mutated archives of PyTorch's kind never trap, whatever their CRC-32 says")
  func archives() throws {
    let bytes = try TorchFile.encode(sampleTree(), archiveName: "s")
    var generator = Generator(Self.seed ^ 2)
    for _ in 0..<(Self.cases / 4) {
      var changed = bytes
      for _ in 0...generator.below(3) {
        // Half of the changes hit the directory and the end records.
        let low = generator.below(2) == 0 ? 0 : changed.count * 3 / 4
        let position = low + generator.below(changed.count - low)
        switch generator.below(4) {
        case 0: changed[position] = generator.byte()
        case 1: changed[position] = 0xFF
        case 2: changed.removeSubrange(position..<min(changed.count, position + 1 + generator.below(30)))
        default: changed.insert(contentsOf: changed[..<min(changed.count, generator.below(200))], at: position)
        }
        if changed.count < 30 { changed = bytes }
      }
      if let archive = try? ArchiveReader(changed) {
        _ = archive.isCanonical
        _ = try? TorchFile.decode(archive)
        _ = TorchFile.tensorPaths(archive)
      }
    }
  }

  @Test("limits: memo numbers, keys and tensors cost what the stream is long, not more")
  func limits() {
    // A memo number of 2^24 in a stream of nine bytes.
    #expect(load([0x80, 2, 0x4E, 0x72, 0, 0, 0, 1, 0x2E], storages: []) == nil)
    // A key of 1024 bytes is read, one of 1025 is not.
    func keyed(_ count: Int) -> [UInt8] {
      [0x80, 2, 0x7D, 0x58, UInt8(count & 255), UInt8(count >> 8), 0, 0] + [UInt8](repeating: 97, count: count) + [0x4E, 0x73, 0x2E]
    }
    #expect(load(keyed(1024), storages: []) != nil && load(keyed(1025), storages: []) == nil)
    // One element of a storage of a megabyte, remembered and listed so often: fine below the limit of tensors, refused above.
    func windows(_ count: Int) -> [UInt8] {
      func text(_ string: String) -> [UInt8] { [0x58, UInt8(string.utf8.count), 0, 0, 0] + Array(string.utf8) }
      let tensor =
        Array("ctorch._utils\n_rebuild_tensor_v2\n".utf8) + [0x28, 0x28] + text("storage") + Array("ctorch\nFloatStorage\n".utf8)
        + text("0") + text("cpu") + [0x4A, 0, 0, 4, 0, 0x74, 0x51, 0x4B, 0] + [0x4B, 1, 0x85, 0x4B, 1, 0x85, 0x89]
        + Array("ccollections\nOrderedDict\n".utf8) + [0x29, 0x52, 0x74, 0x52, 0x71, 0]
      return [0x80, 2, 0x5D, 0x28] + tensor + (1..<count).flatMap { _ in [UInt8(0x68), 0] } + [0x65, 0x2E]
    }
    let storage = [UInt8](repeating: 0, count: 1 << 20)
    #expect(load(windows(TorchLimits.tensors), storages: [storage]) != nil)
    #expect(load(windows(TorchLimits.tensors + 1), storages: [storage]) == nil)
  }
}

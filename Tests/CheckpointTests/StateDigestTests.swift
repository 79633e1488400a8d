import Checkpoint
import Hashing
import Testing
import TorchFormat

@Suite("State digest")
struct StateDigestTests {
  private func digest(_ groups: [(String, TorchValue)], step: Int = 1, run: String = "r", provenance: [(String, TorchValue)] = []) -> Digest
  {
    CheckpointContents(step: step, runID: run, groups: groups, provenance: provenance).stateDigest
  }

  @Test("provenance and the order of keys do not enter, step and every value do")
  func scope() {
    let base: [(String, TorchValue)] = [("a", .dictionary([("x", .int(1)), ("y", .float(2))])), ("b", .bool(true))]
    let expected = digest(base)
    #expect(digest(base, run: "other", provenance: [("host", .string("h"))]) == expected)
    #expect(digest(base.reversed()) == expected)
    #expect(digest([("a", .orderedDictionary([("y", .float(2)), ("x", .int(1))])), ("b", .bool(true))]) == expected)
    #expect(digest(base, step: 2) != expected)
    #expect(digest([("a", .dictionary([("x", .int(1)), ("y", .float(2))])), ("b", .bool(false))]) != expected)
  }

  @Test("values that look alike have different digests")
  func distinct() {
    let values: [TorchValue] = [
      .none, .bool(false), .bool(true), .int(0), .int(1), .float(0), .float(-0.0), .float(1), .float(.nan), .string(""), .string("0"),
      .list([]),
      .dictionary([]), .list([.list([])]), .list([.none]), .list([.int(0)]), .list([.int(0), .int(0)]), .dictionary([("[0]", .int(0))]),
      .dictionary([("0", .int(0))]), .tensor(TorchTensor([Float(0)])), .tensor(TorchTensor([Float(-0.0)])),
      .tensor(TorchTensor([Float(0)], shape: [])),
      .tensor(TorchTensor([Float(0)], shape: [1, 1])), .tensor(TorchTensor([Int32(0)])), .tensor(TorchTensor([Float](), shape: [0])),
      .tensor(TorchTensor([Float](), shape: [0, 1])), .dictionary([("p.q", .none)]), .dictionary([("p", .dictionary([("q", .none)]))]),
      .dictionary([("p\\", .dictionary([("q", .none)]))]), .dictionary([("p\\.q", .none)]),
    ]
    let digests = values.map { digest([("v", $0)]) }.sorted()
    for (first, second) in zip(digests, digests.dropFirst()) { #expect(first != second) }
  }

  @Test("the digest of a known tree does not change from version to version")
  func golden() {
    // Computed by hand in Python: hashlib.sha256 over the list that StateDigest documents.
    #expect(digest([("a", .float(1.5)), ("t", .tensor(TorchTensor([Float(1), 2], shape: [2, 1])))]).hex == goldenDigest)
  }
}

private let goldenDigest = "b151df13c3b635b55efbc20187231e07aa51e0462eb24821b666c1ab20e95ef2"

import Testing

@testable import Neural

@Suite("tree sums")
struct TreeSumTests {
  /// The definition, level by level.
  static func direct<Partial>(_ leaves: [Partial?], join: (Partial, Partial) -> Partial) -> Partial? {
    var level = leaves
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: 2).map { i in
        guard i + 1 < level.count, let right = level[i + 1] else { return level[i] }
        guard let left = level[i] else { return right }
        return join(left, right)
      }
    }
    return level.first ?? nil
  }

  static func folded<Partial>(_ leaves: [Partial?], join: (Partial, Partial) -> Partial) -> Partial? {
    var tree = TreeSum<Partial>()
    for leaf in leaves { tree.add(leaf, join: join) }
    return tree.finish(join: join)
  }

  static func joinNames(_ left: String, _ right: String) -> String { "(\(left)\(right))" }

  @Test("leaves are joined left and right, level by level; a missing child passes the other one through")
  func order() {
    func sum(_ leaves: [String?]) -> String? { Self.folded(leaves, join: Self.joinNames) }
    #expect(sum([]) == nil)
    #expect(sum(["a"]) == "a")
    #expect(sum(["a", "b"]) == "(ab)")
    #expect(sum(["a", "b", "c"]) == "((ab)c)")
    #expect(sum(["a", "b", "c", "d", "e"]) == "(((ab)(cd))e)")
    #expect(sum(["a", "b", "c", "d", "e", "f", "g"]) == "(((ab)(cd))((ef)g))")
    #expect(sum([nil, "b", "c", nil, nil, nil, nil, "h"]) == "((bc)h)")
    #expect(sum([nil, nil]) == nil)
  }

  @Test("any number of leaves, with and without skipped ones, in names, floats and doubles")
  func definition() {
    for count in 0...70 {
      for gap in [0, 2, 3, 5] {
        let present = (0..<count).map { gap == 0 || ($0 * 7 + 3) % gap != 0 }
        let names = (0..<count).map { present[$0] ? "\($0)," : nil }
        #expect(Self.folded(names, join: Self.joinNames) == Self.direct(names, join: Self.joinNames))
        let floats = (0..<count).map { present[$0] ? 1 / Float($0 + 1) : nil }
        #expect(Self.folded(floats, join: +)?.bitPattern == Self.direct(floats, join: +)?.bitPattern)
        let doubles = (0..<count).map { present[$0] ? 1 / Double($0 + 1) : nil }
        #expect(Self.folded(doubles, join: +)?.bitPattern == Self.direct(doubles, join: +)?.bitPattern)
      }
    }
  }

  @Test("nothing is added to a leaf that passes through: a negative zero keeps its sign")
  func passing() {
    #expect(Self.folded([-0.0], join: +)?.sign == .minus)
    #expect(Self.folded([nil, -0.0, nil, nil], join: +)?.sign == .minus)
  }

  @Test("aligned groups of leaves may be summed apart and joined as leaves of a smaller tree")
  func placement() {
    for count in [1, 5, 8, 13, 16] {
      let leaves = (0..<count).map { "\($0)," as String? }
      for group in [1, 2, 4, 8] {
        let parts = stride(from: 0, to: count, by: group).map { first in
          Self.folded(Array(leaves[first..<min(first + group, count)]), join: Self.joinNames)
        }
        #expect(Self.folded(parts, join: Self.joinNames) == Self.folded(leaves, join: Self.joinNames))
      }
    }
  }

  @Test("finishing starts again; never more partials than bits of the count")
  func restart() {
    var tree = TreeSum<Int>()
    for _ in 0..<3 {
      var live = 0
      for leaf in 1...16 {
        live += 1
        #expect(live <= 5)
        tree.add(leaf) {
          live -= 1
          return $0 + $1
        }
        #expect(live == tree.count.nonzeroBitCount)
      }
      #expect(tree.finish(join: +) == 136)
      #expect(tree.count == 0)
    }
  }

  @Test("blocks are contiguous, of equal size rounded up; empty ones are left out")
  func blocks() {
    #expect((0..<10).blocks(1) == [0..<10])
    #expect((3..<13).blocks(4) == [3..<6, 6..<9, 9..<12, 12..<13])
    #expect((0..<5).blocks(4) == [0..<2, 2..<4, 4..<5])
    #expect((7..<9).blocks(8) == [7..<8, 8..<9])
    #expect((7..<7).blocks(4) == [])
    for count in 1...40 {
      for blocks in [1, 2, 4, 8, 16, 1024] {
        let size = (count + blocks - 1) / blocks
        let expected = (0..<blocks).map { min($0 * size, count)..<min(($0 + 1) * size, count) }
        #expect((0..<count).blocks(blocks) == expected.filter { !$0.isEmpty })
      }
    }
  }

  @Test("sums of gradients take log2(leaves) + 1 buffers", arguments: [(1, 1), (2, 2), (4, 3), (8, 4), (16, 5), (13, 4)])
  func buffers(leaves: Int, expected: Int) {
    let network = Network(.mlp(hidden: [16]), observationSize: 3, actionCount: 2)
    let buffers = TrainingBuffers(network, rows: 1)
    let zeros = [Float](repeating: 0, count: network.layout.storedCount)
    buffers.load(
      parameters: network.initialParameters(seed: 1).span, firstMoments: zeros.span, secondMoments: zeros.span)
    var logits: [Float] = [0, 0]
    var values: [Float] = [0]
    var gradients = zeros
    for _ in 0..<3 {
      for _ in 0..<leaves {
        buffers.forward(observations: [0.1, 0.2, 0.3], states: [], masks: [], order: [0], range: 0..<1, logits: &logits, values: &values)
        buffers.addBackward(logitGradients: [Float](repeating: 1, count: 2).span, valueGradients: [Float](repeating: 1, count: 1).span)
      }
      let norm = buffers.finishSum()
      buffers.copyGradients(into: &gradients)
      #expect(norm == AdamW.norm(of: gradients.span))
      #expect(buffers.gradientBufferCount == expected)
    }
  }
}

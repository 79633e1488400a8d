import Testing
import TorchFormat

@testable import Checkpoint

@Suite("Checkpoint difference")
struct CheckpointDifferenceTests {
  private func contents(_ groups: [(String, TorchValue)], step: Int = 1, run: String = "r") -> CheckpointContents {
    CheckpointContents(step: step, runID: run, groups: groups, provenance: [("host", .string(run))])
  }

  private func difference(_ left: TorchValue, _ right: TorchValue) -> CheckpointDifference {
    CheckpointDifference(contents([("g", left)]), contents([("g", right)]))
  }

  @Test("equal states have no difference, whatever their provenance, order of keys and kind of dictionary")
  func equal() {
    let left = contents([("a", .dictionary([("x", .int(1)), ("e", .dictionary([]))])), ("b", .float(.nan))])
    let right = contents(
      [("b", .float(.nan)), ("a", .orderedDictionary([("e", .orderedDictionary([])), ("x", .int(1))]))], run: "other")
    let found = CheckpointDifference(left, right)
    #expect(found.isEmpty && left.stateDigest == right.stateDigest)
    #expect(found.sections.allSatisfy { $0.differing == 0 && $0.presence == .both && $0.largest == nil })
    #expect(found.sections.map(\.name) == ["step", "a", "a.x", "a.e", "b"])
  }

  @Test("the first differing item is the first in file order, with the element and both values")
  func first() throws {
    let found = CheckpointDifference(sample(step: 2), sample(step: 4))
    #expect(found.first == CheckpointDifference.Item(path: "step", element: nil, left: "2", right: "4"))
    let left = TorchValue.dictionary([("w", .tensor(TorchTensor([Float(1), 2, 3, 4], shape: [2, 2]))), ("n", .int(1))])
    let right = TorchValue.dictionary([("n", .int(2)), ("w", .tensor(TorchTensor([Float(1), 2, 3.5, 2], shape: [2, 2])))])
    let item = try #require(difference(left, right).first)
    #expect(item == CheckpointDifference.Item(path: "g.w", element: 2, left: "3.0", right: "3.5"))
  }

  @Test("sections count differing elements and know the largest absolute difference")
  func sections() {
    let left = TorchValue.dictionary([("w", .tensor(TorchTensor([Float(1), 2, 3, 0]))), ("n", .list([.int(1), .int(7)]))])
    let right = TorchValue.dictionary([("w", .tensor(TorchTensor([Float(1), 2.5, 1, -0.0]))), ("n", .list([.int(1), .int(4)]))])
    let sections = difference(left, right).sections
    #expect(sections.map(\.name) == ["step", "g", "g.w", "g.n"])
    #expect(sections.map(\.depth) == [1, 1, 2, 2])
    #expect(sections.map(\.elements) == [1, 6, 4, 2])
    #expect(sections.map(\.differing) == [0, 4, 3, 1])
    #expect(sections.map(\.largest) == [nil, 3, 2, 3])
  }

  @Test("what one side lacks is named and counted with all its elements")
  func oneSided() {
    let left = contents([("a", .dictionary([("x", .int(1)), ("t", .tensor(TorchTensor([1.0, 2.0])))]))])
    let right = contents([("a", .dictionary([("x", .int(1)), ("y", .bool(true))])), ("b", .none)])
    let found = CheckpointDifference(left, right)
    #expect(found.first == CheckpointDifference.Item(path: "a.t", element: nil, left: "float64[2]", right: nil))
    #expect(found.sections.map(\.name) == ["step", "a", "a.x", "a.t", "a.y", "b"])
    #expect(found.sections.map(\.presence) == [.both, .both, .both, .left, .right, .right])
    #expect(found.sections.map(\.differing) == [0, 3, 0, 2, 1, 1])
  }

  @Test("values of another type or shape differ as a whole")
  func types() {
    let tensor = TorchTensor([Float(0), 0])
    let pairs: [(TorchValue, TorchValue, Int)] = [
      (.int(0), .float(0), 1), (.bool(false), .none, 1), (.tensor(tensor), .tensor(TorchTensor([Float(0), 0], shape: [2, 1])), 2),
      (.tensor(tensor), .tensor(TorchTensor([0.0, 0.0])), 2), (.float(0), .float(-0.0), 1), (.list([]), .dictionary([]), 1),
      (.dictionary([]), .dictionary([("x", .none)]), 2),
      (.tensor(TorchTensor([Float](), shape: [0])), .tensor(TorchTensor([Float](), shape: [0, 1])), 1),
    ]
    for (left, right, count) in pairs {
      let found = difference(left, right)
      #expect(!found.isEmpty && found.sections[1].differing == count, "\(left) and \(right)")
    }
  }

  @Test("texts are shown from the first differing byte on; NaN is the largest difference")
  func textsAndNaN() {
    let texts = difference(.string("{\n  a: 1,\n  b: 2\n}"), .string("{\n  a: 1,\n  b: 3\n}"))
    #expect(texts.first == CheckpointDifference.Item(path: "g", element: 15, left: "2", right: "3"))
    let numbers = difference(.tensor(TorchTensor([1.0, 2.0, 3.0])), .tensor(TorchTensor([2.0, .nan, 9.0])))
    #expect(numbers.sections[1].largest?.isNaN == true && numbers.sections[1].differing == 3)
  }
}

import TorchFormat

/// Where two states differ. Equal if and only if their `stateDigest` is: provenance, the order of keys and the kind of a dictionary do not enter.
///
/// Items are compared in the order of the left file; what only the right one has follows.
public struct CheckpointDifference: Equatable, Sendable {
  /// The sides that have something.
  public enum Presence: String, Equatable, Sendable {
    case both
    case left
    case right
  }

  /// One differing value.
  public struct Item: Equatable, Sendable {
    /// Keys joined by dots and `[n]` for elements of lists.
    public let path: String
    /// Row-major index of the first differing element of a tensor, or of the first differing byte of a text; nil for other values.
    public let element: Int?
    /// The left value or element; nil if only the right side has the item.
    public let left: String?
    /// The right value or element; nil if only the left side has the item.
    public let right: String?
  }

  /// The values below a top-level group, or below one of its entries.
  public struct Section: Equatable, Sendable {
    /// Path of the group or entry.
    public let name: String
    /// 1 = a group, 2 = an entry of the group before it.
    public let depth: Int
    /// Which sides have it.
    public internal(set) var presence: Presence
    /// Elements of its tensors, and one for every other value, over both sides.
    public internal(set) var elements = 0
    /// Those that differ; all elements of a value that one side lacks or that has another type or shape.
    public internal(set) var differing = 0
    /// The largest absolute difference of two numbers, NaN if one of them is; nil where no two numbers differ.
    public internal(set) var largest: Double?

    mutating func add(_ comparison: ValueComparison, _ side: Presence) {
      if presence != side { presence = .both }
      elements += comparison.elements
      differing += comparison.differing
      if let value = comparison.largest { largest = larger(largest, value) }
    }
  }

  /// The first item that differs; nil if the states are equal.
  public let first: Item?
  /// All groups, each followed by its entries.
  public let sections: [Section]

  /// Whether the rest of the training is the same.
  public var isEmpty: Bool { first == nil }

  /// Compares two states.
  public init(_ left: CheckpointContents, _ right: CheckpointContents) {
    let (leftLeaves, rightLeaves) = (StateLeaf.all(of: left), StateLeaf.all(of: right))
    let onRight = Dictionary(rightLeaves.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    let leftKeys = Set(leftLeaves.map(\.key))
    var table = SectionTable()
    var first: Item?
    for leaf in leftLeaves {
      let other = onRight[leaf.key]
      let comparison = ValueComparison(leaf.value, other)
      table.add(leaf, comparison, other == nil ? .left : .both)
      if first == nil, comparison.differing > 0 {
        first = Item(path: leaf.path, element: comparison.element, left: comparison.left, right: comparison.right)
      }
    }
    for leaf in rightLeaves where !leftKeys.contains(leaf.key) {
      let comparison = ValueComparison(nil, leaf.value)
      table.add(leaf, comparison, .right)
      if first == nil { first = Item(path: leaf.path, element: nil, left: nil, right: comparison.right) }
    }
    self.first = first
    sections = table.ordered
  }
}

/// Sections by name, in the order in which their groups were met.
private struct SectionTable {
  private var groups: [(section: CheckpointDifference.Section, entries: [CheckpointDifference.Section])] = []
  /// Place of a group; place of an entry in its group.
  private var groupIndex: [String: Int] = [:]
  private var entryIndex: [String: Int] = [:]

  mutating func add(_ leaf: StateLeaf, _ comparison: ValueComparison, _ side: CheckpointDifference.Presence) {
    let group = groupIndex[leaf.group, default: groups.count]
    if group == groups.count {
      groupIndex[leaf.group] = group
      groups.append((CheckpointDifference.Section(name: leaf.group, depth: 1, presence: side), []))
    }
    groups[group].section.add(comparison, side)
    guard let name = leaf.entry else { return }
    let entry = entryIndex[name, default: groups[group].entries.count]
    if entry == groups[group].entries.count {
      entryIndex[name] = entry
      groups[group].entries.append(CheckpointDifference.Section(name: name, depth: 2, presence: side))
    }
    groups[group].entries[entry].add(comparison, side)
  }

  var ordered: [CheckpointDifference.Section] { groups.flatMap { [$0.section] + $0.entries } }
}

/// One value that is no container, or an empty container, with its place.
private struct StateLeaf {
  /// The unique path of `StateDigest`.
  let key: [UInt8]
  /// The same for people.
  let path: String
  let group: String
  /// Path of the second level; nil for a group that is itself a value.
  let entry: String?
  let value: TorchValue

  /// In file order; the step comes first.
  static func all(of contents: CheckpointContents) -> [StateLeaf] {
    var leaves: [StateLeaf] = []
    for (name, value) in [(CheckpointContents.stepName, .int(contents.step))] + contents.groups {
      collect(value, key: StateDigest.escaped(name), path: name, group: name, entry: nil, &leaves)
    }
    return leaves
  }

  private static func collect(
    _ value: TorchValue, key: [UInt8], path: String, group: String, entry: String?, _ leaves: inout [StateLeaf]
  ) {
    func descend(_ child: TorchValue, _ keySuffix: [UInt8], _ pathSuffix: String) {
      let path = path + pathSuffix
      collect(child, key: key + keySuffix, path: path, group: group, entry: entry ?? path, &leaves)
    }
    if let entries = value.entries, !entries.isEmpty {
      for (name, child) in entries { descend(child, [UInt8(ascii: ".")] + StateDigest.escaped(name), "." + name) }
    } else if case .list(let values) = value, !values.isEmpty {
      for (index, child) in values.enumerated() { descend(child, Array("[\(index)]".utf8), "[\(index)]") }
    } else {
      leaves.append(StateLeaf(key: key, path: path, group: group, entry: entry, value: value))
    }
  }
}

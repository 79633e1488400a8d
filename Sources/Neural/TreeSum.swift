/// A sum in the order of a fixed binary tree over numbered leaves, folded as they come.
///
/// Leaves 2i and 2i + 1 are joined left + right, the results again, level by level. A node without a right (or left) child passes the other
/// one through: nothing is added to it, so its bits stay. The order depends on the leaves' numbers alone; 2^k leaves from a multiple of 2^k
/// on are one subtree, whose sum may be taken elsewhere and joined as one leaf of a tree k levels lower.
///
/// The fold is a binary counter. It holds one partial for each bit that is set in `count`: at most log2(leaves) besides the leaf that is
/// being added, so log2(leaves) + 1 buffers suffice for partials that are buffers.
public struct TreeSum<Partial> {
  /// Sum of the newest complete subtree of 2^level leaves; nil if all its leaves were skipped, or its bit of `count` is 0.
  private var levels: [Partial?] = []
  /// Leaves so far, with the skipped ones.
  public private(set) var count = 0

  /// No leaves.
  public init() {}

  /// Adds the next leaf; nil skips it. `join` gives left + right and may reuse either.
  public mutating func add(_ leaf: consuming Partial?, join: (Partial, Partial) -> Partial) {
    var carry = leaf
    var level = 0
    // Adding 1 to a counter carries through its trailing ones.
    while count >> level & 1 == 1 {
      carry = Self.joined(levels[level], carry, join)
      levels[level] = nil
      level += 1
    }
    if level == levels.count { levels.append(carry) } else { levels[level] = carry }
    count += 1
  }

  /// The sum of all leaves, nil without any; starts again from no leaves.
  public mutating func finish(join: (Partial, Partial) -> Partial) -> Partial? {
    var sum: Partial?
    // Lower levels hold later leaves.
    for level in levels.indices {
      sum = Self.joined(levels[level], sum, join)
      levels[level] = nil
    }
    count = 0
    return sum
  }

  private static func joined(_ left: Partial?, _ right: Partial?, _ join: (Partial, Partial) -> Partial) -> Partial? {
    guard let left else { return right }
    guard let right else { return left }
    return join(left, right)
  }
}

extension TreeSum: Sendable where Partial: Sendable {}

extension Range<Int> {
  /// The range in `count` contiguous blocks of equal size, rounded up: the last one may be shorter, and those after it are left out.
  public func blocks(_ count: Int) -> [Range<Int>] {
    precondition(count >= 1, "no blocks")
    guard !isEmpty else { return [] }
    let size = (self.count + count - 1) / count
    return stride(from: lowerBound, to: upperBound, by: size).map { $0..<Swift.min($0 + size, upperBound) }
  }
}

/// The world of one rank: a run without a launcher, and most tests.
public struct SingleRank: Communicator, Sendable {
  /// Always 0.
  public var rank: Int { 0 }
  /// Always 1.
  public var size: Int { 1 }

  /// The only rank of its world.
  public init() {}

  /// Leaves `bytes` as they are.
  public func broadcast(_ bytes: inout [UInt8], root: Int) throws(RanksError) {
    precondition(root == 0, "root outside 0 ..< 1")
  }

  /// Leaves `floats` as they are.
  public func broadcast(_ floats: inout [Float], root: Int) throws(RanksError) {
    precondition(root == 0, "root outside 0 ..< 1")
  }

  /// Leaves `words` as they are.
  public func bitwiseOr(_ words: inout [UInt64]) throws(RanksError) {}

  /// `[bytes]`.
  public func gather(_ bytes: [UInt8], root: Int) throws(RanksError) -> [[UInt8]] {
    precondition(root == 0, "root outside 0 ..< 1")
    return [bytes]
  }

  /// Returns at once.
  public func barrier() throws(RanksError) {}

  /// Does nothing: there is no other rank to stop, and the caller reports its own error.
  public func abort(code: Int32) {}
}

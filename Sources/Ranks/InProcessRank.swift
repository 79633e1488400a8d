/// One rank of an `InProcessWorld`.
public struct InProcessRank: Communicator, Sendable {
  private let world: InProcessWorld
  /// Number of this rank.
  public let rank: Int
  /// Number of ranks.
  public var size: Int { world.size }

  init(world: InProcessWorld, rank: Int) {
    self.world = world
    self.rank = rank
  }

  /// See `Communicator`.
  public func broadcast(_ bytes: inout [UInt8], root: Int) throws(RanksError) {
    checkRoot(root)
    let call = RankCall.broadcastBytes(rank == root ? bytes : [], root: root)
    if case .bytes(let sent) = try meet(call), rank != root { bytes = sent }
  }

  /// See `Communicator`; different counts are noticed.
  public func broadcast(_ floats: inout [Float], root: Int) throws(RanksError) {
    checkRoot(root)
    if case .floats(let sent) = try meet(.broadcastFloats(floats, root: root)), rank != root { floats = sent }
  }

  /// See `Communicator`; different counts are noticed.
  public func bitwiseOr(_ words: inout [UInt64]) throws(RanksError) {
    if case .words(let combined) = try meet(.bitwiseOr(words)) { words = combined }
  }

  /// See `Communicator`.
  public func gather(_ bytes: [UInt8], root: Int) throws(RanksError) -> [[UInt8]] {
    checkRoot(root)
    guard case .parts(let parts) = try meet(.gather(bytes, root: root)), rank == root else { return [] }
    return parts
  }

  /// See `Communicator`.
  public func barrier() throws(RanksError) { _ = try meet(.barrier) }

  /// Makes the pending and later operations of all ranks fail with `.aborted`.
  public func abort(code: Int32) {
    world.breakUp(.aborted, detail: "rank \(rank) aborted with code \(code)")
  }

  private func meet(_ call: RankCall) throws(RanksError) -> RankReply {
    let reply = try world.meet(rank: rank, call)
    if case .mismatch(let detail) = reply { throw RanksError(.mismatch, rank: rank, operation: call.name, detail: detail) }
    return reply
  }

  private func checkRoot(_ root: Int) {
    precondition(root >= 0 && root < size, "root outside 0 ..< size")
  }
}

/// What the ranks of one run can say to each other.
///
/// All operations but `abort` are collective: every rank calls the same ones in the same order, with the same root. None of them
/// does arithmetic on floating-point numbers, so what arrives has the bits that were sent, on any number of ranks.
/// A communicator belongs to one thread.
public protocol Communicator {
  /// Number of this rank, 0 ..< size.
  var rank: Int { get }
  /// Number of ranks, at least 1.
  var size: Int { get }

  /// Replaces `bytes` by those of `root`. Only the root's length counts; it is told to the others first.
  ///
  /// - Throws: `RanksError` when a rank is lost, the transport fails or the payload exceeds `CommunicatorLimits`.
  func broadcast(_ bytes: inout [UInt8], root: Int) throws(RanksError)

  /// Replaces `floats` by those of `root`, bit for bit. The count must be the same on all ranks.
  ///
  /// - Throws: `RanksError` when a rank is lost or the transport fails; `.mismatch` where different counts can be noticed.
  func broadcast(_ floats: inout [Float], root: Int) throws(RanksError)

  /// `words[i]` = bitwise OR over all ranks of `words[i]`. The count must be the same on all ranks.
  ///
  /// With slots that one rank fills and the others leave zero this is an exchange which is exact for every bit pattern.
  ///
  /// - Throws: as `broadcast(_:root:)` of floats.
  func bitwiseOr(_ words: inout [UInt64]) throws(RanksError)

  /// Collects the bytes of all ranks on `root`, in rank order; lengths may differ and may be 0. Returns `[]` on the other ranks.
  ///
  /// - Throws: as `broadcast(_:root:)` of bytes.
  func gather(_ bytes: [UInt8], root: Int) throws(RanksError) -> [[UInt8]]

  /// Returns when all ranks have called it.
  ///
  /// - Throws: `RanksError` when a rank is lost or the transport fails.
  func barrier() throws(RanksError)

  /// Ends the world, so that no rank waits for this one. Under MPI the processes of all ranks end with `code` and the call does not
  /// return; elsewhere the operations of the other ranks fail with `.aborted` and the caller goes on to report its own error.
  func abort(code: Int32)
}

import CMPI
import Ranks

/// A `Communicator` over MPI.
///
/// Not Sendable on purpose: MPI runs at MPI_THREAD_FUNNELED, all calls come from the thread that opened the session.
public final class MPICommunicator: Communicator {
  /// Number of this rank.
  public let rank: Int
  /// Number of ranks.
  public let size: Int
  /// The C side's world; freed and set to nil by `close()`.
  private var handle: OpaquePointer?

  init() throws(RanksError) {
    var handle: OpaquePointer?
    var rank: Int32 = 0
    var size: Int32 = 0
    let status = cmpi_initialize(&handle, &rank, &size)
    guard status == CMPI_OK, let handle else { throw Self.failure(status, rank: 0, operation: "MPI_Init") }
    self.rank = Int(rank)
    self.size = Int(size)
    self.handle = handle
  }

  /// See `Communicator`; long payloads travel in pieces of 16 MiB.
  public func broadcast(_ bytes: inout [UInt8], root: Int) throws(RanksError) {
    checkRoot(root)
    var length = Int64(bytes.count)
    let told = withUnsafeMutableBytes(of: &length) { cmpi_broadcast(world, $0.baseAddress, 8, Int32(root)) }
    try check(told, "broadcast")
    let count = try checkedLength(length, "broadcast")
    if rank != root, bytes.count != count { bytes = [UInt8](repeating: 0, count: count) }
    let sent = bytes.withUnsafeMutableBytes { cmpi_broadcast(world, $0.baseAddress, length, Int32(root)) }
    try check(sent, "broadcast")
  }

  /// See `Communicator`.
  public func broadcast(_ floats: inout [Float], root: Int) throws(RanksError) {
    checkRoot(root)
    let status = floats.withUnsafeMutableBytes { cmpi_broadcast(world, $0.baseAddress, Int64($0.count), Int32(root)) }
    try check(status, "broadcast")
  }

  /// See `Communicator`: MPI_Allreduce with MPI_BOR.
  public func bitwiseOr(_ words: inout [UInt64]) throws(RanksError) {
    let status = words.withUnsafeMutableBufferPointer { cmpi_bitwise_or(world, $0.baseAddress, Int64($0.count)) }
    try check(status, "bitwiseOr")
  }

  /// See `Communicator`. Sizes travel first as 64-bit numbers; the root then receives rank after rank into its final array.
  public func gather(_ bytes: [UInt8], root: Int) throws(RanksError) -> [[UInt8]] {
    checkRoot(root)
    var lengths = [Int64](repeating: 0, count: rank == root ? size : 0)
    let told = lengths.withUnsafeMutableBufferPointer { cmpi_gather_i64(world, Int64(bytes.count), $0.baseAddress, Int32(root)) }
    try check(told, "gather")
    guard rank == root else {
      let sent = bytes.withUnsafeBytes { cmpi_send(world, $0.baseAddress, Int64($0.count), Int32(root)) }
      try check(sent, "gather")
      return []
    }
    var parts: [[UInt8]] = []
    parts.reserveCapacity(size)
    for source in 0..<size {
      if source == root {
        parts.append(bytes)
        continue
      }
      let count = try checkedLength(lengths[source], "gather")
      var status: Int32 = 0
      parts.append(
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
          status = cmpi_receive(world, buffer.baseAddress, Int64(count), Int32(source))
          initialized = status == CMPI_OK ? count : 0
        })
      try check(status, "gather")
    }
    return parts
  }

  /// See `Communicator`.
  public func barrier() throws(RanksError) { try check(cmpi_barrier(world), "barrier") }

  /// Ends all ranks with `code`; does not return.
  public func abort(code: Int32) { _ = cmpi_abort(world, code) }

  /// Ends MPI. Collective; a second call does nothing.
  func close() throws(RanksError) {
    guard let handle else { return }
    self.handle = nil
    try check(cmpi_finalize(handle), "MPI_Finalize")
  }

  /// False after `close()`.
  var isOpen: Bool { handle != nil }

  private var world: OpaquePointer {
    guard let handle else { preconditionFailure("MPI was finalized") }
    return handle
  }

  private func checkRoot(_ root: Int) {
    precondition(root >= 0 && root < size, "root outside 0 ..< size")
  }

  private func checkedLength(_ length: Int64, _ operation: String) throws(RanksError) -> Int {
    guard length >= 0, length <= Int64(CommunicatorLimits.payloadBytesMax) else {
      let detail = "payload of \(length) bytes, allowed are 0 ... \(CommunicatorLimits.payloadBytesMax)"
      throw RanksError(.limit, rank: rank, operation: operation, detail: detail)
    }
    return Int(length)
  }

  private func check(_ status: Int32, _ operation: String) throws(RanksError) {
    if status != CMPI_OK { throw Self.failure(status, rank: rank, operation: operation) }
  }

  private static func failure(_ status: Int32, rank: Int, operation: String) -> RanksError {
    var text = [CChar](repeating: 0, count: 512)
    let length = text.withUnsafeMutableBufferPointer { buffer in
      // Never nil: the buffer is not empty.
      buffer.baseAddress.map { cmpi_error_text(status, $0, Int32(buffer.count)) } ?? 0
    }
    let message = String(decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return RanksError(.transport, rank: rank, operation: operation, detail: "\(message) (MPI status \(status))")
  }
}

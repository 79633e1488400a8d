/// What one rank brings to a rendezvous of `InProcessWorld`.
enum RankCall: Sendable {
  case broadcastBytes([UInt8], root: Int)
  case broadcastFloats([Float], root: Int)
  case bitwiseOr([UInt64])
  case gather([UInt8], root: Int)
  case barrier

  /// Name of the operation as errors print it.
  var name: String {
    switch self {
    case .broadcastBytes, .broadcastFloats: "broadcast"
    case .bitwiseOr: "bitwiseOr"
    case .gather: "gather"
    case .barrier: "barrier"
    }
  }

  /// The reply to `calls`, one per rank in rank order.
  static func combine(_ calls: [RankCall]) -> RankReply {
    let shape = calls[0].shape
    for (rank, call) in calls.enumerated() where call.shape != shape {
      return .mismatch("rank 0 calls \(shape), rank \(rank) calls \(call.shape)")
    }
    switch calls[0] {
    case .broadcastBytes(_, let root):
      if case .broadcastBytes(let bytes, _) = calls[root] { return .bytes(bytes) }
    case .broadcastFloats(_, let root):
      if case .broadcastFloats(let floats, _) = calls[root] { return .floats(floats) }
    case .bitwiseOr(var words):
      for case .bitwiseOr(let others) in calls.dropFirst() {
        for i in words.indices { words[i] |= others[i] }
      }
      return .words(words)
    case .gather:
      return .parts(calls.map { if case .gather(let bytes, _) = $0 { bytes } else { [] } })
    case .barrier:
      return .nothing
    }
    preconditionFailure("calls of one shape are of one kind")
  }

  /// Operation, root and, where they must agree, extents.
  private var shape: String {
    switch self {
    case .broadcastBytes(_, let root): "broadcast of bytes from rank \(root)"
    case .broadcastFloats(let floats, let root): "broadcast of \(floats.count) floats from rank \(root)"
    case .bitwiseOr(let words): "bitwiseOr of \(words.count) words"
    case .gather(_, let root): "gather on rank \(root)"
    case .barrier: "barrier"
    }
  }
}

/// The outcome of a rendezvous, the same for all ranks.
enum RankReply: Sendable {
  case nothing
  case bytes([UInt8])
  case floats([Float])
  case words([UInt64])
  case parts([[UInt8]])
  case mismatch(String)
}

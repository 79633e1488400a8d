/// Several ranks as threads of one process, for tests.
///
/// Ranks meet in a *rendezvous*: each leaves its call, the last to come works out the reply of all, and each takes it.
/// A rendezvous completes only when all ranks have left the one before, so one reply at a time is enough.
///
/// Invariants, under the monitor:
/// - `arrived` counts the non-nil `calls` and is below `size` between rendezvous.
/// - `round` grows by one per completed rendezvous; `reply` belongs to the last one.
/// - once `broken` is set it stays, and no rendezvous starts or completes any more.
///
/// Sendable: every mutable member is read and written under `monitor` only.
public final class InProcessWorld: @unchecked Sendable {
  /// Number of ranks.
  public let size: Int

  private let monitor = Monitor()
  private var calls: [RankCall?]
  private var arrived = 0
  private var round = 0
  private var reply = RankReply.nothing
  private var broken: (code: RanksError.Code, detail: String)?

  /// A world of `size` ranks.
  public init(size: Int) {
    precondition(size >= 1, "a world has at least one rank")
    self.size = size
    self.calls = Array(repeating: nil, count: size)
  }

  /// The communicator of `rank`, to be used by one thread.
  public func member(_ rank: Int) -> InProcessRank {
    precondition(rank >= 0 && rank < size, "rank outside the world")
    return InProcessRank(world: self, rank: rank)
  }

  /// Takes part in the next rendezvous with `call` and returns its reply.
  func meet(rank: Int, _ call: RankCall) throws(RanksError) -> RankReply {
    try monitor.locked { () throws(RanksError) -> RankReply in
      if let broken { throw error(broken, rank: rank, call: call) }
      precondition(calls[rank] == nil, "a rank is used by two threads")
      calls[rank] = call
      arrived += 1
      if arrived == size {
        reply = RankCall.combine(calls.compactMap(\.self))
        calls = Array(repeating: nil, count: size)
        arrived = 0
        round += 1
        monitor.wakeAll()
        return reply
      }
      let entered = round
      while round == entered {
        if let broken {
          calls[rank] = nil
          arrived -= 1
          throw error(broken, rank: rank, call: call)
        }
        monitor.wait()
      }
      return reply
    }
  }

  /// Makes all pending and later operations fail. The first cause stays.
  func breakUp(_ code: RanksError.Code, detail: String) {
    monitor.locked {
      if broken == nil { broken = (code, detail) }
      monitor.wakeAll()
    }
  }

  private func error(_ cause: (code: RanksError.Code, detail: String), rank: Int, call: RankCall) -> RanksError {
    RanksError(cause.code, rank: rank, operation: call.name, detail: cause.detail)
  }
}

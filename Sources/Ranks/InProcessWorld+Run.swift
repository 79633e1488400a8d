import Glibc

/// Failures of the ranks of one `InProcessWorld.run`.
public struct InProcessFailure: Error, CustomStringConvertible {
  /// The ranks that failed and their errors, in rank order.
  public let failures: [(rank: Int, error: any Error)]

  /// One line per failed rank.
  public var description: String {
    failures.map { "rank \($0.rank): \($0.error)" }.joined(separator: "\n")
  }
}

extension InProcessWorld {
  /// Runs `body` once per rank of a fresh world, each on its own thread, and returns the results in rank order.
  ///
  /// A body that ends, with or without an error, leaves the world: ranks that still wait for it fail with `.rankLost`.
  ///
  /// - Throws: `InProcessFailure` with the errors of all ranks that failed.
  public static func run<Value: Sendable>(
    size: Int, _ body: @escaping @Sendable (InProcessRank) throws -> Value
  ) throws -> [Value] {
    let outcomes = outcomes(size: size, body)
    var failures: [(rank: Int, error: any Error)] = []
    var values: [Value] = []
    for (rank, outcome) in outcomes.enumerated() {
      switch outcome {
      case .success(let value): values.append(value)
      case .failure(let error): failures.append((rank, error))
      }
    }
    if !failures.isEmpty { throw InProcessFailure(failures: failures) }
    return values
  }

  /// As `run`, but returns what became of each rank.
  public static func outcomes<Value: Sendable>(
    size: Int, _ body: @escaping @Sendable (InProcessRank) throws -> Value
  ) -> [Result<Value, any Error>] {
    let world = InProcessWorld(size: size)
    let boxes = (0..<size).map { _ in OutcomeBox<Value>() }
    let threads = (0..<size).map { rank in
      let member = world.member(rank)
      let box = boxes[rank]
      return RankThread {
        box.outcome = Result { try body(member) }
        world.breakUp(.rankLost, detail: "rank \(rank) ended while others waited for it")
      }
    }
    for thread in threads { thread.join() }
    return boxes.map { box in
      guard let outcome = box.outcome else { preconditionFailure("a joined thread has set its outcome") }
      return outcome
    }
  }
}

/// Where a thread leaves its outcome.
///
/// Sendable: written by one thread, read by another only after joining it.
private final class OutcomeBox<Value: Sendable>: @unchecked Sendable {
  var outcome: Result<Value, any Error>?
}

/// A joinable thread.
private struct RankThread {
  private let handle: pthread_t

  init(_ work: @escaping @Sendable () -> Void) {
    // The thread takes over the one reference that is passed through C.
    let argument = Unmanaged.passRetained(Work(run: work)).toOpaque()
    var handle = pthread_t()
    let status = pthread_create(
      &handle, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument)
    precondition(status == 0, "pthread_create failed")
    self.handle = handle
  }

  func join() {
    let status = pthread_join(handle, nil)
    precondition(status == 0, "pthread_join failed")
  }
}

/// A closure with an address.
private final class Work: Sendable {
  let run: @Sendable () -> Void
  init(run: @escaping @Sendable () -> Void) { self.run = run }
}

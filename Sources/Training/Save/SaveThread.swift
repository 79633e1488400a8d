import Dispatch
import Synchronization

/// The one thread of the program besides each rank's own: rank 0's checkpoint writer.
///
/// It runs one job at a time and hands over values only: what goes in belongs to the job until its outcome is taken. Nothing else in the program
/// may start a thread; all messages between ranks stay with the main thread.
final class SaveThread<Outcome: Sendable> {
  /// Where the job leaves its outcome.
  private final class Slot: Sendable {
    let outcome = Mutex<Outcome?>(nil)
    let ended = DispatchSemaphore(value: 0)
  }

  /// Nil: jobs run within `start`.
  private let queue: DispatchQueue?
  private let slot = Slot()
  /// Whether a job was started of which the outcome was not taken.
  private(set) var isBusy = false

  /// - Parameter isAsynchronous: false runs every job within `start`, with the same outcome.
  init(isAsynchronous: Bool) {
    queue = isAsynchronous ? DispatchQueue(label: "ppo-chunked.checkpoints") : nil
  }

  /// Begins a job. The outcome of the one before must have been taken.
  func start(_ job: @escaping @Sendable () -> Outcome) {
    precondition(!isBusy, "one save at a time")
    isBusy = true
    let work: @Sendable () -> Void = { [slot] in
      let outcome = job()
      slot.outcome.withLock { $0 = outcome }
      slot.ended.signal()
    }
    if let queue { queue.async(execute: work) } else { work() }
  }

  /// The outcome of the job in progress, nil if there is none or it takes longer than `seconds`.
  func take(waiting seconds: Double = 0) -> Outcome? {
    guard isBusy, slot.ended.wait(timeout: .now() + seconds) == .success else { return nil }
    isBusy = false
    return slot.outcome.withLock { outcome in
      defer { outcome = nil }
      return outcome
    }
  }
}

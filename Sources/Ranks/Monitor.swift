import Glibc

/// A mutex with one condition, over pthreads.
///
/// Sendable: both objects are made for use by several threads and live as long as the monitor.
final class Monitor: @unchecked Sendable {
  // Stored pointers: pthread objects must not move, and this class is their only owner.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    mutex.initialize(to: pthread_mutex_t())
    condition.initialize(to: pthread_cond_t())
    check(pthread_mutex_init(mutex, nil))
    check(pthread_cond_init(condition, nil))
  }

  deinit {
    check(pthread_cond_destroy(condition))
    check(pthread_mutex_destroy(mutex))
    condition.deallocate()
    mutex.deallocate()
  }

  /// Runs `body` while holding the mutex.
  func locked<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    check(pthread_mutex_lock(mutex))
    defer { check(pthread_mutex_unlock(mutex)) }
    return try body()
  }

  /// Gives the mutex up until woken; may wake without cause. Only inside `locked`.
  func wait() { check(pthread_cond_wait(condition, mutex)) }

  /// Wakes all that wait.
  func wakeAll() { check(pthread_cond_broadcast(condition)) }

  private func check(_ status: Int32) {
    precondition(status == 0, "pthread call failed")
  }
}

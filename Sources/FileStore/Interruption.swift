import Glibc

/// Repeats a system call that a signal interrupted.
///
/// A file system that answers EINTR for ever (seen on FUSE with a dead server) ends the call with EINTR after `interruptionsMax` tries.
///
/// - Parameter call: negative results are failures with their reason in `errno`.
func uninterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
  var result = call()
  var tries = 1
  while result < 0 && errno == EINTR && tries < interruptionsMax {
    result = call()
    tries += 1
  }
  return result
}

/// Most interruptions of one call in a row.
let interruptionsMax = 1000

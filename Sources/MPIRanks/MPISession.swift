import Ranks

/// MPI from MPI_Init_thread to MPI_Finalize. At most one per process.
///
/// A session that is left without `finalize()`, as on an error path, aborts the job with exit code 69: MPI_Finalize is collective, and
/// ranks that wait elsewhere would never come to it.
public struct MPISession: ~Copyable {
  /// The world of all ranks.
  public let communicator: MPICommunicator

  /// Starts MPI on the calling thread, which alone may use it.
  ///
  /// - Throws: `RanksError` with code `.transport`.
  public init() throws(RanksError) {
    communicator = try MPICommunicator()
  }

  /// Ends MPI. Collective.
  ///
  /// - Throws: `RanksError` with code `.transport`.
  public consuming func finalize() throws(RanksError) {
    try communicator.close()
  }

  deinit {
    if communicator.isOpen { communicator.abort(code: 69) }
  }
}

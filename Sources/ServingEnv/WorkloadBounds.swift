/// How much of an endless workload a simulation takes.
public struct WorkloadBounds: Equatable, Sendable {
  /// Requests that are taken from the workload, those that are turned away included.
  public var requests: Int
  /// Requests that the cluster takes in.
  public var admitted: Int
  /// Time before which they arrive, seconds.
  public var arrivalEnd: Double
  /// Time after which nothing happens any more, seconds.
  public var end: Double

  /// Without bounds nothing ends.
  public init(requests: Int = .max, admitted: Int = .max, arrivalEnd: Double = .infinity, end: Double = .infinity) {
    self.requests = requests
    self.admitted = admitted
    self.arrivalEnd = arrivalEnd
    self.end = end
  }

  /// Whether a simulation within the bounds comes to an end even if every request is turned away.
  var isFinite: Bool { requests < .max || arrivalEnd < .infinity || end < .infinity }
}

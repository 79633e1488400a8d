/// A cluster or workload that cannot be simulated: the field, its value and what is allowed.
public struct ServingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong, for tests and programs.
  public enum Code: String, Equatable, Sendable {
    /// A number is outside its range.
    case outOfRange
    /// Two settings contradict each other.
    case inconsistent
    /// The weights leave no room for the KV cache of a single request.
    case doesNotFit
    /// No fitted coefficients exist for the combination.
    case unsupported
    /// A name stands in no table.
    case unknownName
  }

  /// Kind of failure.
  public let code: Code
  /// Configuration field.
  public let field: String
  /// What it holds and what it should hold.
  public let reason: String

  /// An error about `field`.
  public init(_ code: Code, field: String, reason: String) {
    self.code = code
    self.field = field
    self.reason = reason
  }

  /// The same about replica `index` of a cluster of unlike ones.
  func inReplica(_ index: Int) -> ServingError { ServingError(code, field: "replicas[\(index)].\(field)", reason: reason) }

  /// One line for people.
  public var description: String { "\(field): \(reason)" }
}

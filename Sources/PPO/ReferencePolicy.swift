/// A frozen policy that the trained one is pulled towards: that of a warm start, as it was right after loading.
///
/// It has the trained network's layout, and a recurrent state of its own in every environment. Its logits are computed when acting and stored
/// in the rollout, so an update does not run it.
public struct ReferencePolicy: Sendable, Equatable {
  /// Flat parameters.
  public let parameters: [Float]
  /// Where they come from, for people: a digest in hexadecimal digits.
  public let origin: String

  /// From given parameters.
  public init(parameters: [Float], origin: String) {
    self.parameters = parameters
    self.origin = origin
  }
}

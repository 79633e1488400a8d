/// How the sums of an update are defined.
public struct UpdateSection: Equatable, Sendable {
  /// Blocks of a minibatch that are added up in the order of a binary tree.
  public var shards = 1

  static let fields: [Field] = [
    .integer(
      "update.shards", \.update.shards, 1...1024, unit: "blocks", .frozen,
      "Contiguous blocks of each minibatch, a power of two, whose losses and gradients are added up in the order of a binary tree; "
        + "1 is one chain over its samples.")
  ]
}

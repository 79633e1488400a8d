/// How an observation divides into equal blocks, one for each action, and values behind them that all share.
///
///     [block of action 0 | block of action 1 | ... | shared]          D = blockCount blockNames.count + sharedNames.count
///
/// A network that treats all blocks alike (the set encoder) works for any `blockCount`; so the identity of a layout, which checkpoints hold,
/// does not contain it.
public struct ObservationLayout: Equatable, Sendable {
  /// What the names do not show: version of the definition, units, transforms, windows.
  public let identifier: String
  /// Blocks at the front, one for each action; 0 if the observation has none.
  public let blockCount: Int
  /// Names of the values of a block, in order.
  public let blockNames: [String]
  /// Names of the values behind the blocks, in order.
  public let sharedNames: [String]

  /// A layout by its parts.
  public init(identifier: String, blockCount: Int, blockNames: [String], sharedNames: [String]) {
    precondition(blockCount >= 0, "a layout has no negative number of blocks")
    precondition((blockCount == 0) == blockNames.isEmpty, "blocks without names, or names without blocks")
    self.identifier = identifier
    self.blockCount = blockCount
    self.blockNames = blockNames
    self.sharedNames = sharedNames
  }

  /// Values of a block; 0 without blocks.
  public var blockSize: Int { blockNames.count }
  /// Values behind the blocks.
  public var sharedSize: Int { sharedNames.count }
  /// D.
  public var size: Int { blockCount * blockSize + sharedSize }

  /// The identity in words: identifier, names of a block, shared names, each after a line feed; the number of blocks is no part of it.
  public var signature: String { ([identifier] + blockNames.map { "block " + $0 } + sharedNames).joined(separator: "\n") }

  /// What distinguishes this layout from one with the recorded `signature`: a line for each, empty if they are the same.
  public func differences(fromSignature recorded: String) -> [String] {
    let own = signature.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let old = recorded.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if own == old { return [] }
    var found: [String] = []
    if own.first != old.first { found.append("the layout is \(own.first ?? "empty"), recorded was \(old.first ?? "nothing")") }
    for name in old.dropFirst() where !own.dropFirst().contains(name) { found.append("\"\(name)\" is recorded and not observed now") }
    for name in own.dropFirst() where !old.dropFirst().contains(name) { found.append("\"\(name)\" is observed now and was not recorded") }
    return found.isEmpty ? ["the observed values stand in another order than the recorded ones"] : found
  }
}

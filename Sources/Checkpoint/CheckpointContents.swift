import TorchFormat

/// What a checkpoint holds: a step, the id of a run, and named groups of values. What the groups mean is the caller's business.
///
/// The tree that is written is `{"step": int, group: value, ..., "provenance": {"run_id": text, ...}}`. Everything outside of
/// `provenance` is state: it determines the rest of the training and enters `stateDigest`.
public struct CheckpointContents: Equatable, Sendable {
  /// Name of the group that is not state: run id, times, host, world size, paths.
  public static let provenanceName = "provenance"
  /// Name of the entry with the step.
  public static let stepName = "step"
  static let runIDName = "run_id"

  /// Decisions made so far; orders the checkpoints of a run.
  public let step: Int
  /// The run that this belongs to.
  public let runID: String
  /// The state groups, in order, without `step` and `provenance`.
  public let groups: [(String, TorchValue)]
  /// Further provenance, without the run id.
  public let provenance: [(String, TorchValue)]

  /// - Parameters:
  ///   - step: not negative.
  ///   - groups: names other than `step` and `provenance`.
  ///   - provenance: names other than `run_id`.
  public init(step: Int, runID: String, groups: [(String, TorchValue)], provenance: [(String, TorchValue)] = []) {
    precondition(step >= 0, "a step is not negative")
    precondition(
      !groups.contains { [CheckpointContents.stepName, CheckpointContents.provenanceName].contains($0.0) }, "reserved group name")
    precondition(!provenance.contains { $0.0 == CheckpointContents.runIDName }, "reserved provenance name")
    self.step = step
    self.runID = runID
    self.groups = groups
    self.provenance = provenance
  }

  /// The tree as it is written.
  public var tree: TorchValue {
    .dictionary(
      [(CheckpointContents.stepName, .int(step))] + groups + [
        (CheckpointContents.provenanceName, .dictionary([(CheckpointContents.runIDName, .string(runID))] + provenance))
      ])
  }

  /// Takes a tree apart; nil if step or run id are missing.
  init?(tree: TorchValue) {
    guard case .dictionary(let entries) = tree, case .int(let step)? = tree[CheckpointContents.stepName], step >= 0,
      case .dictionary(let provenance)? = tree[CheckpointContents.provenanceName],
      case .string(let runID)? = tree[CheckpointContents.provenanceName]?[CheckpointContents.runIDName]
    else { return nil }
    self.step = Int(step)
    self.runID = runID
    groups = entries.filter { $0.0 != CheckpointContents.stepName && $0.0 != CheckpointContents.provenanceName }
    self.provenance = provenance.filter { $0.0 != CheckpointContents.runIDName }
  }

  /// The value at a path of keys, such as `contents["model_state_dict", "feature_proj.0.weight"]`.
  public subscript(_ path: String...) -> TorchValue? { value(at: path) }

  func value(at path: [String]) -> TorchValue? {
    guard let first = path.first else { return nil }
    var value = first == CheckpointContents.provenanceName ? tree[first] : groups.first { $0.0 == first }?.1
    for key in path.dropFirst() { value = value?[key] }
    return value
  }

  /// Same tree, bit by bit.
  public static func == (left: CheckpointContents, right: CheckpointContents) -> Bool { left.tree == right.tree }
}

import Checkpoint
import Testing
import TorchFormat

extension CheckpointContents {
  /// The same contents with the first recorded action of environment 0 replaced by another one.
  func changingFirstAction() throws -> CheckpointContents {
    let groups = try groups.map { group -> (String, TorchValue) in
      guard group.0 == "environments", case .list(var environments) = group.1 else { return group }
      let entries = try #require(environments[0].entries)
      environments[0] = .dictionary(
        try entries.map { entry in
          guard entry.0 == "actions" else { return entry }
          let tensor = try #require(entry.1.tensor)
          var actions = try #require(tensor.uint8s)
          actions[0] = 1 - actions[0]
          return (entry.0, .tensor(TorchTensor(actions, shape: tensor.shape)))
        })
      return (group.0, .list(environments))
    }
    return CheckpointContents(step: step, runID: runID, groups: groups, provenance: provenance)
  }
}

import Checkpoint
import FileStore
import TestSupport
import TorchFormat

/// Small contents that differ in every state group from step to step.
func sample(step: Int, run: String = "run-1", attempt: Int = 1) -> CheckpointContents {
  CheckpointContents(
    step: step, runID: run,
    groups: [
      (
        "model_state_dict",
        .orderedDictionary([
          ("trunk.0.weight", .tensor(TorchTensor([Float(step), 2, -0.0, 4], shape: [2, 2]))),
          ("trunk.0.bias", .tensor(TorchTensor([Float(0.5), 1]))),
        ])
      ),
      ("optimizer", .dictionary([("m", .tensor(TorchTensor([Float(step) * 2]))), ("v", .tensor(TorchTensor([1.0, Double(step)])))])),
      (
        "counters",
        .dictionary([("updates", .int(step / 2)), ("rate", .float(1e-3)), ("names", .list([.string("a"), .none, .bool(true)]))])
      ),
    ], provenance: [("attempt", .int(attempt)), ("host", .string("node"))])
}

/// A store in memory, its directory made.
func makeStore(_ files: InMemoryFileSystem, pid: Int32 = 1) throws -> CheckpointStore {
  let store = CheckpointStore(directory: "/run/checkpoints", publisher: AtomicPublish(files: files, host: "h", pid: pid))
  try store.prepare()
  return store
}

/// Contents of about `megabytes` MB, half of them in one tensor.
func large(step: Int, megabytes: Int) -> CheckpointContents {
  let count = megabytes * (1 << 20) / 8 / 4
  let values = (0..<count).map { Float($0 &* 2_654_435_761 % 1000) / 1000 }
  return CheckpointContents(
    step: step, runID: "run-1",
    groups: [
      ("model_state_dict", .orderedDictionary((0..<4).map { ("layer.\($0)", .tensor(TorchTensor(values))) })),
      ("optimizer", .dictionary([("m", .tensor(TorchTensor(values + values + values + values)))])),
    ])
}

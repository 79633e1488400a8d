/// Reads the `scenario.json` of a recorded run of the reference simulator, which `simulate --config` accepts beside our own form.
///
/// Members that describe the recording (`note`, `derived`, counts of what happened) are passed over; one that this table does not know is an error.
public enum ScenarioFile {
  /// Whether a document has the form of a scenario: it names both schedulers at its top level.
  public static func isScenario(_ root: JSONValue) -> Bool { root["global_scheduler"] != nil && root["replica_scheduler"] != nil }

  /// Overrides of configuration keys that describe the same cluster, and the policy's name.
  ///
  /// - Throws: `JSONError` naming what is missing or unknown.
  public static func overrides(_ root: JSONValue, name: String) throws(JSONError) -> (overrides: [String], policy: String) {
    let fail = { (message: String) in JSONError(name: name, message: message) }
    guard let members = root.members else { throw fail("the scenario is \(root.kindName), expected an object") }
    var overrides: [String] = []
    for member in members where !ignored.contains(member.key) {
      if let key = keys.first(where: { $0.scenario == member.key })?.key {
        overrides.append("\(key)=\(text(member.value))")
      } else if member.key == "time_model" {
        overrides.append("timing.model=linear")
        for coefficient in ["a", "b", "c", "d"] {
          overrides.append("timing.linear_\(coefficient)=\(try member.value.double(coefficient, in: name))")
        }
      } else if member.key == "sched" {
        for limit in member.value.members ?? [] {
          guard let key = limits.first(where: { $0.scenario == limit.key })?.key else { throw fail("sched.\(limit.key) is unknown") }
          overrides.append("\(key)=\(text(limit.value))")
        }
      } else {
        throw fail("\"\(member.key)\" is unknown")
      }
    }
    let scheduler = try root.string("replica_scheduler", in: name)
    overrides.append("cluster.replica_scheduler=\(scheduler)")
    // The scheduler's prefill chunk is its own; every policy of the reference is called as here.
    return (overrides, try root.string("global_scheduler", in: name))
  }

  private static let keys: [(scenario: String, key: String)] = [
    ("num_replicas", "cluster.num_replicas"), ("num_pipeline_stages", "cluster.pipeline_stages"), ("max_tokens", "cluster.max_tokens"),
    ("model", "cluster.model"), ("device", "cluster.device"), ("seed", "run.seed"), ("tensor_parallel_size", "cluster.tensor_parallel"),
    ("network_device", "cluster.network"), ("memory_margin_fraction", "cluster.memory_margin_fraction"),
  ]

  private static let limits: [(scenario: String, key: String)] = [
    ("batch_size_cap", "cluster.batch_size_cap"), ("block_size", "cluster.block_size"),
    ("watermark_blocks_fraction", "cluster.watermark_blocks_fraction"), ("num_blocks", "cluster.block_count"),
    ("max_tokens_in_batch", "cluster.max_tokens_in_batch"), ("chunk_size", "cluster.prefill_chunk_size"),
    ("max_waiting_iters", "cluster.max_waiting_iters"),
  ]

  /// About the recording, not the cluster.
  private static let ignored = [
    "name", "note", "units", "simulator", "derived", "num_requests", "num_batches", "num_events", "total_restarts", "completed",
    "scheduler_is_empty_at_end", "end_time", "ties", "peak_blocks_after_scheduling", "leaked_blocks", "global_scheduler",
    "replica_scheduler",
  ]

  private static func text(_ value: JSONValue) -> String { value.stringValue ?? value.compactText() }
}

import Foundation
import Hashing
import Training

/// What has to be equal between two runs of one configuration: the last state, and every byte of the metrics.
struct RunFingerprint: Equatable {
  let state: Digest
  /// SHA-256 of each file by its name, in order of names.
  let metrics: [String: Digest]

  /// Reads a run directory; the checkpoint is verified.
  init(directory: String) throws(TrainingError) {
    state = try CheckpointArgument(path: directory).load().stateDigest
    let folder = RunDirectory(root: directory).metrics
    var metrics: [String: Digest] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      guard let data = FileManager.default.contents(atPath: folder + "/" + name) else {
        throw TrainingError(.inputOutput, "\(folder)/\(name): cannot be read")
      }
      metrics[name] = SHA256.hash([UInt8](data))
    }
    self.metrics = metrics
  }

  /// One digest of all metrics files.
  var metricsDigest: Digest {
    SHA256.hash(Array(metrics.sorted { $0.key < $1.key }.map { "\($0.value.hex)  \($0.key)\n" }.joined().utf8))
  }

  /// What differs from `other`: `state`, and names of metrics files.
  func differences(from other: RunFingerprint) -> [String] {
    let names = Set(metrics.keys).union(other.metrics.keys).sorted()
    return (state == other.state ? [] : ["state"]) + names.filter { metrics[$0] != other.metrics[$0] }
  }
}

/// One line of the proof's table.
struct ProofRow {
  let what: String
  let jobs: Int
  let kills: Int
  let found: RunFingerprint
  /// nil for the reference itself.
  let reference: RunFingerprint?

  /// Whether nothing differs.
  var isEqual: Bool { reference.map { found.differences(from: $0).isEmpty } ?? true }

  static var heading: String { columns("what", "jobs", "kills", "state", "metrics", "") }

  var line: String {
    let verdict =
      if let reference { isEqual ? "ok" : "DIFFERS: " + found.differences(from: reference).joined(separator: " ") } else { "reference" }
    return Self.columns(
      what, "\(jobs)", "\(kills)", String(found.state.hex.prefix(16)), String(found.metricsDigest.hex.prefix(8)), verdict)
  }

  private static func columns(
    _ what: String, _ jobs: String, _ kills: String, _ state: String, _ metrics: String, _ verdict: String
  ) -> String {
    func pad(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(2, width - text.count)) }
    return pad(what, 52) + pad(jobs, 6) + pad(kills, 7) + pad(state, 18) + pad(metrics, 10) + verdict
  }
}

import RunConfig

/// What a run began with.
public enum StartKind: String, CaseIterable, Sendable {
  /// Drawn parameters.
  case fresh
  /// An actor that behaviour cloning made.
  case warmstart
  /// A model from elsewhere.
  case external
  /// The learner of another run.
  case fork
}

/// Where a run comes from, as `run.json` tells. It explains a run and never determines it.
struct RunOrigin: Equatable {
  var kind = StartKind.fresh
  /// File that it began from, as it was given.
  var path: String?
  /// SHA-256 of that file.
  var fileSHA256: String?
  /// How a model from elsewhere was used.
  var externalMode: ExternalMode?
  /// Run and step of a fork's checkpoint.
  var forkedRunID: String?
  var forkedStep: Int?
  /// Batch job that began it.
  var job: String?

  /// Members for `run.json`.
  var json: JSONValue {
    .object(
      [JSONMember("kind", .string(kind.rawValue))]
        + [
          path.map { JSONMember("path", .string($0)) }, fileSHA256.map { JSONMember("sha256", .string($0)) },
          externalMode.map { JSONMember("mode", .string($0.rawValue)) }, forkedRunID.map { JSONMember("run_id", .string($0)) },
          forkedStep.map { JSONMember("step", .integer($0)) }, job.map { JSONMember("job", .string($0)) },
        ].compactMap { $0 })
  }

  init(kind: StartKind = .fresh, job: String? = nil) {
    self.kind = kind
    self.job = job
  }

  /// The member `origin` of a `run.json`; nil for a file that tells none.
  init?(identity: JSONValue) {
    guard let origin = identity["origin"], let kind = origin["kind"]?.stringValue.flatMap(StartKind.init(rawValue:)) else { return nil }
    self.kind = kind
    path = origin["path"]?.stringValue
    fileSHA256 = origin["sha256"]?.stringValue
    externalMode = origin["mode"]?.stringValue.flatMap(ExternalMode.init(rawValue:))
    forkedRunID = origin["run_id"]?.stringValue
    forkedStep = origin["step"]?.intValue
    job = origin["job"]?.stringValue
  }
}

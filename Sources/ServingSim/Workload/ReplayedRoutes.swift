/// The replica that an earlier run sent each request to: the columns `request_id` and `replica` of its `--requests-out`.
public struct ReplayedRoutes: Equatable, Sendable {
  /// Name for messages.
  public let name: String
  /// Replica by request id; -1 where the file says nothing.
  private let replicas: [Int32]

  /// Reads CSV text; ids start at 0 and stand in any order, each at most once.
  public static func parse(bytes: [UInt8], name: String, replicaCount: Int) throws(CSVError) -> ReplayedRoutes {
    var replicas: [Int32] = []
    // An id far beyond the number of rows can only be a mistake, and must not ask for memory.
    let idLimit = bytes.count
    try CSVReader.readRows(bytes, file: name, columns: ["request_id", "replica"]) { columns, fields, reader throws(CSVError) in
      let id = try columns.count(0, fields, reader)
      if id >= idLimit { throw columns.error(.tooLarge, 0, fields, reader) }
      if columns.isEmpty(1, fields) { return }
      let replica = try columns.count(1, fields, reader)
      if replica >= replicaCount { throw columns.error(.noSuchReplica, 1, fields, reader) }
      while replicas.count <= id { replicas.append(-1) }
      if replicas[id] >= 0 { throw columns.error(.duplicateRow, 0, fields, reader) }
      replicas[id] = Int32(replica)
    }
    return ReplayedRoutes(name: name, replicas: replicas)
  }

  /// The replica of a request; nil if the file says nothing about it.
  public func replica(of request: Int) -> Int? {
    guard replicas.indices.contains(request), replicas[request] >= 0 else { return nil }
    return Int(replicas[request])
  }
}

/// The layout of an observation vector: `ObservationFeature.table` under a configuration.
///
/// Order: for each replica its own features and then K request slots; then the cluster; then the request to be routed. With q, e and i as the
/// switches for queue delays, temporal features and the incoming request,
///
///     D = R (11 + 3 q + 8 e + 7 K) + 3 + 7 e + 2 i
///
/// Invariants: `names` is unique and has `size` entries; `size` follows the formula.
public struct ObservationSchema: Equatable, Sendable {
  /// Number of this layout's definition; a change of the table's meaning needs another one.
  public static let version = 1

  /// Replicas, R.
  public let replicaCount: Int
  /// The switches.
  public let configuration: ObservationConfiguration
  /// Name of each entry, `[D]`, such as "replica_0.request_2.age".
  public let names: [String]

  // Quantity and transform of each entry of a scope, in order.
  let replicaColumns: [Column]
  let requestColumns: [Column]
  let clusterColumns: [Column]
  let incomingColumns: [Column]

  /// A table row without its text, for the loop that fills the vector.
  struct Column: Equatable, Sendable {
    let quantity: ObservationFeature.Quantity
    let transform: ObservationFeature.Transform
  }

  /// The layout for `replicaCount` replicas.
  public init(_ configuration: ObservationConfiguration, replicaCount: Int) {
    let features = ObservationFeature.table.filter { $0.isOn(in: configuration) }
    func names(_ scope: ObservationFeature.Scope) -> [String] { features.filter { $0.scope == scope }.map(\.name) }
    func columns(_ scope: ObservationFeature.Scope) -> [Column] {
      features.filter { $0.scope == scope }.map { Column(quantity: $0.quantity, transform: $0.transform) }
    }
    var all: [String] = []
    for replica in 0..<replicaCount {
      all += names(.replica).map { "replica_\(replica).\($0)" }
      for slot in 0..<configuration.queueSlots {
        all += names(.requestSlot).map { "replica_\(replica).request_\(slot).\($0)" }
      }
    }
    all += names(.cluster)
    all += names(.incoming)
    self.replicaCount = replicaCount
    self.configuration = configuration
    self.names = all
    replicaColumns = columns(.replica)
    requestColumns = columns(.requestSlot)
    clusterColumns = columns(.cluster)
    incomingColumns = columns(.incoming)
  }

  /// D.
  public var size: Int { names.count }

  /// Entries of one replica, its request slots included.
  public var replicaBlockSize: Int { replicaColumns.count + configuration.queueSlots * requestColumns.count }

  /// The layout in words: version, replicas, slots and switches; also what the names do not show (oracle lengths, logarithms, window).
  public var id: String {
    func flag(_ isOn: Bool) -> String { isOn ? "1" : "0" }
    let c = configuration
    return "routing-\(Self.version):R\(replicaCount),K\(c.queueSlots),q\(flag(c.queueDelayFeatures)),e\(flag(c.temporalFeatures))"
      + ",i\(flag(c.incomingRequestFeatures)),oracle\(flag(c.oracleDecodeLength)),log\(flag(c.logTokenFeatures)),W\(c.metricsWindowSeconds)"
  }

  /// FNV-1a with 64 bits over the names, each followed by a line feed; 16 hexadecimal digits.
  public var nameHash: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for name in names {
      for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      hash = (hash ^ 0x0a) &* 0x100_0000_01b3
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension ObservationFeature {
  /// Whether the feature is in the vector under `configuration`.
  func isOn(in configuration: ObservationConfiguration) -> Bool {
    switch requires {
    case .always: true
    case .queueDelay: configuration.queueDelayFeatures
    case .temporal: configuration.temporalFeatures
    case .incomingRequest: configuration.incomingRequestFeatures
    }
  }
}

import Environments

/// The layout of an observation vector: `ObservationFeature.table` under a configuration.
///
/// Order: for each replica its own features and then K request slots; then the cluster; then the request to be routed. With q, e, w, s, i and p
/// as the switches for queue delays, temporal features, work left, replica status, the incoming request and its priority, and R as the number
/// of replicas or `replicasMax`,
///
///     D = R (11 + 3 q + 8 e + 2 w + 2 s + 7 K) + 3 + 7 e + 2 i + p
///
/// Invariants: `names` is unique and has `size` entries; `size` follows the formula.
public struct ObservationSchema: Equatable, Sendable {
  /// Number of this layout's definition; a change of the table's meaning needs another one.
  public static let version = 1

  /// Replicas of the cluster.
  public let replicaCount: Int
  /// Blocks, R: one for each replica, and padding up to `replicasMax`.
  public let blockCount: Int
  /// The switches.
  public let configuration: ObservationConfiguration
  /// Blocks and shared values by name.
  public let layout: ObservationLayout
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
    var block = names(.replica)
    for slot in 0..<configuration.queueSlots { block += names(.requestSlot).map { "request_\(slot).\($0)" } }
    blockCount = max(replicaCount, configuration.replicasMax)
    self.replicaCount = replicaCount
    self.configuration = configuration
    layout = ObservationLayout(
      identifier: Self.identifier(of: configuration), blockCount: blockCount, blockNames: block,
      sharedNames: names(.cluster) + names(.incoming))
    self.names = (0..<blockCount).flatMap { replica in block.map { "replica_\(replica).\($0)" } } + layout.sharedNames
    replicaColumns = columns(.replica)
    requestColumns = columns(.requestSlot)
    clusterColumns = columns(.cluster)
    incomingColumns = columns(.incoming)
  }

  /// D.
  public var size: Int { names.count }

  /// What the names do not show: version of the table, oracle lengths, logarithms, window.
  private static func identifier(of c: ObservationConfiguration) -> String {
    func flag(_ isOn: Bool) -> String { isOn ? "1" : "0" }
    return "routing-\(version):oracle\(flag(c.oracleDecodeLength)),log\(flag(c.logTokenFeatures)),W\(c.metricsWindowSeconds)"
  }
}

extension ObservationFeature {
  /// Whether the feature is in the vector under `configuration`.
  func isOn(in configuration: ObservationConfiguration) -> Bool {
    switch requires {
    case .always: true
    case .queueDelay: configuration.queueDelayFeatures
    case .temporal: configuration.temporalFeatures
    case .work: configuration.workFeatures
    case .replicaStatus: configuration.replicaStatusFeatures
    case .incomingRequest: configuration.incomingRequestFeatures
    case .incomingPriority: configuration.incomingPriorityFeature
    }
  }
}

/// How the devices of a node are linked: fits to measured collective times.
public struct NodeFacts: Equatable, Sendable {
  /// Latency and bandwidth of one collective.
  public struct Link: Equatable, Sendable {
    /// Fixed part, ms.
    public var latency: Double
    /// 10^9 bytes per second.
    public var gigabytesPerSecond: Double
    /// How both combine.
    public var form: ClosedFormCoefficients.Form

    /// One collective's fit.
    public init(_ latency: Double, _ gigabytesPerSecond: Double, _ form: ClosedFormCoefficients.Form) {
      self.latency = latency
      self.gigabytesPerSecond = gigabytesPerSecond
      self.form = form
    }

    /// Milliseconds for `bytes` bytes on the wire.
    public func milliseconds(bytes: Double) -> Double {
      form.combine(latency, bytes / (gigabytesPerSecond * 1e6))
    }
  }

  /// "a100_dgx" and so on.
  public var name: String
  /// Devices in one node.
  public var devicesPerNode: Int
  /// All-reduce over 2, 4, 8 workers of one node; nil where nothing was measured.
  public var allReduce2: Link?
  /// See `allReduce2`.
  public var allReduce4: Link?
  /// See `allReduce2`.
  public var allReduce8: Link?
  /// Send and receive between devices of one node.
  public var sendReceiveInside: Link
  /// Send and receive between nodes.
  public var sendReceiveAcross: Link

  /// The fit for an all-reduce over `workers` devices.
  public func allReduce(workers: Int) -> Link? {
    switch workers {
    case 2: allReduce2
    case 4: allReduce4
    case 8: allReduce8
    default: nil
    }
  }

  /// The node type called `name` in the built-in table.
  public static func named(_ name: String) -> NodeFacts? {
    all.first { $0.name == name }
  }

  /// Node types with measured links.
  public static let all: [NodeFacts] = [a100DGX, a100Pairwise, h100DGX, h100Pairwise, a40Pairwise]

  /// Eight A100 with full NVLink.
  public static let a100DGX = NodeFacts(
    name: "a100_dgx", devicesPerNode: 8, allReduce2: Link(0.0448, 171, .sum), allReduce4: Link(0.0389, 161, .sum),
    allReduce8: Link(0.0436, 152, .sum), sendReceiveInside: Link(0.0172, 240, .root), sendReceiveAcross: Link(0.0311, 7.8, .sum))
  /// Four A100, linked in pairs.
  public static let a100Pairwise = NodeFacts(
    name: "a100_pairwise_nvlink", devicesPerNode: 4, allReduce2: Link(0.0434, 199, .sum), allReduce4: Link(0.0582, 24, .sum),
    sendReceiveInside: Link(0.0101, 313, .root), sendReceiveAcross: Link(0.0169, 2.8, .sum))
  /// Eight H100 with full NVLink.
  public static let h100DGX = NodeFacts(
    name: "h100_dgx", devicesPerNode: 8, allReduce2: Link(0.0337, 261, .root), allReduce4: Link(0.0401, 304, .root),
    allReduce8: Link(0.0298, 342, .sum), sendReceiveInside: Link(0.0077, 358, .sum), sendReceiveAcross: Link(0.0198, 35.9, .sum))
  /// Four H100, linked in pairs; send and receive as on the A100 (its table is a copy).
  public static let h100Pairwise = NodeFacts(
    name: "h100_pairwise_nvlink", devicesPerNode: 4, allReduce2: Link(0.0175, 200, .sum), allReduce4: Link(0.0292, 47, .sum),
    sendReceiveInside: Link(0.0101, 313, .root), sendReceiveAcross: Link(0.0169, 2.8, .sum))
  /// Eight A40, linked in pairs; no all-reduce was measured.
  public static let a40Pairwise = NodeFacts(
    name: "a40_pairwise_nvlink", devicesPerNode: 8, sendReceiveInside: Link(0.0038, 4.1, .root),
    sendReceiveAcross: Link(0.0576, 2.6, .sum))
}

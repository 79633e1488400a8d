import Testing

@testable import ServingSim

@Suite struct OperationTimesTests {
  /// A run that has prefills alone, decodes alone and both together.
  static let specs = [spec(0, 300, 5), spec(0.001, 700, 9), spec(0.05, 90, 20), spec(0.1, 1500, 3)]

  static let clusters: [(String, ClusterConfiguration)] = [
    ("one device", ClusterConfiguration(replicaCount: 1)),
    ("two devices a layer", ClusterConfiguration(replicaCount: 1, tensorParallel: 2)),
    ("three models a stage", ClusterConfiguration(replicaCount: 1, model: .llama3_8B, pipelineStages: 4)),
    (
      "over two nodes",
      ClusterConfiguration(replicaCount: 1, model: .llama2_70B, device: .h100, network: .h100DGX, tensorParallel: 8, pipelineStages: 2)
    ),
    ("the reference's rounding", ClusterConfiguration(replicaCount: 1, model: .llama3_8B, featureRounding: .reference)),
    ("no norm behind attention", ClusterConfiguration(replicaCount: 1, model: .phi2)),
    (
      "half the speed",
      {
        var cluster = ClusterConfiguration(replicaCount: 1)
        cluster.replicas[0].speedFactor = 0.5
        return cluster
      }()
    ),
  ]

  @Test("the operations of every stage add up to its time", arguments: clusters.map(\.0))
  func sum(name: String) throws {
    let cluster = try #require(Self.clusters.first { $0.0 == name }?.1)
    var driver = try SimulationDriver(cluster)
    driver.run(Self.specs)
    let stages = try #require(driver.cluster.log?.stages)
    let last = cluster.replicas[0].pipelineStages - 1
    #expect(stages.count > 20)
    for stage in stages {
      let times = try #require(stage.work?.operations)
      let total = (times.layerTotal * Double(times.layers) + times.sendReceive) * 1e-3
      #expect(abs(total / stage.modelSeconds - 1) < 1e-12, "batch \(stage.batch)")
      #expect((times.sendReceive > 0) == (stage.stage < last) && times.engine == nil)
      #expect(times.layers == cluster.model.layers / cluster.replicas[0].pipelineStages)
      #expect((times[.attentionAllReduce] > 0) == (cluster.replicas[0].tensorParallel > 1))
      #expect(times[.attentionAllReduce] == times[.feedForwardAllReduce])
      #expect((times[.postAttentionNorm] > 0) == (cluster.model != .phi2))
    }
  }

  @Test("operations by hand: Llama-2-7b on one A100, 64 prompt tokens")
  func byHand() throws {
    var driver = try SimulationDriver(ClusterConfiguration(replicaCount: 1))
    driver.run([spec(0, 64, 1)])
    let times = try #require(driver.cluster.log?.stages.first?.work?.operations)
    // 64 tokens fill the tile of 64.
    func product(_ k: Double, _ n: Double) -> Double {
      let compute = 2 * 64 * k * n / (312e12 * 0.722)
      let memory = 2 * (k * n + 64 * k + 64 * n) / (2.039e12 * 0.840)
      return 0.0058 + 1e3 * (compute * compute + memory * memory).squareRoot()
    }
    func traffic(_ bytes: Double, _ overhead: Double, _ efficiency: Double, isSum: Bool = false) -> Double {
      let time = 1e3 * 64 * bytes / (2.039e12 * efficiency)
      return isSum ? overhead + time : (overhead * overhead + time * time).squareRoot()
    }
    let expected: [(ServingSim.Operation, Double)] = [
      (.preProjection, product(4096, 3 * 4096)), (.postProjection, product(4096, 4096)), (.upProjection, product(4096, 2 * 11008)),
      (.downProjection, product(11008, 4096)), (.rope, traffic(4 * 64 * 128, 0.0033, 0.420)),
      (.inputNorm, traffic(4 * 4096, 0.0041, 0.377)),
      (.postAttentionNorm, traffic(4 * 4096, 0.0041, 0.359)), (.add, traffic(6 * 4096, 0.0022, 0.962)),
      (.activation, traffic(6 * 11008, 0.0024, 0.499, isSum: true)), (.cacheSave, traffic(8 * 4096, 0.004, 0.35, isSum: true)),
      (.decodeAttention, 0), (.attentionAllReduce, 0),
    ]
    for (operation, value) in expected { #expect(abs(times[operation] - value) < 1e-12, "\(operation)") }
  }

  @Test("models without operations have none; work is counted all the same")
  func constant() throws {
    var driver = try SimulationDriver(constantCluster(parity: .sane))
    driver.run([spec(0, 8, 3), spec(0.005, 4, 2)])
    let work = (driver.cluster.log?.stages ?? []).compactMap(\.work)
    #expect(work.allSatisfy { $0.operations == nil })
    #expect(work.map(\.tokens) == [8, 4, 2, 1] && work.map(\.attentionPairs) == [64, 16, 16, 11])
    #expect(work.map(\.requests) == [[0], [1], [0, 1], [0]])
  }
}

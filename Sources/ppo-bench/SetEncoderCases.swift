import Neural

/// Cases of the set encoder at the default observation: blocks of 50 values, 12 of the cluster, 4 or 16 replicas.
///
/// Bounds: multiply-adds of a row are R (50 W + W^2 + W^2 + W) + 12 W + memory 9 W^2 + 3 W^2 + 3 W^2 with two layers, without attention (which
/// adds R 4 W^2 and 2 R^2 W): 12 k at W = 16, R = 4 and 0.35 M at W = 64, R = 16. At 126 GFLOP/s a forward pass of 64 rows cannot take
/// less than 12 us and 0.36 ms; W = 16 has one panel of outputs, so loads and not products bound it.
enum SetEncoderCases {
  static var all: [BenchmarkCase] {
    var cases: [BenchmarkCase] = []
    for (width, replicas, attention) in [(16, 4, false), (32, 4, false), (32, 4, true), (64, 16, false)] {
      let network = Network(
        .setEncoder(width: width, attention: attention, replicaBlockSize: 50), observationSize: 50 * replicas + 12, actionCount: replicas)
      let name = attention ? "set-attention" : "set"
      let operations = products(width: width, replicas: replicas, attention: attention)
      for rows in [1, 8, 64] {
        cases.append(
          BenchmarkCase(name: "inference.\(name)", extents: [rows, width, replicas]) {
            LearnerCases.inference(network, rows: rows, operations: operations)
          })
      }
      cases.append(
        BenchmarkCase(name: "update.\(name)", extents: [1024, 4, 64, width, replicas]) {
          LearnerCases.update(network, transitions: 1024, minibatch: 64, operations: operations)
        })
    }
    return cases
  }

  /// Multiply-adds of a forward pass of one row.
  private static func products(width: Int, replicas: Int, attention: Bool) -> Int {
    let square = width * width
    let token = 50 * width + 2 * square + width + (attention ? 4 * square + 2 * replicas * width : 0)
    return replicas * token + 12 * width + 15 * square + width
  }
}

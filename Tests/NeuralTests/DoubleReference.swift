import Glibc
import Neural
import Randomness

/// Slow, obvious double-precision forms of every layer; rows are arrays.
enum DoubleReference {
  typealias Rows = [[Double]]

  /// y = x W^T + b, W row-major [O, I].
  static func linear(_ x: Rows, _ w: [Double], _ b: [Double]) -> Rows {
    x.map { row in
      b.indices.map { o in
        var sum = b[o]
        for i in row.indices { sum += w[o * row.count + i] * row[i] }
        return sum
      }
    }
  }

  static func layerNorm(_ x: Rows, _ gain: [Double], _ shift: [Double], relu: Bool) -> Rows {
    x.map { row in
      let mean = row.reduce(0, +) / Double(row.count)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
      return row.indices.map { i in
        let y = (row[i] - mean) / (variance + 1e-5).squareRoot() * gain[i] + shift[i]
        return relu ? max(y, 0) : y
      }
    }
  }

  static func gelu(_ x: Rows) -> Rows { x.map { $0.map { 0.5 * $0 * (1 + Glibc.erf($0 / 2.0.squareRoot())) } } }

  static func tanh(_ x: Rows) -> Rows { x.map { $0.map { Glibc.tanh($0) } } }

  static func sigmoid(_ x: Double) -> Double { 1 / (1 + Glibc.exp(-x)) }

  static func gru(_ x: Rows, _ h: Rows, _ wi: [Double], _ wh: [Double], _ bi: [Double], _ bh: [Double]) -> Rows {
    let gi = linear(x, wi, bi)
    let gh = linear(h, wh, bh)
    return x.indices.map { r in
      let n = h[r].count
      return (0..<n).map { i in
        let reset = sigmoid(gi[r][i] + gh[r][i])
        let update = sigmoid(gi[r][n + i] + gh[r][n + i])
        let candidate = Glibc.tanh(gi[r][2 * n + i] + reset * gh[r][2 * n + i])
        return (1 - update) * candidate + update * h[r][i]
      }
    }
  }

  struct Output {
    var logits: Rows
    var values: [Double]
    var nextStates: Rows
  }

  /// A whole network from its named tensors.
  static func network(_ network: Network, _ p: [String: [Double]], observations: Rows, states: Rows) -> Output {
    func linear(_ name: String, _ x: Rows) -> Rows { DoubleReference.linear(x, p["\(name).weight"]!, p["\(name).bias"]!) }
    func norm(_ name: String, _ x: Rows, relu: Bool) -> Rows {
      layerNorm(x, p["\(name).weight"]!, p["\(name).bias"]!, relu: relu)
    }
    switch network.configuration {
    case .mlp(let hidden):
      func tower(_ name: String) -> Rows {
        var x = observations
        for i in hidden.indices { x = tanh(linear("\(name).\(2 * i)", x)) }
        return linear("\(name).\(2 * hidden.count)", x)
      }
      return Output(logits: tower("actor"), values: tower("critic").map { $0[0] }, nextStates: observations.map { _ in [] })
    case .recurrent(let sizes):
      let width = sizes.hidden
      var next: [Rows] = []
      func cell(_ name: String, _ layer: Int, part: Int, _ x: Rows) -> Rows {
        let h = states.map { Array($0[(part * width)..<((part + 1) * width)]) }
        let y = gru(
          x, h, p["\(name).weight_ih_l\(layer)"]!, p["\(name).weight_hh_l\(layer)"]!, p["\(name).bias_ih_l\(layer)"]!,
          p["\(name).bias_hh_l\(layer)"]!)
        next.append(y)
        return y
      }
      var x = sizes.inputLayerNorm ? norm("feature_proj.0", observations, relu: false) : observations
      x = linear("feature_proj.3", gelu(linear("feature_proj.1", x)))
      x = norm("shared_mlp.1", linear("shared_mlp.0", x), relu: true)
      for layer in 0..<sizes.layers { x = cell("gru", layer, part: layer, x) }
      let core = norm("gru_ln", x, relu: false)
      func branch(_ name: String) -> Rows {
        let y = norm("\(name).1", linear("\(name).0", core), relu: true)
        return norm("\(name).4", linear("\(name).3", y), relu: true)
      }
      var logits = linear("actor_head.0", branch("actor_branch"))
      if sizes.boundedLogits { logits = tanh(norm("actor_head.1", logits, relu: false)) }
      let critic = cell("critic_gru", 0, part: sizes.layers, branch("critic_branch"))
      let values = linear("critic_head", critic).map { $0[0] }
      return Output(
        logits: logits, values: values,
        nextStates: observations.indices.map { r in next.flatMap { $0[r] } })
    }
  }
}

/// Test data from keyed streams.
enum TestData {
  static func uniform(_ count: Int, _ range: ClosedRange<Double> = -1...1, index: Int) -> [Float] {
    var stream = RandomStream(seed: 7, purpose: .bootstrap, index: index)
    return (0..<count).map { _ in Float(range.lowerBound + (range.upperBound - range.lowerBound) * stream.uniform()) }
  }

  static func rows(_ flat: [Float], _ width: Int) -> [[Double]] {
    width == 0 ? [] : stride(from: 0, to: flat.count, by: width).map { flat[$0..<($0 + width)].map { Double($0) } }
  }

  /// Central difference of `f` at `x[i]`.
  static func slope(_ x: inout [Double], _ i: Int, step: Double = 1e-5, _ f: ([Double]) -> Double) -> Double {
    let kept = x[i]
    x[i] = kept + step
    let above = f(x)
    x[i] = kept - step
    let below = f(x)
    x[i] = kept
    return (above - below) / (2 * step)
  }

  /// Whether two numbers agree relative to the larger of them and `floor`.
  static func close(_ a: Double, _ b: Double, tolerance: Double, floor: Double) -> Bool {
    abs(a - b) <= tolerance * max(abs(a), abs(b), floor)
  }
}
